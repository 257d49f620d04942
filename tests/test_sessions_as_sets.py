"""`window=None`: in expectation, every word meets all others of its sentence alike."""

import re

import numpy as np
import pytest
from inside import set_sizes

import fastvec

pytestmark = pytest.mark.any_backend(trains=True)

STEP = 1e-6


def pairs_met(sessions, epochs=1, **given):
    """Return how often each pair (centre, context) was trained on, by first words.

    Output vectors start from zero, and input vectors here as rows of a unit matrix, so that after steps which
    are too small to matter, output vector o has −STEP · Σ (p − t) over its pairs at context c: it is STEP for
    each pair (o, c), less STEP / n_words for every pair that c is the context of.
    """
    n = 1 + max(map(max, sessions))
    model = fastvec.SkipGram(
        vector_size=n, window=None, min_count=1, loss="softmax", epochs=epochs, subsample=0, threads=1,
        learning_rate=STEP, min_learning_rate=STEP, seed=3, **given,
    )  # fmt: skip
    model.fit(sessions, start_from=fastvec.Vectors(list(range(n)), np.eye(n)))
    rows = [model.vocabulary_.index[str(item)] for item in range(n)]
    met = model.output_vectors_[rows].astype(np.float64) / STEP
    met -= met.diagonal()  # no word meets itself: what is left there is what was taken from all
    assert np.abs(met - met.round()).max() < 0.1
    return met.round().astype(int)


def test_short_sentences_are_all_their_pairs():
    sessions = [[0, 1, 2, 3, 4, 5, 6], [7], [8, 9], [*range(10, 21)]]
    expected = np.zeros((21, 21), int)
    for session in sessions:
        expected[np.ix_(session, session)] = 1
    np.fill_diagonal(expected, 0)
    assert (pairs_met(sessions) == expected).all()


def test_all_pairs_of_a_long_sentence_are_equally_likely():
    n, epochs = 30, 300
    met = pairs_met([[*range(n)]], epochs)
    probability = 10 * (2 * n - 11) / (n * (n - 1))
    assert met.sum() == round(epochs * n * (n - 1) * probability)
    assert (met == met.T).all()
    counts = met[np.triu_indices(n, 1)]
    z = (counts - epochs * probability) / np.sqrt(epochs * probability * (1 - probability))
    assert np.abs(z).max() < 4.5  # of 435: beyond it is one in a thousand
    assert 0.8 < (z**2).mean() < 1.2


def test_chunks_do_not_matter(monkeypatch):
    sessions = [[*range(25)], [25, 26], [*range(27, 60)]]
    whole = pairs_met(sessions)
    for chunk in (1, 7, 30):
        set_sizes(monkeypatch, words_chunk=chunk)
        assert (pairs_met(sessions) == whole).all()


def test_every_epoch_and_seed_has_an_order_of_its_own():
    sessions = [[*range(40)]]
    one, two = pairs_met(sessions), pairs_met(sessions, 2)
    assert one.max() == 1 and ((two >= one).all() and (two != 2 * one).any())


BASKETS = [["bread", "butter", "jam"], ["beer", "crisps"], ["bread", "jam"]] * 30


@pytest.mark.parametrize("estimator", [fastvec.SkipGram, fastvec.CBOW])
@pytest.mark.parametrize("threads", [{"threads": 1}, {"threads": 2, "deterministic": True}])
def test_the_same_seed_gives_the_same_vectors(tmp_path, estimator, threads):
    settings = {"vector_size": 8, "window": None, "min_count": 1, "epochs": 20, **threads}
    model = estimator(**settings).fit(BASKETS)
    assert (model.vectors_.vectors == estimator(**settings).fit(BASKETS).vectors_.vectors).all()
    assert model.predict(["beer"], topn=1)[0][0] == "crisps"
    model.save(tmp_path / "model.fvec")
    assert fastvec.load_model(tmp_path / "model.fvec").window is None
    assert model.check_gradient(BASKETS[:3]).ok()


def test_a_sentence_is_scored_as_a_whole():
    settings = {"vector_size": 8, "min_count": 1, "epochs": 3, "loss": "softmax", "threads": 1, "seed": 5}
    model = fastvec.SkipGram(window=None, **settings).fit(BASKETS)
    wide = fastvec.SkipGram(window=2, dynamic_window=False, **settings).fit(BASKETS, start_from=model)
    long = [["bread", "beer", "jam", "butter", "crisps", "jam", "beer"]]
    scores = model.score([long[0], long[0][::-1]])
    assert scores[0] == pytest.approx(scores[1], rel=1e-6)
    assert wide.score(long)[0] > scores[0]  # it has fewer pairs


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (fastvec.FastText(window=None), "window must be an int from 1 to 1000, got None"),
        (fastvec.CBOW(window=None, position_weights=True), "position_weights must be False with window=None"),
        (
            fastvec.SkipGram(window=None, min_count=1),
            "window must be an int where a sentence has more than 4 words, got None for one of 5: give",
        ),
    ],
)
def test_errors(monkeypatch, model, message):
    set_sizes(monkeypatch, longest_session=4)
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        model.fit([["a", "b", "c", "d", "e"]] * 10)


def test_lanes_have_windows():
    with pytest.raises(ValueError, match="window must be an int to be trained in lanes, got None"):
        fastvec.distributed.fit(fastvec.SkipGram(window=None), BASKETS, lanes=2)
