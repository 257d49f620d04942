"""Build every kernel once per instruction set.

A kernel is cythonized once; its C file is then compiled as ``fastvec.kernels.<set>.<name>`` for every set of
``fastvec/kernels/instruction_sets.py``. The module's init symbol is its last name, so one C file serves them
all, and ``fastvec.kernels`` picks the fastest set that the processor runs. Cython's code for memoryviews is
compiled once, as ``fastvec._cyutility``, and not into each of them.

``FASTVEC_DEBUG_BUILD=1`` builds with bounds checks and with the address and undefined-behaviour sanitizers.
"""

import os
import platform
import re
import runpy
import shutil
import sys
import sysconfig
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

DEBUG = os.environ.get("FASTVEC_DEBUG_BUILD") == "1"
KERNELS = Path("fastvec/kernels")
GENERATED = Path("build/cython-debug" if DEBUG else "build/cython")
FLAGS_COME_FROM = ["setup.py", "fastvec/kernels/instruction_sets.py"]  # a change of these builds anew
SHARED_UTILITY = "fastvec._cyutility"

# Never -ffast-math: it would assume NaN away and, at link time, switch the floating-point mode of the user's
# process. Nor its part -fassociative-math: the kernels spell their vector sums out, and GCC would reorder the
# chains of multiply-adds into separate multiplications and additions.
FLAGS = ["-O3", "-g0", "-fno-math-errno", "-fno-trapping-math"]
LINK_FLAGS = []
if DEBUG:
    SANITIZERS = "-fsanitize=address,undefined"
    FLAGS = ["-O1", "-g", "-fno-omit-frame-pointer", SANITIZERS, *FLAGS[2:]]
    LINK_FLAGS = [SANITIZERS]

# One wheel serves every Python from 3.11 on, the first whose limited API has buffers. Free-threaded Pythons
# have none before 3.15.
LIMITED_API = sys.version_info >= (3, 11) and not sysconfig.get_config_var("Py_GIL_DISABLED") and not DEBUG
MACROS = [("Py_LIMITED_API", "0x030B0000"), ("CYTHON_LIMITED_API", "1")] if LIMITED_API else []

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": DEBUG,
    "initializedcheck": DEBUG,
    "wraparound": False,
    "cdivision": True,
    "freethreading_compatible": True,
}


def architecture():
    """Return the architecture that is built for, perhaps not this machine's: x86_64, aarch64 or None."""
    target = sysconfig.get_platform().lower()
    if target.endswith("universal2"):  # Python's on macOS: it has both, extensions are built for one
        os.environ["ARCHFLAGS"] = os.environ.get("ARCHFLAGS") or f"-arch {platform.machine()}"
        asked = set(re.findall(r"-arch (\w+)", os.environ["ARCHFLAGS"]))
        if len(asked) != 1:
            raise SystemExit(f"ARCHFLAGS must name one architecture, such as '-arch arm64', got {asked}")
        target = target.replace("universal2", asked.pop())
        os.environ["_PYTHON_HOST_PLATFORM"] = target  # so that the wheel is called what it is
    found = re.search("x86_64|amd64|aarch64|arm64", target)
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(found[0], found[0]) if found else None


def instruction_sets():
    """Return the rows of the table that belong to the architecture."""
    table, target = runpy.run_path("fastvec/kernels/instruction_sets.py")["INSTRUCTION_SETS"], architecture()
    return [row for row in table if row.architecture in (None, target)]


def extensions():
    names = sorted({source.stem for source in KERNELS.glob("*.pyx")} - {"cpu"})
    modules = ["fastvec.kernels.cpu", *(f"fastvec.kernels.{name}" for name in names)]
    cpu, *kernels, shared = cythonize(
        [
            *(Extension(name, [name.replace(".", "/") + ".pyx"]) for name in modules),
            Extension(SHARED_UTILITY, []),
        ],
        compiler_directives=DIRECTIVES,
        shared_utility_qualified_name=SHARED_UTILITY,
        build_dir=str(GENERATED),
        nthreads=os.cpu_count(),
    )
    for extension in (cpu, shared):
        extension.define_macros = MACROS
        extension.depends = FLAGS_COME_FROM
        extension.py_limited_api = LIMITED_API
        extension.extra_compile_args = ["-O1", *FLAGS[1:]]  # no loop in them matters
        extension.extra_link_args = LINK_FLAGS
    rows = instruction_sets()
    return [cpu, shared, *(build_for(row, kernel) for kernel in kernels for row in rows)]


def build_for(row, kernel):
    """Return the extension of a kernel for one instruction set.

    It has a copy of the C file, for an object of its own.
    """
    generated = Path(kernel.sources[0])
    copy = generated.parent / row.name / generated.name
    copy.parent.mkdir(exist_ok=True)
    if not copy.exists() or copy.stat().st_mtime < generated.stat().st_mtime:
        shutil.copyfile(generated, copy)
    return Extension(
        f"fastvec.kernels.{row.name}.{generated.stem}",
        [str(copy)],
        include_dirs=[str(KERNELS)],
        define_macros=[*MACROS, ("INSTRUCTION_SET", row.name)],
        py_limited_api=LIMITED_API,
        depends=[*FLAGS_COME_FROM, *map(str, KERNELS.glob("*.h"))],
        extra_compile_args=[*FLAGS, *row.flags],
        extra_link_args=LINK_FLAGS,
    )


class BuildExt(build_ext):
    """Compile by Clang on Windows too: Microsoft's compiler has no vector extensions."""

    def run(self):
        if self.inplace:
            self.make_room()
        super().run()

    def make_room(self):
        """Make folders for modules built in place, and remove modules that would be imported before them."""
        for row in instruction_sets():
            (KERNELS / row.name).mkdir(exist_ok=True)
        if LIMITED_API:
            for module in Path("fastvec").rglob("*" + sysconfig.get_config_var("EXT_SUFFIX")):
                module.unlink()

    def build_extensions(self):
        if self.compiler.compiler_type == "msvc":
            self.use_clang()
        super().build_extensions()

    def use_clang(self):
        """Put clang-cl in the place of Microsoft's compiler, whose linker and libraries stay."""
        if architecture() is None:
            raise SystemExit("fastvec is built for 64-bit Windows only: install a 64-bit Python")
        clang = shutil.which(os.environ.get("CC", "clang-cl"))
        if clang is None:
            raise SystemExit(
                "fastvec needs Clang on Windows, and clang-cl is not on PATH: install LLVM "
                "('winget install LLVM.LLVM') and add its folder bin to PATH, or let CC name clang-cl"
            )
        if not self.compiler.initialized:
            self.compiler.initialize(self.plat_name)
        self.compiler.cc = clang
        self.compiler.compile_options.remove("/GL")  # optimization by Microsoft's linker
        self.compiler.compile_options.append(f"--target={architecture()}-pc-windows-msvc")
        for extension in self.extensions:
            extension.extra_compile_args = [f"/clang:{flag}" for flag in extension.extra_compile_args]


if __name__ == "__main__":
    setup(
        ext_modules=extensions(),
        cmdclass={"build_ext": BuildExt},
        options={
            "build_ext": {"parallel": os.cpu_count()},
            "bdist_wheel": {"py_limited_api": "cp311"} if LIMITED_API else {},
        },
    )
