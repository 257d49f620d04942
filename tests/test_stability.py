"""Intervals hold what they are meant to, planted neighbors are certain, words without a context are noise."""

import os
import random
import signal
from copy import copy
from itertools import combinations

import numpy as np
import pytest
from interrupts import can_be_interrupted
from scipy.stats import t as student

import fastvec
from fastvec import PPMI_SVD, FastText, GloVe, SkipGram, Stability

pytestmark = pytest.mark.any_backend(trains=True)

TOPICS = 5


def text(n, seed=0):
    """Sentences on a topic, each with one of two synonyms and a word that is in those of all topics."""
    generator = random.Random(seed)
    sentences = []
    for _ in range(n):
        topic = generator.randrange(TOPICS)
        words = [f"topic{topic}{generator.randrange(4)}" for _ in range(6)]
        words.insert(3, f"{generator.choice(['a', 'b'])}{topic}")
        words.insert(1, f"anywhere{generator.randrange(12)}")
        sentences.append(words)
    return fastvec.Corpus(sentences)


def svd(**params):
    return PPMI_SVD(**{"vector_size": 8, "window": 3, **params})


@pytest.fixture(scope="module")
def fitted():
    return Stability(svd(), runs=20, threads=2).fit(text(300))


@pytest.mark.any_backend(trains=True)
def test_synonyms_are_certain_and_words_of_all_topics_are_noise(fitted):
    for topic in range(TOPICS):
        neighbors = fitted.most_similar(f"a{topic}", topn=5)
        assert neighbors.certain()[0].word == neighbors[0].word == f"b{topic}"
        assert {row.word[:-1] for row in neighbors.certain()} <= {"b", f"topic{topic}"}
        assert all(row.share >= 0.95 for row in neighbors.certain())
        assert all(row.low <= row.cosine <= row.high for row in neighbors)
    of_noise = [fitted.most_similar(f"anywhere{i}", topn=3) for i in range(10)]
    assert sum(len(neighbors.certain()) for neighbors in of_noise) <= 1
    assert all(row.high - row.low > 0.2 for neighbors in of_noise for row in neighbors)
    certain, noise = fitted.overlap(["a0", "anywhere1"], topn=1)
    assert noise < 0.5 < certain == 1


@pytest.mark.any_backend(trains=True)
def test_what_is_returned_is_what_the_trainings_say(fitted):
    def places(vectors):
        return [word for word, _ in vectors.most_similar("a1", topn=len(vectors))].index("anywhere3") + 1

    ranks = sorted(map(places, fitted.runs_))
    cosines = np.array([vectors.similarity("a1", "anywhere3") for vectors in fitted.runs_])
    row = next(row for row in fitted.most_similar("a1", topn=99) if row.word == "anywhere3")
    reach = student.ppf([0.975, 0.75], 19) * cosines.std(ddof=1)
    assert (row.rank_low, row.rank_high) == (ranks[0], ranks[-1])
    np.testing.assert_allclose(row[1:4], cosines.mean() + np.array([0, -reach[0], reach[0]]), atol=1e-4)
    np.testing.assert_allclose(fitted.similarity("a1", "anywhere3"), row[1:4], atol=1e-6)
    half = copy(fitted).set_params(level=0.5)
    narrow = next(row for row in half.most_similar("a1", topn=99) if row.word == "anywhere3")
    assert (narrow.rank_low, narrow.rank_high) == (ranks[5], ranks[-6])
    assert (narrow.high - narrow.low) / 2 == pytest.approx(reach[1], rel=1e-3)
    answer = fitted.analogy("a1", "b1", "a2", topn=1)
    scores = np.mean([vectors.analogy("a1", "b1", "a2", topn=None) for vectors in fitted.runs_], axis=0)
    assert answer[0].cosine == pytest.approx(scores[fitted.runs_[0].index(answer[0].word)])
    sets = [{word for word, _ in vectors.most_similar("anywhere3", topn=4)} for vectors in fitted.runs_]
    in_common = [len(one & other) / 4 for one, other in combinations(sets, 2)]
    assert fitted.overlap("anywhere3", topn=4) == pytest.approx(np.mean(in_common))
    assert not {"a1", "b1", "a2"} & {row.word for row in fitted.analogy("a1", "b1", "a2", topn=99)}


