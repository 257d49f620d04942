#!/usr/bin/env bash
# Build fastvec for arm64 and test its kernels, on a Debian machine of another architecture.
#
#   tests/arm64.sh [gcc|clang] [arguments of pytest]
#
# All that this takes is kept in .arm64 and needs no root: the packages of an arm64 Python, of QEMU and of a
# cross compiler are downloaded and unpacked, not installed. That Python becomes a virtual environment whose
# `python` is a script which starts QEMU, so that pip, setup.py, pytest and the processes that they start work
# as usual; the compiler alone runs natively. Remove .arm64 to start anew.
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONPATH PYTHONHOME

compiler=gcc
case ${1-} in gcc | clang) compiler=$1 && shift ;; esac

cache=$PWD/.arm64
root=$cache/root                # an arm64 Debian, as far as Python needs it
tools=$cache/tools              # QEMU and GCC, where this machine has none
native=$cache/native            # a virtual environment of this machine's Python: pip, Cython and Clang
environment=$cache/$compiler    # one of the arm64 Python, with the fastvec that this compiler has built
python=$environment/bin/python
sources=$environment/sources

# The oldest 64-bit ARM in wide use: what later ones have must not have crept into the kernels.
PROCESSOR=cortex-a72

# Under QEMU everything takes ten times as long. The kernels are held to the derivative at three of the eight sizes,
# to their own steps and to the other backends; a model is trained with one thread and with several.
GRADIENTS=(test_gradients.py -k "neon and (-7] or -17] or -33] or error_of or saturate or is_stable)")
KERNELS=(
    test_backends_agree.py test_train_is_steps.py test_glove_kernel.py test_documents_kernel.py
    test_rounds_kernel.py test_scatter.py test_cooccurrence_kernel.py test_phrase_kernels.py test_tokenizer.py
    -k "neon or baseline"
)
TRAININGS=(test_word2vec.py -k "topic or loss or bit_for_bit or depend_on_the_threads")

say() { echo "== $*"; }

fail() {
    echo "make test-arm64: $*" >&2
    exit 1
}

has() { command -v "$1" > /dev/null; }

install() { "$native/bin/pip" --python "$python" install --quiet --only-binary :all: "$@"; }

# Download packages with all that they need beyond what `status` says is installed, and unpack them.
unpack() {
    local architecture=$1 status=$2 folder=$3 apt=$cache/apt-$1
    shift 3
    if [[ -e $folder/.complete ]]; then return; fi
    if ! has apt-get || ! has dpkg; then
        fail "apt-get and dpkg are missing, and $* must come from Debian's packages"
    fi
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
    if ! { apt-get -qq update && apt-get -qq install --download-only --no-install-recommends "$@"; } > /dev/null; then
        fail "apt-get finds no $* for $architecture: /etc/apt must name sources of Debian that have them"
    fi
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
if ! has qemu-aarch64-static || ! has aarch64-linux-gnu-gcc; then
    unpack "$(dpkg --print-architecture)" /var/lib/dpkg/status "$tools" qemu-user-static gcc-aarch64-linux-gnu
fi
unpack arm64 /dev/null "$root" python3 libpython3-dev libc6-dev libstdc++6
arm_python=$(echo "$root"/usr/bin/python3.[0-9]*[0-9])
version=${arm_python##*/}

if [[ ! -e $native/.complete ]]; then
    say "Making a virtual environment of this machine's Python, to translate the kernels"
    rm -rf "$native"
    "${PYTHON:-python3}" -m venv "$native"
    "$native/bin/pip" install --quiet 'setuptools>=77' 'cython>=3.1' ziglang
    touch "$native/.complete"
fi

if [[ ! -e $environment/.complete ]]; then
    say "Making a virtual environment of the arm64 Python ($version)"
    rm -rf "$environment"
    mkdir -p "$environment/bin" "$sources"
    printf 'home = %s\n' "$root/usr/bin" > "$environment/pyvenv.cfg"
    cat > "$python" <<- END
	#!/bin/sh
	exec "$(command -v qemu-aarch64-static)" -cpu $PROCESSOR -L "$root" -0 "\$0" "$arm_python" "\$@"
	END
    case $compiler in
        gcc) command="'$(command -v aarch64-linux-gnu-gcc)' --sysroot='$root'" ;;
        clang) command="'$native/bin/python' -m ziglang cc -target aarch64-linux-gnu" ;;
    esac
    # The libraries are those that GCC's own programs need here, and the headers those of the arm64 Python.
    cat > "$environment/bin/cc" <<- END
	#!/bin/sh
	export LD_LIBRARY_PATH="$(echo "$tools"/usr/lib/*-linux-gnu)"
	exec $command -I "$root/usr/include/$version" -idirafter "$root/usr/include" "\$@"
	END
    chmod +x "$environment"/bin/*
    install 'setuptools>=77' 'cython>=3.1' 'pytest-xdist>=3'
    touch "$environment/.complete"
fi

say "Building fastvec for arm64 with $compiler"
rm -rf "$sources"
mkdir "$sources"
tar c --exclude='*.so' --exclude=__pycache__ fastvec setup.py pyproject.toml README.md LICENSE |
    tar x -C "$sources"
(
    cd "$sources"
    "$native/bin/python" setup.py --quiet egg_info > /dev/null # Cython's part, the same for every machine
    export CC=$environment/bin/cc LDSHARED="$environment/bin/cc -shared" # Zig does not know all of Debian's options
    install --no-build-isolation '.[test-kernels]'
)

cd tests
FASTVEC_BACKEND=neon "$python" -m fastvec info

status=0
run() { OPENBLAS_NUM_THREADS=1 "$python" -m pytest -n 2 --timeout 1200 "$@" || status=1; }
if [[ $# -gt 0 ]]; then
    run "$@"
else
    say "Gradients" && run "${GRADIENTS[@]}"
    say "Kernels" && run "${KERNELS[@]}"
    say "Trainings" && run "${TRAININGS[@]}"
fi
exit $status
