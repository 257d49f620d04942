"""Compile every extension for macOS, Windows and musl, and for x86-64 and ARM, with warnings as errors.

This needs Zig (Clang with the C headers of all platforms; the package ziglang), Cython and setuptools.
Extensions, sources and flags are those that ``setup.py`` declares for the architecture. Real objects are
made, since whether inline assembly and built-in functions suit a processor shows only when code is
generated; nothing is linked. Cython's code is under the same warnings as ours: it gives rise to none.

What depends on the system (threads, files, the widths of types) is the same in every instruction set, and
no header asks for both. So every set is compiled for one system: for Windows, whose types differ most, but
for the set that another system has, on the processor on which most run it. A kernel without registers is
the same in all sets. What asks which processor this is, `cpu`, is compiled for all pairs of systems and
processors.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from distutils.core import run_setup  # of setuptools
from pathlib import Path

import ziglang

HERE = Path(__file__).parent
ZIG = Path(ziglang.__file__).with_name("zig")

ARCHITECTURES = ("x86_64", "aarch64")
# Zig's names of the systems, and which instruction sets of an architecture they have, the slowest first.
SYSTEMS = {
    "windows-gnu": {"x86_64": slice(1, None), "aarch64": slice(-1)},
    "macos": {"aarch64": slice(-1, None)},
    "linux-musl": {"x86_64": slice(1)},
}

# Nobody runs the objects: -O0 makes them in a third of the time. Zig would add checks of undefined behaviour.
FLAGS = ["-O0", "-g0", "-fno-sanitize=undefined", "-Wall", "-Wextra", "-Werror"]


def main():
    os.chdir(HERE.parents[1])
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        include = folder / "include"
        shutil.copytree(sysconfig.get_path("include"), include)
        shutil.copyfile(HERE / "pyconfig.h", include / "pyconfig.h")
        jobs = [
            (f"{architecture}-{system}", extension, include, folder)
            for architecture in ARCHITECTURES
            for system, extension in extensions_for(architecture)
        ]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            complaints = list(pool.map(compile_one, *zip(*jobs, strict=True)))
    for complaint in filter(None, complaints):
        print(complaint, file=sys.stderr)
    tried = Counter(target for target, *_ in jobs)
    failed = Counter(target for (target, *_), complaint in zip(jobs, complaints, strict=True) if complaint)
    for target, n in tried.items():
        print(f"{target:20} {n:3} objects, {failed[target]:3} failed")
    print(f"in {time.perf_counter() - started:.0f} s")
    return any(complaints)


def extensions_for(architecture):
    """Return systems and the extensions that ``setup.py`` declares for an architecture."""
    os.environ["_PYTHON_HOST_PLATFORM"] = f"linux-{architecture}"
    extensions = run_setup("setup.py", stop_after="init").ext_modules
    sets = list(dict.fromkeys(filter(None, map(instruction_set, extensions))))  # in the order of the table
    return [
        (system, extension)
        for system in SYSTEMS
        for extension in extensions
        if instruction_set(extension) in (None, *wanted(system, architecture, extension, sets))
    ]


def wanted(system, architecture, extension, sets):
    """Return for which instruction sets an extension is compiled, of those that an architecture has."""
    chosen = sets[SYSTEMS[system].get(architecture, slice(0))]
    return chosen if "vector.h" in Path(extension.sources[0]).read_text(encoding="utf-8") else chosen[-1:]


def instruction_set(extension):
    """Return the set that an extension is built for, or None for what is built once."""
    return dict(extension.define_macros).get("INSTRUCTION_SET")


def compile_one(target, extension, include, folder):
    """Make the object of an extension and return what the compiler complains of, with a name, or None."""
    command = [
        ZIG, "cc", "-target", target, "-c", *extension.sources, "-o", folder / f"{target}-{extension.name}.o",
        *(f"-D{name}={value}" for name, value in extension.define_macros),
        f"-I{include}", *(f"-I{path}" for path in extension.include_dirs),
        *map(zig_flag, extension.extra_compile_args), *FLAGS,
    ]  # fmt: skip
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(folder), "ZIG_LOCAL_CACHE_DIR": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return f"{target}, {extension.name}:\n{done.stderr}" if done.returncode else None


def zig_flag(flag):
    """Return a flag of GCC and Clang as Zig spells it, which has its own names of processors."""
    return flag.replace("-march=x86-64-v", "-march=x86_64_v")


if __name__ == "__main__":
    sys.exit(main())
