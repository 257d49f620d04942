"""The docstrings say what the code does today: their examples run, and they describe every parameter."""

import dataclasses
import doctest
import importlib
import inspect
import pkgutil
import re

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

import fastvec
import fastvec.classify

MODULES = [
    module.name
    for module in pkgutil.walk_packages(fastvec.__path__, "fastvec.")
    if not module.name.startswith("fastvec.kernels") and not module.name.endswith(".__main__")
]
# Of what is public, these are in modules without examples.
WITHOUT_EXAMPLES = {fastvec.UnknownWordError, fastvec.Vocabulary, fastvec.load}
WITH_EXAMPLES = {"fastvec", "fastvec.classify"} | {
    getattr(item, "__module__", item.__name__)
    for offered in (fastvec, fastvec.classify)
    for item in (getattr(offered, name) for name in offered.__all__)
    if item not in WITHOUT_EXAMPLES
}


@pytest.mark.parametrize("name", ["fastvec", *MODULES])
def test_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert failed == 0
    assert tried > 0 or name not in WITH_EXAMPLES


def public():
    """Yield the names of all public classes and functions, and of the methods that are fastvec's own."""
    for module in (
        "fastvec",
        "fastvec.classify",
        "fastvec.distributed",
        "fastvec.evaluate",
        "fastvec.functional",
        "fastvec.presets",
    ):
        members = importlib.import_module(module)
        for name in members.__all__:
            item = getattr(members, name)
            if inspect.ismodule(item):
                continue
            yield f"{module}.{name}"
            for method, function in inspect.getmembers(item, inspect.isroutine):
                if not method.startswith("_") and (getattr(function, "__module__", None) or "").startswith(
                    "fastvec"
                ):
                    yield f"{module}.{name}.{method}"


PUBLIC = sorted(public())
CLASSES = [name for name in PUBLIC if name.rpartition(".")[2][0].isupper()]
# Every parameter is there and no other, in this order, with type and description; so is what is returned.
ASKED = {"GL08", "PR01", "PR02", "PR03", "PR04", "PR07", "RT01"}


def resolve(name):
    module, _, item = name.rpartition(".")
    return getattr(importlib.import_module(module), item)


def missing(name):
    """Return what numpydoc finds missing in a docstring."""
    return [text for code, text in validate(name)["errors"] if code in ASKED]


def is_a_result(name):
    """Whether a class is a record that functions return, whose fields are its attributes."""
    return dataclasses.is_dataclass(resolve(name)) and resolve(name).__dataclass_params__.frozen


@pytest.mark.any_backend(trains=True)
def test_there_is_much_to_look_at():
    assert {"fastvec.CBOW", "fastvec.CBOW.fit", "fastvec.classify.TextClassifier", "fastvec.load"} <= set(
        PUBLIC
    )
    assert len(PUBLIC) > 100 and len(CLASSES) > 20


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize("name", PUBLIC)
def test_every_parameter_is_described(name):
    if name in CLASSES and is_a_result(name):
        fields = [field.name for field in dataclasses.fields(resolve(name))]
        assert [entry.name for entry in NumpyDocString(resolve(name).__doc__)["Attributes"]] == fields
    else:
        assert missing(name) == []


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize("name", CLASSES)
def test_a_class_describes_its_parameters_in_full(name):
    described = NumpyDocString(inspect.getdoc(resolve(name)))
    entries = described["Parameters"]
    if not is_a_result(name):
        assert [entry.name.lstrip("*") for entry in entries] == list(
            inspect.signature(resolve(name)).parameters
        )
    for entry in [*entries, *described["Attributes"]]:
        assert not re.match(r"(As|See|The same as) ", entry.desc[0]), f"{entry.name} refers to another class"


def careless(one, two):
    """Return something.

    Parameters
    ----------
    one : int
        The first.
    three : int
        There is none.
    """


@pytest.mark.any_backend(trains=True)
def test_a_parameter_that_is_not_described_is_found(monkeypatch):
    monkeypatch.setattr(fastvec, "careless", careless, raising=False)
    assert missing("fastvec.careless") == [
        "Parameters {'two'} not documented",
        "Unknown parameters {'three'}",
    ]
