"""The layout holds: dependencies run one way, a module is of one idea, some things never come in."""

import ast
import functools
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.any_backend

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "fastvec"
SOURCES = sorted(PACKAGE.rglob("*.py"))
COMPILED = sorted([*PACKAGE.rglob("*.pyx"), *PACKAGE.rglob("*.pxd")])

# The rooms in the order in which they may use each other: a module imports from rooms further up, or its own.
ROOMS = [
    "_params",
    "peers",
    "reference",
    "kernels",
    "training",
    "formats",
    "exports",
    "corpus",
    "graphs",
    "vectors",
    "evaluate",
    "functional",
    "presets",
    "finite_differences",
    "counts",
    "models",
    "demo",
    "classify.labelled_files",
    "classify.networks",
    "classify.words",
    "classify.texts",
    "classify",
    "tuning",
    "distributed",
    "__init__",
    "cli",
    "__main__",
]
# What a room does not use although it comes first.
NOT_USED = {
    "reference": {"_params"},
    "kernels": {"_params"},
    "training": {"reference", "kernels"},
    "functional": set(ROOMS),
    "presets": set(ROOMS) - {"_params", "training"},
    "evaluate": {"kernels"},
    "classify.networks": {"counts", "models", "evaluate", "demo"},
    "classify.words": {"counts", "models", "evaluate", "demo"},
    "classify.texts": {"counts", "models", "evaluate", "demo"},
    "classify": {"counts", "models", "evaluate", "demo"},
    "demo": {"evaluate", "functional", "finite_differences"},
    "tuning": {"functional", "demo", "classify"},
    "distributed": {"classify", "evaluate", "demo", "tuning"},
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


@functools.cache
def parsed(path):
    """The syntax tree of a file, which nothing here changes."""
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def graph():
    return {
        name: imports(parsed(path), name, path.name == "__init__.py", MODULES)
        for name, path in MODULES.items()
        if path.suffix == ".py"
    }


def room(name):
    """The room of a module, or None."""
    while name and name not in ROOMS:
        name = name.rpartition(".")[0]
    return name or None


def violations(edges):
    found = []
    for name, imported in edges.items():
        own = room(name)
        if own is None:
            found.append(f"{name} is in no room")
            continue
        usable = {*ROOMS[: ROOMS.index(own) + 1]} - (NOT_USED.get(own, set()) - {own})
        found += [f"{name} uses {other}" for other in sorted(imported) if room(other) not in usable]
    return found


def test_dependencies_run_one_way():
    edges = graph()
    assert {"_params", "vectors.vectors", "formats.fvec", "evaluate", "reference.skipgram"} <= set(edges)
    assert "_params" in edges["vectors.vectors"] and "reference.sampling" in edges["reference.skipgram"]
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
        ("vectors.vectors", "def f():\n    from fastvec import models", "vectors.vectors uses models"),
        ("vectors.vectors", "import fastvec.models.word2vec", "vectors.vectors uses models.word2vec"),
        ("vectors.vectors", "from ..models import word2vec", "vectors.vectors uses models.word2vec"),
        ("formats.fvec", "from fastvec.vectors import Vectors", "formats.fvec uses vectors"),
        ("formats.fvec", "from fastvec import Vectors", "formats.fvec uses __init__"),
        ("training.loop", "from fastvec import kernels", "training.loop uses kernels"),
        ("_params", "from fastvec import kernels", "_params uses kernels"),
        ("reference.skipgram", "import fastvec.training.loop", "reference.skipgram uses training.loop"),
        ("reference.skipgram", "from .._params import check_int", "reference.skipgram uses _params"),
        ("classify.words.ranker", "import fastvec.models", "classify.words.ranker uses models"),
        ("models.word2vec", "from fastvec.cli import main", "models.word2vec uses cli"),
        ("cooking", "", "cooking is in no room"),
    ],
)  # fmt: skip
def test_the_check_of_dependencies_can_fail(name, source, expected):
    edges = graph() | {name: imports(ast.parse(source), name, is_package=False, modules=MODULES)}
    assert expected in violations(edges)


