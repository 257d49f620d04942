"""The next items of sessions: scores written down by hand, and what vectors know of planted ones."""

import re
import warnings
from math import log2

import numpy as np
import pytest
from inside import set_sizes

import fastvec
from fastvec import Corpus, Vectors, evaluate

pytestmark = pytest.mark.any_backend

# Trained on: ab, a, c, bc, a. Popularity: a 3, b 2, c 2.
SESSIONS = [["a", "b", "c"], ["a", "b"], ["c"], ["b", "c", "a"], ["a", "d"]]
HEADER = ["hit", "rate", "NDCG", "MRR", "coverage", "popularity", "bias"]
VECTORS = Vectors(["c", "b", "a"], [[-2, 0], [0, 3], [1, 0]])


def scores(row):
    return [row.hit_rate, row.ndcg, row.mrr, row.coverage, row.popularity_bias]


def mean(*values):
    return pytest.approx(sum(values) / len(values), rel=1e-6)


@pytest.mark.parametrize("scores_at_once", [1, 1000])
@pytest.mark.parametrize("sessions", [SESSIONS, Corpus(SESSIONS)])
def test_scores_by_hand(monkeypatch, scores_at_once, sessions):
    set_sizes(monkeypatch, scores_at_once=scores_at_once)
    result = evaluate.next_item(VECTORS, sessions, k=[2, 3])
    # asked: c after ab, b after a, a after bc; d is nowhere in the training part
    assert (result.questions, result.covered, result.items) == (3, 3, 3)
    # cosines, each times a positive number: a 1 b 1 c -1; a 1 b 0 c -1; a -1 b 1 c 1
    assert scores(result.vectors) == [
        {2: mean(0, 1, 0), 3: 1},
        {2: mean(0, 1 / log2(3), 0), 3: mean(1 / 2, 1 / log2(3), 1 / 2)},
        {2: mean(0, 1 / 2, 0), 3: mean(1 / 3, 1 / 2, 1 / 3)},
        {2: 1, 3: 1},
        # ab, ab, bc were recommended
        {2: pytest.approx((2 * 3 + 3 * 2 + 2) / 6 / (7 / 3)), 3: 1},
    ]


def test_baselines_by_hand():
    popularity, recency, co_visits = evaluate.next_item(VECTORS, SESSIONS, k=1).baselines
    assert [row.name for row in (popularity, recency, co_visits)] == ["popularity", "recency", "co-visits"]
    # always a, b, c, and the latest training session is a
    for row in (popularity, recency):
        assert scores(row) == [{1: mean(0, 0, 1)}] * 3 + [{1: mean(1, 0, 0)}, {1: pytest.approx(9 / 7)}]
    # ab and bc were visited together once each: a, b, c are equal after ab, and after bc; b is first after a
    assert scores(co_visits) == [{1: mean(0, 1, 1)}] * 3 + [
        {1: mean(1, 1, 0)},
        {1: mean(9 / 7, 9 / 7, 6 / 7)},
    ]


def test_baselines_without_what_was_seen():
    result = evaluate.next_item(VECTORS, SESSIONS, k=1, exclude_seen=True)
    assert [row.hit_rate[1] for row in (result.vectors, *result.baselines)] == [1, 1, 1, 1]
    popularity = result.baselines[0]
    assert popularity.coverage == {1: 1} and popularity.popularity_bias == {1: 1}


def test_recent_items_are_those_of_the_latest_tenth():
    sessions = [["a", "b"]] * 16 + [["c", "b"]] * 2 + [["c", "b"]] * 2
    split = evaluate.split_sessions(sessions, split="time", fraction=0.1)
    assert split.held_out == [["c", "b"]] * 2
    vectors = Vectors(["a", "b", "c"], np.eye(3))
    rows = evaluate.next_item(vectors, sessions, k=1, split="time", fraction=0.1, exclude_seen=True).baselines
    assert {row.name: row.hit_rate[1] for row in rows} == {"popularity": 1, "recency": 1, "co-visits": 1}
    sessions = [*sessions[:-2], ["b", "c"], ["b", "c"]]
    rows = evaluate.next_item(vectors, sessions, k=1, split="time", fraction=0.1, exclude_seen=True).baselines
    assert {row.name: row.hit_rate[1] for row in rows} == {"popularity": 0, "recency": 1, "co-visits": 0}


