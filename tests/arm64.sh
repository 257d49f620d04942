#!/usr/bin/env bash
# Build fastvec for arm64 and test its kernels, on a Debian machine of another architecture.
#
#   tests/arm64.sh [gcc|clang] [arguments of pytest]
#
# All that takes is kept in .arm64 and needs no root: the packages of an arm64 Python, of QEMU and of a
# cross compiler are downloaded and unpacked, not installed. That Python becomes a virtual environment whose
# `python` is a script which starts QEMU, so that pip, setup.py, pytest and what they start work as
# usual; the compiler alone runs natively. Remove .arm64 to start anew.
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONPATH PYTHONHOME

compiler=gcc
case ${1-} in gcc | clang) compiler=$1 && shift ;; esac

cache=$PWD/.arm64
root=$cache/root                # the arm64 Debian, as far as Python needs it
tools=$cache/tools              # QEMU and GCC, where this machine has none
native=$cache/native            # a virtual environment of this machine's Python: pip, Cython and Clang
python=$cache/$compiler/bin/python
sources=$cache/$compiler/sources

# The oldest processor in wide use with 64-bit ARM: whatever it lacks must not be in the kernels.
PROCESSOR=cortex-a72

# QEMU takes ten times as long: every kernel against the derivative at three sizes of the eight, against its steps and
# the other backends, and trainings with one thread and with several.
GRADIENTS=(test_gradients.py -k "neon and (-7] or -17] or -33] or error_of or saturate or is_stable)")
KERNELS=(
    test_train_is_steps.py test_backends_agree.py test_glove_kernel.py test_documents_kernel.py test_scatter.py
    test_cooccurrence_kernel.py test_phrase_kernels.py test_tokenizer.py -k "neon or baseline"
)
TRAININGS=(test_word2vec.py -k "topic or loss or bit_for_bit or depend_on_the_threads")

say() { echo "== $*"; }

fail() {
    echo "make test-arm64: $*" >&2
    exit 1
}

# Download packages with all that they depend on, given what `status` says is installed, and unpack them.
unpack() {
    local architecture=$1 status=$2 folder=$3 apt=$cache/apt-$1
    shift 3
    [[ ! -e $folder/.complete ]] || return 0
    for needed in apt-get dpkg; do
        command -v $needed > /dev/null || fail "$needed is missing: $* come from Debian's packages"
    done
    say "Downloading $* for $architecture"
    mkdir -p "$apt"/{lists,archives}/partial
    cat > "$apt/apt.conf" <<- END
	APT::Architecture "$architecture";
	APT::Architectures { "$architecture"; };
	APT::Sandbox::User "root";
	Debug::NoLocking "true";
	Dir::State "$apt";
	Dir::State::status "$status";
	Dir::Cache "$apt";
	END
    export APT_CONFIG=$apt/apt.conf
    apt-get -qq update && apt-get -qq install --download-only --no-install-recommends "$@" > /dev/null ||
        fail "apt-get finds no $* for $architecture; the sources in /etc/apt must be those of a Debian that has them"
    unset APT_CONFIG
    rm -rf "$folder"
    mkdir "$folder"
    for package in "$apt"/archives/*.deb; do dpkg -x "$package" "$folder"; done
    [[ -e $folder/lib ]] || ln -s usr/lib "$folder/lib"
    rm -r "$apt"
    touch "$folder/.complete"
}

mkdir -p "$cache"
export PATH=$PATH:$tools/usr/bin
command -v qemu-aarch64-static qemu-aarch64 > /dev/null && command -v aarch64-linux-gnu-gcc > /dev/null ||
    unpack "$(dpkg --print-architecture)" /var/lib/dpkg/status "$tools" qemu-user-static gcc-aarch64-linux-gnu
unpack arm64 /dev/null "$root" python3 libpython3-dev libc6-dev libstdc++6
qemu=$(command -v qemu-aarch64-static || command -v qemu-aarch64)
arm_python=$(echo "$root"/usr/bin/python3.[0-9]*[0-9])
headers=$root/usr/include/${arm_python##*/}

if [[ ! -e $native/.complete ]]; then
    say "Making a virtual environment of $(${PYTHON:-python3} --version) to translate the kernels"
    "${PYTHON:-python3}" -m venv "$native"
    "$native/bin/pip" install --quiet 'setuptools>=77' 'cython>=3.1' ziglang
    touch "$native/.complete"
fi

if [[ ! -e $cache/$compiler/.complete ]]; then
    say "Making a virtual environment of the arm64 ${arm_python##*/}"
    mkdir -p "${python%/*}" "$sources"
    printf 'home = %s\ninclude-system-site-packages = false\n' "${arm_python%/*}" > "$cache/$compiler/pyvenv.cfg"
    cat > "$python" <<- END
	#!/bin/sh
	exec "$qemu" -cpu $PROCESSOR -L "$root" -0 "\$0" "$arm_python" "\$@"
	END
    case $compiler in
        gcc) command="aarch64-linux-gnu-gcc --sysroot='$root'" ;;
        clang) command="'$native/bin/python' -m ziglang cc -target aarch64-linux-gnu" ;;
    esac
    # The linker's libraries are of this machine; the headers are the arm64 Python's.
    cat > "$cache/$compiler/bin/cc" <<- END
	#!/bin/sh
	export LD_LIBRARY_PATH="$(echo "$tools"/usr/lib/*-linux-gnu)"
	exec $command -I "$headers" -idirafter "$root/usr/include" "\$@"
	END
    chmod +x "$cache/$compiler"/bin/*
    "$native/bin/pip" --python "$python" install --quiet --only-binary :all: 'setuptools>=77' 'cython>=3.1' \
        'numpy>=1.23' 'tqdm>=4.60' 'safetensors>=0.4' \
        'pytest>=8' 'pytest-benchmark>=4' 'pytest-timeout>=2.3' 'pytest-xdist>=3' 'hypothesis>=6.100'
    touch "$cache/$compiler/.complete"
fi

say "Building fastvec for arm64 with $compiler"
rm -rf "$sources"/{fastvec,build/lib*}
tar c --exclude='*.so' --exclude=__pycache__ fastvec setup.py pyproject.toml README.md LICENSE | tar x -C "$sources"
(
    cd "$sources"
    "$native/bin/python" setup.py --quiet egg_info > /dev/null  # Cython's part, the same for every machine
    CC=$cache/$compiler/bin/cc "$native/bin/pip" --python "$python" install --quiet --no-deps --no-build-isolation .
)

cd tests
FASTVEC_BACKEND=neon "$python" -I -m fastvec info
status=0
run() { "$python" -m pytest -n 2 --timeout 1200 "$@" || status=1; }
if [[ $# -gt 0 ]]; then
    run "$@"
else
    say "Gradients" && run "${GRADIENTS[@]}"
    say "Kernels" && run "${KERNELS[@]}"
    say "Trainings" && run "${TRAININGS[@]}"
fi
exit $status