def strings(tree):
    """Strings of a Python file, without its docstrings."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]


# What is public, beside the kernels and their references, of which tests are a contract.
PUBLIC = {
    "__init__",
    "classify",
    "cli",
    "corpus",
    "demo",
    "distributed",
    "evaluate",
    "functional",
    "finite_differences",
    "presets",
    "vectors",
}
# The tests that use something else, and why.
INSIDE = {
    "inside.py": "what all others use: small sizes, functions that are watched, tables for kernels",
    "test_cli_options.py": "options are made from any function's signature and docstring",
    "test_formats.py": "a format is a row of a table; files hold more than `Vectors` takes",
    "test_glove.py": "which tiles there are, and whose turn it is, changes no result",
    "test_going_on.py": "ids are translated once, and where nothing is to translate, never",
    "test_huffman.py": "trees of any counts, and trees that are damaged",
    "test_losses.py": "every row of the table of losses has a model",
    "test_mapped.py": "headers that no file of fastvec's has",
    "test_optimizers.py": "the formulas of optimizers, one step after the other",
    "test_parameter_types.py": "the types of numbers that checks return",
    "test_progress.py": "what is shown at which time",
    "test_signals.py": "in which order signals are held and let go",
}


def dotted(node):
    """An attribute with the names before it: ``fastvec.vectors.Vectors``."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([getattr(node, "id", ""), *reversed(names)])


def private_modules(source):
    """What a test uses of fastvec that is not public: by import, as an attribute, or named in a string."""
    tree = ast.parse(source)
    used = imports(tree, "tests", is_package=False, modules=MODULES)
    texts = [
        *strings(tree),
        *(dotted(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)),
    ]
    for text in texts:
        for base, item in re.findall(r"\bfastvec((?:\.\w+)*)(?: import (\w+))?", text):
            name = ".".join(filter(None, [base[1:], item]))
            while name and name not in MODULES:
                name = name.rpartition(".")[0]
            used.add(name or "__init__")
    return {name for name in used - PUBLIC if room(name) not in {"kernels", "reference"}}


def test_few_tests_use_what_is_not_public():
    tests = [path for path in Path(__file__).parent.rglob("*.py") if path.name != Path(__file__).name]
    using = {path.name for path in tests if private_modules(path.read_text(encoding="utf-8"))}
    assert using == set(INSIDE)
    assert len(INSIDE) <= 12


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from fastvec.training.loop import train", {"training.loop"}),
        ("def f():\n    from fastvec.corpus import reading", {"corpus.reading"}),
        ("from fastvec.corpus import Corpus\nfrom fastvec.corpus.corpus import Corpus", {"corpus.corpus"}),
        ("import fastvec.models.glove", {"models.glove"}),
        ("import fastvec\nfastvec.vectors.vectors.unit_rows(x)", {"vectors.vectors"}),
        ("patch.setattr('fastvec.formats.spool.BLOCK_ITEMS', 1)", {"formats.spool"}),
        ("PROGRAM = 'import sys\\nfrom fastvec import formats'", {"formats"}),
        (
            "from fastvec import Vectors, classify, cli, kernels\ncli.main(['fastvec.Vectors'])",
            set(),
        ),
        ("from fastvec.reference.sampling import draw\nfrom fastvec.kernels import cpu", set()),
    ],
)
def test_the_check_of_what_tests_use_can_fail(source, expected):
    assert private_modules(source) == expected


def test_only_one_module_knows_where_the_kernels_are():
    naming = {
        module_name(path)
        for path in SOURCES
        if any(re.match(r"fastvec\.(kernels|reference)\b", text) for text in strings(parsed(path)))
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


def test_modules_are_of_one_idea():
    """Eight files at the root, ten names a module, and none that is a part of another."""
    files = [path.name for path in PACKAGE.iterdir() if path.suffix in {".py", ".typed", ".pyx", ".pyi"}]
    assert len(files) == 8
    for path in SOURCES:
        offered = [
            [item.value for item in node.value.elts]
            for node in parsed(path).body
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
        ]
        if path.name != "__init__.py":
            assert sum(map(len, offered)) <= 10, f"{module_name(path)} offers {offered[0]}"
        names = {other.stem for other in path.parent.glob("*.py")} - {path.stem}
        cut_off = [name for name in names if path.stem.startswith(f"{name}_")]
        assert cut_off == [], f"{path.parent.name}: {path.stem} is named after {cut_off[0]}"


def test_no_pickle():
    pickling = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
    for path in SOURCES:
        for node in ast.walk(parsed(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not pickling & {name.partition(".")[0] for name in names}, f"{path.name} imports {names}"
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert isinstance(node.value, ast.Constant) and node.value.value is False, path.name


def test_flags_of_a_build_that_ships():
    """No flag that builds for this machine alone or that changes what floating-point numbers mean."""
    unwanted = re.compile(r"-m(arch|tune|cpu)=native|-Ofast|-f(no-)?fast-math|-ffinite-math|-funsafe-math")
    sources = (ROOT / "setup.py", PACKAGE / "kernels/instruction_sets.py")
    flags = [text for path in sources for text in strings(parsed(path))]
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
