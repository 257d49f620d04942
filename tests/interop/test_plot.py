"""Maps by openTSNE and matplotlib, and curves of losses."""

import json
import re

import numpy as np
import pytest

import fastvec
from fastvec.cli import main

pytest.importorskip("openTSNE", reason="needs the extra test-interop")
matplotlib = pytest.importorskip("matplotlib", reason="needs the extra test-interop")
matplotlib.use("Agg")

pytestmark = pytest.mark.any_backend(trains=True)


def vectors(n=40, d=5):
    """Words of two kinds, which have different directions."""
    matrix = np.random.default_rng(0).standard_normal((n, d)) / 4
    matrix[: n // 2, 0] += 2
    matrix[n // 2 :, 0] -= 2
    return fastvec.Vectors(["</script><b>", *(f"w{i}" for i in range(1, n))], matrix)


def document(path):
    return json.loads(re.search(r'id="map">(.*)</script>', path.read_text(encoding="utf-8"))[1])


def test_similar_words_are_near_each_other(tmp_path):
    vectors().plot(tmp_path / "map.html", words=30)
    found = document(tmp_path / "map.html")
    assert found["words"][:30] == vectors().words[:30]
    assert len(found["words"]) > 30  # neighbors that are not on the map
    near = vectors().most_similar("w1", topn=10)
    assert [found["words"][i] for i in found["neighbors"][1]] == [word for word, _ in near]
    places = np.array([found["x"], found["y"]]).T
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    kinds = np.arange(30) < 20
    assert (kinds[distances.argmin(axis=1)] == kinds).mean() > 0.9


def test_the_same_seed_draws_the_same_map(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        vectors().plot(tmp_path / f"{name}.html", seed=seed)
    a, b, c = ((tmp_path / f"{name}.html").read_bytes() for name in "abc")
    assert a == b != c


@pytest.mark.parametrize("n", [1, 2, 4, 5, 6])
@pytest.mark.parametrize("d", [1, 3])
def test_few_words_equal_words_and_zeros(tmp_path, n, d):
    for matrix in (np.eye(n, d), np.ones((n, d)), np.zeros((n, d))):
        fastvec.Vectors([f"w{i}" for i in range(n)], matrix).plot(tmp_path / "map.html")
        found = document(tmp_path / "map.html")
        assert np.isfinite([found["x"], found["y"]]).all() and len(found["x"]) == n


def test_pictures(tmp_path):
    words = ["$a_b$", "w1", "w2"]
    some = vectors().with_words(["$a_b$"], [[1, 0, 0, 0, 0]])
    some.plot(tmp_path / "map.png", words)
    assert (tmp_path / "map.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    axes = some.plot(words=words)
    assert {text.get_text() for text in axes.texts} == {*words}
    assert len(axes.collections[0].get_offsets()) == 3
    matplotlib.pyplot.close("all")


def test_a_word_known_by_its_ngrams(tmp_path):
    model = fastvec.FastText(vector_size=4, epochs=1, threads=1, min_count=1)
    model.fit([["garden", "house", "tree"]] * 9)
    model.vectors_.plot(tmp_path / "map.html", ["garden", "gardener"])
    assert document(tmp_path / "map.html")["words"][:2] == ["garden", "gardener"]


def test_the_command(tmp_path, capsys):
    vectors().save(tmp_path / "v.fvec")
    (tmp_path / "words.txt").write_text("w3\nw1\n", encoding="utf-8")
    arguments = ["plot", str(tmp_path / "v.fvec"), "-o", str(tmp_path / "map.html")]
    assert main([*arguments, "--words", str(tmp_path / "words.txt"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["words"] == 2
    assert document(tmp_path / "map.html")["words"][:2] == ["w1", "w3"]
    assert main([*arguments, "-n", "7"]) == 0
    assert capsys.readouterr().out.startswith("7 words; saved in ")


def test_losses_of_every_epoch():
    model = fastvec.SkipGram(vector_size=2, epochs=3, threads=1).fit([["a", "b"]] * 9)
    axes = model.plot_history()
    (line,) = axes.lines
    assert line.get_xdata().tolist() == [1, 2, 3]
    assert line.get_ydata().tolist() == [epoch.loss for epoch in model.history_]
    assert model.plot_history(ax=axes) is axes and len(axes.lines) == 2
    matplotlib.pyplot.close("all")


def test_validation_scores():
    from fastvec.classify import TextClassifier

    texts, labels = ["good fine", "bad poor"] * 20, ["yes", "no"] * 20
    model = TextClassifier(vector_size=2, epochs=2, early_stopping=True, threads=1).fit(texts, labels)
    axes = model.plot_history()
    (scores,) = axes.figure.axes[1].lines
    assert scores.get_ydata().tolist() == [epoch.validation_score for epoch in model.history_]
    matplotlib.pyplot.close("all")