def test_popularity_counts_all_occurrences_and_co_visits_count_sessions():
    sessions = [["a", "x", "x", "x"], ["a", "y"], ["a", "y"], ["a", "x"], ["a", "y"]]
    rows = evaluate.next_item(
        Vectors(["a"], [[1]]), sessions, k=1, split="time", fraction=0.4, exclude_seen=True
    )
    popularity, _, co_visits = rows.baselines
    # of x and y, after a: x was seen three times, y in two sessions
    assert (popularity.hit_rate[1], co_visits.hit_rate[1]) == (0.5, 0.5)
    assert popularity.coverage == {1: pytest.approx(1 / 3)} == co_visits.coverage
    assert popularity.popularity_bias[1] == pytest.approx(3 / 2.5)
    assert co_visits.popularity_bias[1] == pytest.approx(2 / 2.5)


def test_every_item_of_the_latest_sessions_is_asked_about():
    sessions = [["a", "b"], ["b", "c"], ["a", "b", "new", "c"]]
    result = evaluate.next_item(VECTORS, sessions, k=1, split="time", fraction=0.3)
    assert (result.questions, result.items) == (2, 3)  # b after a, c after ab


def test_repetitions_are_asked_about_unless_what_was_seen_is_excluded():
    sessions = [["a", "b"], ["b", "c"], ["a", "a", "b"]]
    how = {"k": 1, "split": "time", "fraction": 0.3}
    repeated = evaluate.next_item(VECTORS, sessions, **how)
    assert (repeated.questions, repeated.vectors.hit_rate[1]) == (2, 0.5)
    once = evaluate.next_item(VECTORS, sessions, exclude_seen=True, **how)
    assert (once.questions, once.vectors.hit_rate[1]) == (1, 1)


def test_the_last_items_stand_for_the_session():
    vectors = Vectors(["a", "b", "c", "d"], [[1, 0], [0, 1], [0.9, -0.1], [-0.2, 0.9]])
    sessions = [["c"], ["d"], ["a", "b", "d"]]
    all_items = evaluate.next_item(vectors, sessions, k=1, exclude_seen=True)
    assert all_items.vectors.hit_rate[1] == 0  # c is nearer to the mean of a and b
    one = evaluate.next_item(vectors, sessions, k=1, exclude_seen=True, last_items=1)
    assert one.vectors.hit_rate[1] == 1
    # and what was seen before them is excluded all the same
    assert evaluate.next_item(vectors, [["a"], ["b"], ["a", "b", "a"]], last_items=1).questions == 1
    with pytest.raises(ValueError, match="must have one whose next item occurs"):
        evaluate.next_item(vectors, [["a"], ["b"], ["a", "b", "a"]], last_items=1, exclude_seen=True)


def test_output_vectors_score_by_products():
    outputs = np.array([[0, 5], [3, 0], [1, 1]])  # of c, b, a
    result = evaluate.next_item(VECTORS, SESSIONS, k=1, output_vectors=outputs)
    # after ab, the mean (1/2, 3/2): c; after a, (1, 0): b; after bc, (-1, 3/2): c and not a
    assert result.vectors.hit_rate == {1: mean(1, 1, 0)}


def test_what_has_no_vector_is_answered_wrongly():
    result = evaluate.next_item(Vectors(["c", "b"], [[1, 0], [1, 1]]), SESSIONS, k=3)
    # c after ab is found by b alone, b after a not at all, and a is unknown
    assert (result.questions, result.covered) == (3, 1)
    assert result.vectors.hit_rate == {3: mean(1, 0, 0)}
    assert result.vectors.mrr == {3: mean(1 / 2, 0, 0)}
    assert result.vectors.coverage == {3: mean(0, 1, 1)}


def test_vectors_that_say_nothing_know_nothing():
    nothing = evaluate.next_item(Vectors(["a", "b", "c"], np.ones((3, 2))), SESSIONS, k=2)
    assert nothing.vectors.hit_rate == {2: 0}


