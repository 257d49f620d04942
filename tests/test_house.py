"""The layout of the house holds: dependencies run one way, files stay short, some things never come in."""

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.any_backend

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "fastvec"
SOURCES = sorted(PACKAGE.rglob("*.py"))
COMPILED = sorted([*PACKAGE.rglob("*.pyx"), *PACKAGE.rglob("*.pxd")])

# What a module may depend on, at any remove. Modules whose name starts with an underscore and that are not in
# the table belong to whoever imports them: they are looked through. A package stands for all of its modules.
TRAINING = {"_training", "kernels", "_sampling", "_params"}
CORPUS = {"corpus", "vocabulary", "kernels", "_params"}
VECTORS = {"vectors", "subword_vectors", "formats", "kernels", "_params"}
MAY_REACH = {
    "__init__": None,  # the public names: anything
    "__main__": None,
    "cli": None,
    "demo": {"models", *TRAINING, *CORPUS, *VECTORS},
    "models": {"models", *TRAINING, *CORPUS, *VECTORS},
    "classify": {"classify", "functional", "gradcheck", "_training", *CORPUS, *VECTORS},
    "_training": TRAINING - {"_training"},
    "corpus": CORPUS - {"corpus"},
    "vocabulary": {"_params"},
    "evaluate": {"vectors", "formats", "kernels", "_params"},
    "subword_vectors": {"vectors", "formats", "kernels", "_params"},
    "vectors": {"formats", "kernels", "_params"},
    "formats": {"kernels", "_params"},  # n-grams make vectors
    "functional": set(),
    "gradcheck": {"_params"},
    "_sampling": {"_params"},
    "_params": set(),
    "kernels": {"kernels"},
    "reference": {"reference"},
}


def module_name(path):
    """Dotted name inside the package: ``models.word2vec``, ``models``, ``cli``; ``__init__`` for its root."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {module_name(path): path for path in SOURCES} | {"kernels.cpu": PACKAGE / "kernels" / "cpu.pyi"}


def imports(tree, name, is_package, modules):
    """Modules of fastvec that a module imports, at its top, inside functions or for type checkers."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = ["fastvec", *([] if name == "__init__" else name.split("."))]
                package = package if is_package else package[:-1]
                package = package[: len(package) - node.level + 1]
                base = ".".join([*package, *filter(None, [base])])
            targets = [(base, alias.name) for alias in node.names]
        else:
            continue
        for module, item in targets:
            if module.partition(".")[0] != "fastvec" or (module, item) == ("fastvec", "__version__"):
                continue
            inside = ".".join(filter(None, [module.partition(".")[2], item]))
            while inside and inside not in modules:
                inside = inside.rpartition(".")[0]
            found.add(inside or "__init__")
    return found


def graph():
    return {
        name: imports(ast.parse(path.read_text()), name, path.name == "__init__.py", MODULES)
        for name, path in MODULES.items()
        if path.suffix == ".py"
    }


def family(name):
    """The entry of the table that a module belongs to, or None for a private helper."""
    first = name.partition(".")[0]
    return first if first in MAY_REACH else None


def reached(name, edges):
    """Entries of the table that a module depends on; helpers are looked through."""
    found, seen, ahead = set(), set(), list(edges[name])
    while ahead:
        module = ahead.pop()
        if module in seen:
            continue
        seen.add(module)
        entry = family(module)
        if entry:
            found.add(entry)
        if entry is None or entry == family(name):
            ahead += edges.get(module, ())
    return found


def violations(edges):
    found = []
    for name in edges:
        entry = family(name)
        if entry is None:
            if not name.startswith("_"):
                found.append(f"{name} is not in the table of this test: what may it depend on?")
            continue
        if MAY_REACH[entry] is not None:
            found += [
                f"{name} depends on {other}" for other in sorted(reached(name, edges) - MAY_REACH[entry])
            ]
    return found


def test_dependencies_run_one_way():
    edges = graph()
    assert {"_params", "vectors", "formats", "evaluate", "kernels", "reference.skipgram"} <= set(edges)
    assert "_params" in edges["vectors"] and "reference.sampling" in edges["reference.skipgram"]
    assert violations(edges) == []


