"""What is published: a source distribution that is whole and clean, and one version wherever it stands."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import pytest
from setuptools import Distribution

import fastvec

pytestmark = pytest.mark.any_backend

ROOT = Path(__file__).parents[1]

# What builds and runs leave behind, of which nothing may be published.
LEFTOVERS = [
    "bench/.cache/texts.json",
    "build/cython/fastvec/kernels/removed.c",
    "docs/_build/html/_sources/index.md",
    "fastvec/__pycache__/corpus.pyc",
    "fastvec/kernels/avx2/skipgram.so",
    "fastvec/kernels/removed.c",
    "tests/__pycache__/conftest.pyc",
]


def in_tree(tree, code, *arguments):
    """Run Python code in a folder and return what it prints, on either stream."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=tree, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def known():
    """Files of the project: those in git, or that could be."""
    if not (ROOT / ".git").exists():
        pytest.skip("only a clone knows which files belong to the project")
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, check=True, text=True, capture_output=True).stdout
    return {name for name in names.split("\0") if name and (ROOT / name).exists()}


@pytest.fixture(scope="module")
def tree(known, tmp_path_factory):
    """Copy of the project, with leftovers in it, and with the C files of a build, which take long to make."""
    tree = tmp_path_factory.mktemp("project")
    made = sorted(path.relative_to(ROOT) for path in (ROOT / "build" / "cython").rglob("*.c"))
    for name in [*known, *made]:  # in this order, so that the C files are newer
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tree / name)
    for name in LEFTOVERS:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("left over", encoding="utf-8")
    return tree


@pytest.fixture(scope="module")
def sdist(tree, tmp_path_factory):
    """Names in the source distribution, and what was printed when it was made."""
    folder = tmp_path_factory.mktemp("dist")
    log = in_tree(tree, "import sys, setuptools.build_meta as b; b.build_sdist(sys.argv[1])", folder)
    with tarfile.open(folder / f"fastvec-{fastvec.__version__}.tar.gz") as archive:
        files = [member.name.partition("/")[2] for member in archive if member.isfile()]
    return set(files), log


def test_the_source_distribution_holds_the_sources_and_whole_tests(sdist, known):
    made = re.compile(r"PKG-INFO|setup\.cfg|fastvec\.egg-info/.*")
    names = {name for name in sdist[0] if not made.fullmatch(name)}
    assert names == {name for name in known if not name.startswith(".")}
    assert {"setup.py", "fastvec/kernels/vector.h", "tests/conftest.py", "tests/objectives.py"} <= names


def test_setuptools_has_nothing_to_warn_of(sdist):
    assert [line for line in sdist[1].splitlines() if "warning" in line.lower()] == []


def test_the_version_is_the_same_everywhere():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^version: (.*)$", citation, re.MULTILINE)[1] == fastvec.__version__
    assert re.search(r"^## \[(.*)\]", changelog, re.MULTILINE)[1] == fastvec.__version__


USE_CLANG = """
import json
from types import SimpleNamespace
from setuptools import build_meta  # which brings distutils to Pythons that have none
from distutils.core import run_setup

distribution = run_setup("setup.py", stop_after="init")
command = distribution.get_command_obj("build_ext")
command.extensions = distribution.ext_modules
command.compiler = SimpleNamespace(initialized=True, cc="cl.exe", compile_options=["/O2", "/GL"])
command.use_clang()
flags = sorted({flag for extension in command.extensions for flag in extension.extra_compile_args})
print(json.dumps([command.compiler.cc, command.compiler.compile_options, flags]))
"""


def test_windows_compiles_by_clang(tree, tmp_path, monkeypatch):
    """Only Windows has the headers for it: what is looked at is how clang-cl would be called."""
    clang = tmp_path / "clang-cl.exe"
    clang.touch(0o755)
    monkeypatch.setenv("CC", str(clang))
    monkeypatch.setenv("_PYTHON_HOST_PLATFORM", "win-amd64")
    compiler, options, flags = json.loads(in_tree(tree, USE_CLANG).splitlines()[-1])
    assert compiler == str(clang)
    assert options == ["/O2", "--target=x86_64-pc-windows-msvc"]
    assert {"/clang:-O3", "/clang:-march=x86-64-v4"} <= set(flags)
    assert all(flag.startswith("/clang:-") for flag in flags)


def test_windows_without_clang_says_what_to_install(tree, monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    code = f"try:\n exec({USE_CLANG!r})\nexcept SystemExit as error:\n print(error)"
    assert "fastvec needs Clang on Windows, and clang-cl is not on PATH: install LLVM" in in_tree(tree, code)


X86_64, AARCH64 = {"baseline", "avx2", "avx512"}, {"baseline", "neon"}


@pytest.mark.parametrize(
    ("target", "flags", "sets"),
    [
        ("linux-x86_64", "", X86_64),
        ("linux-aarch64", "", AARCH64),
        ("macosx-11.0-arm64", "", AARCH64),
        ("macosx-10.13-universal2", "-arch arm64", AARCH64),
        ("macosx-10.13-universal2", "-arch x86_64", X86_64),
        ("win-amd64", "", X86_64),
        ("win-arm64", "", AARCH64),
        ("mingw_x86_64_clang", "", X86_64),
        ("linux-riscv64", "", {"baseline"}),
        ("linux-i686", "", {"baseline"}),
    ],
)
def test_a_build_has_the_sets_of_its_target(monkeypatch, target, flags, sets):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("_PYTHON_HOST_PLATFORM", target)
    monkeypatch.setenv("ARCHFLAGS", flags)
    build = runpy.run_path("setup.py")
    assert {row.name for row in build["instruction_sets"]()} == sets
    assert "universal2" not in os.environ["_PYTHON_HOST_PLATFORM"]  # which names the wheel


def test_a_build_for_two_architectures_is_refused(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("_PYTHON_HOST_PLATFORM", "macosx-10.13-universal2")
    monkeypatch.setenv("ARCHFLAGS", "-arch arm64 -arch x86_64")
    with pytest.raises(SystemExit, match="ARCHFLAGS must name one architecture"):
        runpy.run_path("setup.py")["architecture"]()


def test_a_build_in_place_removes_what_would_be_imported_before_it(monkeypatch, tmp_path):
    build = runpy.run_path(str(ROOT / "setup.py"))
    folder = tmp_path / "fastvec" / "kernels" / "baseline"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "fastvec" / "kernels" / "instruction_sets.py", folder.parent)
    older = folder / f"skipgram{sysconfig.get_config_var('EXT_SUFFIX')}"
    others = [folder / "skipgram.abi3.so", folder / "skipgram.cpython-399-other.so"]
    for module in (older, *others):
        module.touch()
    monkeypatch.chdir(tmp_path)
    build["BuildExt"](Distribution()).make_room()
    assert older.exists() != build["LIMITED_API"]
    assert all(module.exists() for module in others)