def test_items_may_be_numbers():
    numbers = [[{"a": 7, "b": 8, "c": 9, "d": 10}[item] for item in session] for session in SESSIONS]
    vectors = Vectors([9, 8, 7], VECTORS.vectors)
    assert evaluate.next_item(vectors, numbers) == evaluate.next_item(VECTORS, SESSIONS)
    parts = evaluate.split_sessions(numbers)
    assert parts.training[0] == [7, 8]
    sizes = f"{len(parts.training)} for training, {len(parts.held_out)} held out"
    assert repr(parts) == f"SessionSplit({sizes})"


def test_vectors_that_have_seen_the_answers_are_warned_of():
    trained = Vectors(["a", "b", "c"], np.eye(3), [3, 2, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluate.next_item(trained, SESSIONS)
    leaking = Vectors(["c", "b", "a"], np.eye(3), [2, 3, 3])
    with pytest.warns(UserWarning, match=re.escape("vectors have seen 'b' 3 times, which the training part")):
        evaluate.next_item(leaking, SESSIONS)


def test_the_result_is_a_table():
    lines = str(evaluate.next_item(VECTORS, SESSIONS, k=2)).splitlines()
    assert lines[0] == "3 questions, 3 covered, 3 items"
    assert lines[1].split() == ["first", "2", *HEADER]
    assert lines[2].split() == ["vectors", "0.3333", "0.2103", "0.1667", "1.0000", "1.00"]
    assert [line.split()[0] for line in lines[3:]] == ["popularity", "recency", "co-visits"]
    assert len({len(line) for line in lines[1:]}) == 1


@pytest.mark.parametrize(
    ("sessions", "given", "error", "message"),
    [
        (SESSIONS, {"k": 0}, ValueError, "k must be an int >= 1, got 0"),
        (SESSIONS, {"k": []}, ValueError, "k must hold at least one length, got []"),
        (SESSIONS, {"split": "first"}, ValueError, "split must be one of 'last', 'time', got 'first'"),
        (SESSIONS, {"fraction": 0}, ValueError, "fraction must be a number > 0 and <= 1, got 0"),
        (SESSIONS, {"last_items": 0}, ValueError, "last_items must be an int >= 1, got 0"),
        (SESSIONS, {"exclude_seen": 2}, TypeError, "exclude_seen must be"),
        (SESSIONS, {"output_vectors": np.eye(3)}, ValueError,
         "output_vectors must have the shape of the vectors, (3, 2), got (3, 3)"),
        ([["a"], ["b"]], {}, ValueError, "sessions must have one whose next item occurs in the training"),
        ([["a", "b"]], {"split": "time"}, ValueError, "leaves one to train on, got 1 with fraction=0.2"),
    ],
)  # fmt: skip
def test_errors(sessions, given, error, message):
    with pytest.raises(error, match=re.escape(message)):
        evaluate.next_item(VECTORS, sessions, **given)


@pytest.mark.any_backend(trains=True)
def test_planted_next_items_are_found():
    """Ten shelves of ten items: what comes next is of the same shelf."""
    random = np.random.default_rng(3)
    shelves = random.integers(10, size=600)
    sessions = [(10 * shelf + random.permutation(10)[:5]).tolist() for shelf in shelves]
    how = {"split": "time", "exclude_seen": True}
    training = evaluate.split_sessions(sessions, split="time").training
    model = fastvec.SkipGram(vector_size=16, min_count=1, epochs=20, threads=1, subsample=0).fit(training)
    result = evaluate.next_item(model.vectors_, sessions, k=9, **how)
    popularity, recency, co_visits = result.baselines
    assert result.questions == result.covered == 120 * 4
    assert result.vectors.hit_rate[9] > 0.95 and co_visits.hit_rate[9] > 0.95
    assert max(popularity.hit_rate[9], recency.hit_rate[9]) < 0.2
    assert result.vectors.coverage[9] == 1 and abs(result.vectors.popularity_bias[9] - 1) < 0.05
    assert popularity.popularity_bias[9] > 1.1
    products = evaluate.next_item(model.vectors_, sessions, k=9, output_vectors=model.output_vectors_, **how)
    assert products.vectors.hit_rate[9] > 0.95