def test_no_module_imports_itself_around_a_corner():
    edges = graph()
    finished, path = set(), []

    def visit(name):
        assert name not in path, f"circle: {' -> '.join([*path[path.index(name) :], name])}"
        if name not in finished:
            path.append(name)
            for other in edges.get(name, ()):
                visit(other)
            finished.add(path.pop())

    for name in edges:
        visit(name)


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("vectors", "def f():\n    from fastvec import corpus", "vectors depends on corpus"),
        ("vectors", "import fastvec.models.word2vec", "vectors depends on models"),
        ("vectors", "from .models import word2vec", "vectors depends on models"),
        ("formats", "from fastvec.vectors import Vectors", "formats depends on vectors"),
        ("formats", "from fastvec import Vectors", "formats depends on __init__"),
        ("formats", "from fastvec._helper import anything", "formats depends on vectors"),
        ("vocabulary", "from fastvec.corpus import Corpus", "vocabulary depends on corpus"),
        ("_params", "from fastvec import _backends", "_params depends on _backends"),
        ("reference.skipgram", "import fastvec.training.tables", "reference.skipgram depends on _sampling"),
        ("reference.skipgram", "from .._params import check_int", "reference.skipgram depends on _params"),
        ("models.word2vec", "from ..kernels.avx2 import skipgram", "models.word2vec depends on kernels"),
        ("models.word2vec", "from fastvec.cli import main", "models.word2vec depends on cli"),
        ("cooking", "", "cooking is not in the table of this test: what may it depend on?"),
    ],
)  # fmt: skip
def test_the_check_of_dependencies_can_fail(name, source, expected):
    modules = {
        *MODULES,
        name,
        "corpus",
        "cli",
        "models",
        "models.word2vec",
        "kernels",
        "kernels.avx2",
        "_helper",
    }
    edges = graph() | {name: imports(ast.parse(source), name, is_package=False, modules=modules)}
    edges["_helper"] = {"vectors"}
    assert expected in violations(edges)


def strings(path):
    """Strings of a Python file, without its docstrings."""
    tree = ast.parse(path.read_text())
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said
    ]


def test_only_backends_knows_where_the_kernels_are():
    naming = {
        module_name(path)
        for path in SOURCES
        if any(re.match(r"fastvec\.(kernels|reference)\b", text) for text in strings(path))
    }
    assert naming == {"kernels"}


def test_kernels_import_no_python_of_fastvec():
    assert COMPILED
    declarations = {path.stem for path in (PACKAGE / "kernels").glob("*.pxd")}
    own = re.compile(
        r"^\s*(?:from\s+(\.[\w.]*)\s+(cimport|import)|.*\bfastvec\b.*\b(?:c?import)\b)", re.MULTILINE
    )
    relative = 0
    for path in COMPILED:
        for match in own.finditer(path.read_text()):
            assert match[1], f"{path.name}: {match[0].strip()}"
            assert match[2] == "cimport" and match[1][1:] in declarations, f"{path.name}: {match[0].strip()}"
            relative += 1
    assert relative


def test_files_are_of_one_idea():
    folders = [ROOT / name for name in ("fastvec", "tests", "bench")]
    files = [path for folder in folders for path in folder.rglob("*")]
    files += [*ROOT.glob("*.py")]
    written = [path for path in files if path.suffix in {".py", ".pyx", ".pxd", ".pyi", ".h"}]
    assert len(written) > 20
    too_long = {path.name: n for path in written if (n := len(path.read_text().splitlines())) > 500}
    assert too_long == {}


def test_no_pickle():
    pickling = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not pickling & {name.partition(".")[0] for name in names}, f"{path.name} imports {names}"
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert isinstance(node.value, ast.Constant) and node.value.value is False, path.name


def test_flags_of_a_build_that_ships():
    """No flag that builds for this machine alone or that changes what floating-point numbers mean."""
    unwanted = re.compile(r"-m(arch|tune|cpu)=native|-Ofast|-f(no-)?fast-math|-ffinite-math|-funsafe-math")
    flags = strings(ROOT / "setup.py") + strings(PACKAGE / "kernels/instruction_sets.py")
    assert "-O3" in flags
    shell = [path for path in (ROOT / "Makefile", ROOT / ".ci" / "run") if path.exists()]
    lines = [line.partition("#")[0] for path in shell for line in path.read_text().splitlines()]
    lines += (ROOT / "pyproject.toml").read_text().splitlines()
    assert [text for text in [*flags, *lines] if unwanted.search(text)] == []
    for path in [*COMPILED, *PACKAGE.rglob("*.h")]:
        text = path.read_text()
        pragma = r"#\s*pragma\s+(GCC|clang)\s+(optimize|target)|__attribute__.*optimize"
        assert not re.search(pragma, text), path
        assert not re.search(r"#\s*distutils", text), path  # flags are in one place, setup.py


def test_what_the_package_ships_is_declared():
    """Every package is in the table of setuptools: a forgotten one would be missing from the wheel."""
    tomllib = pytest.importorskip("tomllib")
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    packages = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for suffix in ("py", "pyx")
        for path in PACKAGE.rglob(f"*.{suffix}")
    }
    assert set(declared) == packages
