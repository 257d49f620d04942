"""The examples in the docstrings say what the code does today."""

import doctest
import importlib
import pkgutil

import pytest

import fastvec

MODULES = [
    module.name
    for module in pkgutil.walk_packages(fastvec.__path__, "fastvec.")
    if not module.name.startswith("fastvec.kernels") and module.name != "fastvec.__main__"
]
WITH_EXAMPLES = {
    "fastvec",
    "fastvec.classify",
    "fastvec.classify._labelled_files",
    "fastvec.classify._loading",
    "fastvec.classify.ranker",
    "fastvec.classify.softmax",
    "fastvec.classify.text",
    "fastvec.classify.text_vectorizer",
    "fastvec.classify.two_layer",
    "fastvec.classify.window",
    "fastvec.corpus",
    "fastvec.evaluate",
    "fastvec.functional",
    "fastvec.gradcheck",
    "fastvec.models._loading",
    "fastvec.models.cooccurrence",
    "fastvec.models.fasttext",
    "fastvec.models.glove",
    "fastvec.models.phrases",
    "fastvec.models.svd",
    "fastvec.models.word2vec",
    "fastvec.subword_vectors",
    "fastvec.vectors",
}


@pytest.mark.parametrize("name", ["fastvec", *MODULES])
def test_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert failed == 0
    assert tried > 0 or name not in WITH_EXAMPLES
