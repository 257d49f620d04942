"""What `import fastvec` gives, and what it leaves until it is used."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastvec

pytestmark = pytest.mark.any_backend


def output(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def test_modules_are_imported_when_they_are_used():
    shown = output(
        "import sys, fastvec\n"
        "def loaded(*words):\n"
        "    print(*(any(word in name.split('.') for name in sys.modules) for word in words))\n"
        "loaded('numpy', 'vectors', 'models', 'sklearn')\n"
        "fastvec.load\n"
        "loaded('numpy', 'vectors', 'models', 'sklearn')\n"
        "fastvec.SkipGram\n"
        "loaded('numpy', 'vectors', 'models', 'sklearn')\n"
    )
    assert shown.splitlines() == ["False False False False", "True True False False", "True True True False"]


@pytest.mark.parametrize("name", ["classify", "corpus", "evaluate", "functional", "vectors"])
def test_public_modules_are_attributes(name):
    assert output(f"import fastvec; print(fastvec.{name}.__name__)") == f"fastvec.{name}\n"


VERBS_ALONE = """
import importlib, os
from fastvec import cli
for module in sorted({module for module, _ in cli.VERBS.values()}):
    if os.fork() == 0:
        importlib.import_module(f"fastvec.cli.{module}")
        os._exit(0)
    assert os.wait()[1] == 0, module
    print(module)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked")
def test_verbs_need_no_module_that_others_have_imported():
    assert {"train", "classifiers", "vectors"} < set(output(VERBS_ALONE).split())


def test_every_name_is_what_type_checkers_see():
    tree = ast.parse(Path(fastvec.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen: dict[str, object] = {}
    for statement in block.body:
        exec(ast.unparse(statement), seen)
    del seen["__builtins__"]
    assert sorted(seen) == sorted(["classify", *fastvec.__all__])
    assert set(fastvec.__all__) <= set(dir(fastvec))
    assert all(getattr(fastvec, name) is value for name, value in seen.items())


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"^module 'fastvec' has no attribute 'Word3Vec'$"):
        getattr(fastvec, "Word3Vec")  # noqa: B009
    with pytest.raises(ImportError, match=r"^cannot import name 'Word3Vec' from 'fastvec' \("):
        exec("from fastvec import Word3Vec")


def test_an_import_that_fails_says_what_the_name_is_here():
    with pytest.raises(ImportError, match=r"^cannot import name 'Word2Vec' from 'fastvec': it is Skip"):
        exec("from fastvec import load, Word2Vec")
    assert not hasattr(fastvec, "Word2Vec")
