"""The files of TensorBoard's projector, and the errors of libraries that are not installed."""

import sys

import numpy as np
import pytest

import fastvec

pytestmark = pytest.mark.any_backend

WORDS = ["paris", "Zürich", "new york"]
MATRIX = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)


def fields(path):
    return [line.split("\t") for line in path.read_bytes().decode().split("\n")[:-1]]


def test_files_of_the_projector(tmp_path):
    folder = tmp_path / "a" / "b"
    fastvec.Vectors(WORDS, MATRIX).to_projector(folder)
    np.testing.assert_array_equal(np.array(fields(folder / "vectors.tsv"), np.float32), MATRIX)
    assert fields(folder / "metadata.tsv") == [[word] for word in WORDS]
    fastvec.Vectors(WORDS, MATRIX.astype(np.float16), [3, 2, 1]).to_projector(folder)
    np.testing.assert_array_equal(
        np.array(fields(folder / "vectors.tsv"), np.float32), MATRIX.astype(np.float16)
    )
    assert fields(folder / "metadata.tsv") == [
        ["word", "count"],
        ["paris", "3"],
        ["Zürich", "2"],
        ["new york", "1"],
    ]


@pytest.mark.parametrize("word", ["a\tb", "a\nb", "", " ", "a\u2028b"])
def test_words_that_the_projector_cannot_show(tmp_path, word):
    with pytest.raises(ValueError, match=r"which metadata\.tsv cannot hold; leave it out"):
        fastvec.Vectors([*WORDS[:2], word], MATRIX).to_projector(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("method", "arguments", "package", "extra"),
    [
        ("to_pandas", [], "pandas", "pandas"),
        ("to_arrow", [], "pyarrow", "arrow"),
        ("from_arrow", [None], "pyarrow", "arrow"),
        ("to_torch", [], "torch", "torch"),
        ("to_usearch", ["v.usearch"], "usearch", "usearch"),
    ],
)
def test_a_library_that_is_not_installed(monkeypatch, method, arguments, package, extra):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"{package}.index", raising=False)
    with pytest.raises(ImportError, match=rf"^{method} needs {package}: pip install 'fastvec\[{extra}\]'$"):
        getattr(fastvec.Vectors(WORDS, MATRIX), method)(*arguments)
