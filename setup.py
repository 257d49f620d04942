"""Build every kernel once per instruction set.

A kernel is cythonized once; its C file is then compiled as ``fastvec.kernels.<set>.<name>`` for every set of
the table below. The module's init symbol is its last name, so one C file serves all of them, and
``fastvec._backends`` picks the fastest set that the processor runs.

``FASTVEC_DEBUG_BUILD=1`` builds with bounds checks and with the address and undefined-behaviour sanitizers.
"""

import os
import platform
import shutil
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = os.environ.get("FASTVEC_DEBUG_BUILD") == "1"
KERNELS = Path("fastvec/kernels")

# x86-64-v3 and -v4 are the psABI's levels (Haswell, Skylake-X); -mprfchw lets __builtin_prefetch ask for a
# line in order to write it. GCC prefers 256-bit vectors at v4 unless told: ours are 512 wide throughout.
INSTRUCTION_SETS = {"baseline": []}
if platform.machine().lower() in ("x86_64", "amd64"):
    INSTRUCTION_SETS["avx2"] = ["-march=x86-64-v3", "-mprfchw"]
    INSTRUCTION_SETS["avx512"] = ["-march=x86-64-v4", "-mprfchw", "-mprefer-vector-width=512"]

# Never -ffast-math: it would assume NaN away and, at link time, switch the floating-point mode of the user's
# process. Nor its part -fassociative-math: the kernels spell their vector sums out, and GCC would reorder the
# chains of multiply-adds into separate multiplications and additions.
FLAGS = ["-O3", "-fno-math-errno", "-fno-trapping-math"]
LINK_FLAGS = []
if DEBUG:
    SANITIZERS = "-fsanitize=address,undefined"
    FLAGS = ["-O1", "-g", "-fno-omit-frame-pointer", SANITIZERS, *FLAGS[1:]]
    LINK_FLAGS = [SANITIZERS]

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": DEBUG,
    "initializedcheck": DEBUG,
    "wraparound": False,
    "cdivision": True,
    "freethreading_compatible": True,
}


def extensions():
    cpu = Extension("fastvec._cpu", ["fastvec/_cpu.pyx"])
    sources = sorted(KERNELS.glob("*.pyx"))
    kernels = [Extension(f"fastvec.kernels.{source.stem}", [str(source)]) for source in sources]
    cythonized = cythonize([cpu, *kernels], compiler_directives=DIRECTIVES)
    built = cythonized[:1]
    for kernel in cythonized[1:]:
        generated = Path(kernel.sources[0])
        for name, flags in INSTRUCTION_SETS.items():
            copy = KERNELS / name / generated.name
            copy.parent.mkdir(exist_ok=True)
            if not copy.exists() or copy.stat().st_mtime < generated.stat().st_mtime:
                shutil.copyfile(generated, copy)
            built.append(
                Extension(
                    f"fastvec.kernels.{name}.{generated.stem}",
                    [str(copy)],
                    include_dirs=[str(KERNELS)],
                    depends=[str(header) for header in KERNELS.glob("*.h")],
                    extra_compile_args=[*FLAGS, *flags],
                    extra_link_args=LINK_FLAGS,
                )
            )
    return built


setup(ext_modules=extensions(), options={"build_ext": {"parallel": os.cpu_count()}})