@pytest.mark.any_backend(trains=True)
def test_an_interval_holds_the_cosine_of_other_texts():
    """Of 95 % intervals made of one text each, about so many hold the mean over texts of the same kind."""
    pairs = [
        ("a0", "a1"),
        ("b2", "topic31"),
        ("topic00", "topic11"),
        ("anywhere3", "a4"),
        ("anywhere0", "b0"),
    ]

    def cosines(vectors):
        return [vectors.similarity(*pair) for pair in pairs]

    model = svd(threads=1, min_count=1)
    truth = np.mean([cosines(model.fit(text(120, seed)).vectors_) for seed in range(60)], axis=0)
    held = []
    for seed in range(100, 120):
        stability = Stability(model, runs=8, seed=seed, threads=1).fit(text(120, seed))
        runs = np.array([*map(cosines, stability.runs_)])
        reach = student.ppf(0.975, 7) * runs.std(axis=0, ddof=1)
        held.append(np.abs(runs.mean(axis=0) - truth) <= reach)
    assert 0.86 < np.mean(held) <= 1


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize(
    "model",
    [
        SkipGram(vector_size=4, epochs=1),
        fastvec.CBOW(vector_size=4, epochs=1, drop=["topic00"], callbacks=[lambda model: True]),
        FastText(vector_size=4, epochs=1, buckets=50),
        GloVe(vector_size=4, epochs=2, combine="concatenate"),
    ],
    ids=lambda model: type(model).__name__,
)
def test_all_models_and_any_number_of_threads(model):
    corpus = text(40)
    one, two, other = (
        Stability(model, runs=5, threads=threads, seed=seed).fit(corpus)
        for threads, seed in [(1, 1), (2, 1), (2, 2)]
    )
    for a, b in zip(one.runs_, two.runs_, strict=True):
        assert a.words == b.words
        np.testing.assert_array_equal(a.vectors, b.vectors)
    assert not np.array_equal(one.runs_[0].vectors, other.runs_[0].vectors)
    assert not np.array_equal(one.runs_[0].vectors, one.runs_[1].vectors)
    assert type(one.runs_[0]) is fastvec.Vectors
    with pytest.raises(AttributeError):
        model.vectors_  # noqa: B018


@pytest.mark.any_backend(trains=True)
def test_rare_words_are_warned_of_and_never_certain():
    rare = [["rare", "a0", "b0", "rare"], ["a0", "rare"], ["b0", "rare"]] * 2
    corpus = fastvec.Corpus([*text(200), *rare])
    stability = Stability(svd(), runs=6, threads=1).fit(corpus)
    places = [stability.runs_[0].index(word) for word in ("rare", "a0")]
    in_sentences = [sum(word in sentence for sentence in corpus) for word in ("rare", "a0")]
    assert stability.sentence_counts_[places].tolist() == in_sentences == [6, in_sentences[1]]
    with pytest.warns(UserWarning, match="'rare' is in 6 sentences, too few to say anything of"):
        stability.most_similar("rare")
    everything = stability.most_similar("a0", topn=99)
    assert [row.word for row in everything if not row.certain and row.sentences < 10].count("rare") == 1


@pytest.mark.any_backend(trains=True)
def test_neighbors_are_printed_as_a_table(fitted):
    neighbors = fitted.most_similar("a0", topn=3)
    lines = str(neighbors).splitlines()
    assert lines[0].split() == ["word", "cosine", "interval", "rank", "share", "certain"]
    assert lines[1].split()[0] == "b0" and lines[1].endswith("yes") and len(lines) == 4
    assert repr(neighbors).startswith("Neighbors(3 words, ")
    assert "<td>100%</td>" in neighbors._repr_html_()
    assert [row.word for row in neighbors[:2]] == [row.word for row in neighbors][:2]


@can_be_interrupted
@pytest.mark.any_backend(trains=True)
def test_ctrl_c_keeps_complete_trainings():
    done = []

    class Watched(SkipGram):
        def fit(self, *arguments):
            if len(done) == 6:
                os.kill(os.getpid(), signal.SIGINT)
                self.epochs = 20_000
            result = super().fit(*arguments)
            done.append(self)
            return result

    corpus = text(40)
    with pytest.warns(UserWarning, match="interrupted after 6 of 8 trainings"):
        stability = Stability(Watched(vector_size=2, epochs=1), runs=8, threads=1).fit(corpus)
    assert stability.interrupted_ and len(stability.runs_) == 6
    done[3:] = []
    done += [None] * 3
    with pytest.raises(KeyboardInterrupt):
        Stability(Watched(vector_size=2, epochs=1), runs=8, threads=1).fit(corpus)


@pytest.mark.any_backend(trains=True)
def test_the_error_of_a_training_is_raised():
    with pytest.raises(FloatingPointError, match="learning_rate"):
        Stability(SkipGram(learning_rate=1e30, epochs=1), runs=5, threads=2).fit(text(40))


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        (
            {"model": fastvec.DocVectors()},
            TypeError,
            "model must be a SkipGram, CBOW, FastText, GloVe or PPMI_SVD",
        ),
        ({"model": SkipGram(window=0)}, ValueError, "window must be an int from 1 to 1000, got 0"),
        ({"runs": 4}, ValueError, "runs must be an int >= 5, got 4"),
        ({"level": 1}, ValueError, "level must be a number > 0 and <= 0.999, got 1"),
        ({"threads": 0}, ValueError, "threads must be an int from 1 to 4096, got 0"),
        ({"seed": -1}, ValueError, "seed must be an int >= 0, got -1"),
        ({"progress": 1}, TypeError, "progress must be True or False, got 1"),
    ],
)
def test_bad_parameters(params, error, message):
    with pytest.raises(error, match=message):
        Stability(**{"model": svd(), **params}).fit(iter(()))


@pytest.mark.any_backend
def test_what_cannot_be_asked(fitted):
    with pytest.raises(AttributeError, match="no runs_ before fit"):
        Stability(svd()).most_similar("a0")
    with pytest.raises(ValueError, match="corpus must have sentences to draw from, 2 or more, got 1"):
        Stability(svd()).fit([["a", "b"] * 20])
    with pytest.raises(fastvec.UnknownWordError):
        fitted.most_similar("a99")
    with pytest.raises(ValueError, match="positive and negative must name a word"):
        fitted.most_similar()
