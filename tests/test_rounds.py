"""Training in rounds of lanes: the same bytes wherever the lanes train, and whatever is lost meanwhile."""

import os
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from threading import Barrier, Event

import calls
import numpy as np
import pytest
from commands import HANGS
from inside import Balance, Rounds, Side, inner, pieces_of, pulls, put, set_sizes, watch_chunks, wrap
from small_runs import corpus

import fastvec
from fastvec import CBOW, Corpus, FastText, SkipGram, distributed, kernels

pytestmark = pytest.mark.any_backend(trains=True)

can_be_killed = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")

LANES = {"lanes": 3, "rounds": 4}


@pytest.fixture(scope="module", autouse=True)
def all_lanes_train():
    """Let rounds have their full length from the start, of which short texts have none."""
    with pytest.MonkeyPatch.context() as patch:
        set_sizes(patch, growth_of_rounds=1e6)
        yield


@pytest.fixture(scope="module")
def text():
    """Return a text of 9,000 words, of 120 different ones, and some held out."""
    return corpus(2, n_sentences=750)


def make(kind=SkipGram, **params):
    of_kind = {"buckets": 100, "min_n": 2, "max_n": 3} if kind is FastText else {}
    return kind(**{"vector_size": 12, "min_count": 1, "epochs": 2, "subsample": 0.01, **of_kind, **params})


# Models whose rows are scored by their mean or sum.
POOLED = [
    partial(make, CBOW),
    partial(make, CBOW, pooling="sum", scale_gradient=False, dynamic_window=False),
    partial(make, FastText),
    partial(make, FastText, model="cbow", hash_count=2, scale_gradient=True),
]
for_pooled = pytest.mark.parametrize("kind", POOLED, ids=["cbow", "sum", "n-grams", "cbow of n-grams"])


def learned(model):
    """Return all bytes that were learned, and the losses."""
    vectors = model.vectors_
    return (
        vectors.words,
        vectors.vectors.tobytes(),
        model.output_vectors_.tobytes(),
        [(epoch.loss, epoch.pairs, epoch.learning_rate) for epoch in model.history_],
    )


@pytest.fixture(scope="module")
def expected(text):
    return learned(distributed.fit(make(), text, **LANES))


# The same bytes


@pytest.mark.parametrize("params", [{}, {"shuffle": True}, {"loss": "bpr"}, {"threads": 2}])
def test_one_lane_is_a_training_with_one_thread(params, text):
    alone = make(**{**params, "threads": 1}).fit(text)
    model = distributed.fit(make(**params), text, lanes=1, cluster=None)
    assert learned(model) == learned(alone)
    assert model.vectors_.metadata == alone.vectors_.metadata
    weighted = partial(CBOW, vector_size=4, min_count=1, epochs=1, position_weights=True)
    assert learned(distributed.fit(weighted(), text, lanes=1)) == learned(weighted(threads=1).fit(text))


@for_pooled
def test_other_models_train_the_same_in_processes_and_alone_with_one_lane(kind, text, monkeypatch):
    set_sizes(monkeypatch, block_of_rows=50 * 16 * 4, words_per_row=5)
    here = learned(distributed.fit(kind(epochs=1), text, **LANES))
    assert learned(distributed.fit(kind(epochs=1), text, cluster=2, **LANES)) == here
    set_sizes(monkeypatch, words_per_row=1e9)
    found = learned(distributed.fit(kind(epochs=1), text, **LANES))
    ours, theirs = (np.frombuffer(each[1], np.float32) for each in (here, found))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    alone = learned(kind(epochs=1, threads=1).fit(text))
    assert learned(distributed.fit(kind(epochs=1), text, lanes=1)) == alone != here


@can_be_killed
def test_processes_of_which_one_is_killed_and_one_hangs_train_the_same(text, tmp_path, monkeypatch):
    set_sizes(monkeypatch, block_of_rows=50 * 16 * 4)
    expected = learned(distributed.fit(make(), text, **LANES))
    monkeypatch.setenv("MARKER", str(tmp_path / "marker"))
    put(monkeypatch, "train_lanes", partial(calls.train_or_hang, inner("train_lanes")))
    model = distributed.fit(make(), text, cluster=2, **LANES)
    assert {path.name for path in tmp_path.iterdir()} == {"marker", "marker-stopped"}
    assert learned(model) == expected


def test_threads_do_not_matter(text, expected):
    model = distributed.fit(make(threads=3, deterministic=True), text, **LANES)
    assert learned(model) == expected
    assert model.vectors_.metadata["lanes"] == 3 and model.vectors_.metadata["rounds"] == 4


@pytest.mark.parametrize("other", [{"lanes": 2, "rounds": 4}, {"lanes": 3, "rounds": 4, "seed": 2}])
def test_lanes_rounds_and_the_seed_matter(other, text, expected):
    seed = other.pop("seed", 1)
    assert learned(distributed.fit(make(seed=seed), text, **other)) != expected


# Several lanes of a worker

OF_WORKERS = {"lanes": 4, "rounds": 4, "lanes_per_worker": 3}


@can_be_killed
def test_workers_of_several_lanes_of_which_one_is_killed_and_one_hangs_train_the_same(
    text, tmp_path, monkeypatch
):
    set_sizes(monkeypatch, block_of_rows=50 * 16 * 4)
    expected = learned(distributed.fit(make(), text, **OF_WORKERS))
    monkeypatch.setenv("MARKER", str(tmp_path / "marker"))
    put(monkeypatch, "train_lanes", partial(calls.train_or_hang, inner("train_lanes")))
    model = distributed.fit(make(), text, cluster=2, **OF_WORKERS)
    assert {path.name for path in tmp_path.iterdir()} == {"marker", "marker-stopped"}
    assert learned(model) == expected
    assert model.vectors_.metadata["lanes_per_worker"] == 3


@pytest.mark.parametrize("words_per_row", [0, 1e9])
@pytest.mark.parametrize("kind", [make, POOLED[2]], ids=["words", "n-grams"])
def test_lanes_of_a_worker_train_the_same_here_and_in_a_process(kind, words_per_row, text, monkeypatch):
    set_sizes(monkeypatch, words_per_row=words_per_row, block_of_rows=50 * 16 * 4)
    here, there = (
        learned(distributed.fit(kind(epochs=1), text, cluster=cluster, **OF_WORKERS)) for cluster in (None, 1)
    )
    assert here == there


def test_a_worker_returns_the_sum_of_what_its_lanes_change(text, monkeypatch):
    seen = []
    wrap(monkeypatch, "train_lanes", lambda train, *given: seen.append(given) or train(*given))
    distributed.fit(make(epochs=1), text, **OF_WORKERS)
    lane, tasks, *arrays = next(given for given in reversed(seen) if len(given[1]) == 3)
    train, add = inner("train_lanes"), kernels.get("rounds").add
    *together, summaries = train(lane, tasks, *arrays)
    sums = [(np.zeros((120, 16), np.float32), np.zeros((120, 2))) for _ in together]
    for task, summary in zip(tasks, summaries, strict=True):
        *changes, (own,) = train(lane, [task], *arrays)
        for of_block, of_sums in zip(changes, sums, strict=True):
            add(*of_block, 0, *of_sums)
        assert own.losses == summary.losses
    for (rows, exposures, changes), (of_rows, of_exposures) in zip(together, sums, strict=True):
        assert rows.tolist() == np.flatnonzero(of_exposures[:, 0]).tolist()
        assert exposures.tobytes() == of_exposures[rows].tobytes()
        rounded = (changes.astype(np.uint32) << 16).view(np.float32)
        assert (np.abs(rounded - of_rows[rows]) <= np.abs(of_rows[rows]) / 256).all()
        assert (exposures[:, 0] ** 2 > exposures[:, 1]).any()  # of rows that several have changed


def test_lanes_of_a_worker_train_side_by_side(text, monkeypatch):
    """Each waits for all others of its worker, which never come if they train one after the other."""
    train, together = kernels.get("skipgram").train, Barrier(2)

    def wait_and_train(exposures=None, **arguments):
        if exposures is not None and arguments["start"] in starts:
            together.wait(timeout=60)
        return train(exposures=exposures, **arguments)

    starts = set()

    def train_round(train, rounds, pieces, *of_round):
        starts.clear()
        if all(pieces):
            starts.update(piece[0][0] for piece in pieces)
        return train(rounds, pieces, *of_round)

    wrap(monkeypatch, "train_round", train_round)
    monkeypatch.setattr(kernels.get("skipgram"), "train", wait_and_train)
    distributed.fit(make(epochs=1), text, lanes=2, rounds=2, lanes_per_worker=2)
    assert starts and not together.broken


def test_all_lanes_train_in_a_round(text, monkeypatch):
    taken = []

    def train(train_round, rounds, pieces, *of_round):
        taken.append([piece for piece in pieces if piece])
        return train_round(rounds, pieces, *of_round)

    wrap(monkeypatch, "train_round", train)
    distributed.fit(make(epochs=1), text, **LANES)
    assert [len(pieces) for pieces in taken[:-1]] == [3] * 5
    assert taken[0][0][0][0] == 256  # before it, there are no rounds


def test_before_the_first_round_it_is_a_training_with_one_thread(text, monkeypatch):
    set_sizes(monkeypatch, before_rounds=1e9)
    assert learned(distributed.fit(make(), text, **LANES)) == learned(make(threads=1).fit(text))


@pytest.mark.parametrize("error", [None, ValueError("no machine has so many processors")])
def test_what_comes_before_the_first_round_does_not_wait_for_ray(error, text, expected, monkeypatch):
    begun = Event()

    def connect_late(connect, _, **how):
        assert begun.wait(HANGS)
        if error is not None:
            raise error
        return connect(1, **how)

    watch_chunks(monkeypatch, begun.set)
    put(monkeypatch, "check_reachable", lambda _: None)  # Ray need not be there
    wrap(monkeypatch, "connect", connect_late)
    with nullcontext() if error is None else pytest.raises(ValueError, match="no machine has so many"):
        assert learned(distributed.fit(make(), text, cluster="local", **LANES)) == expected


def test_ray_that_starts_while_a_training_fails_is_ended(text, monkeypatch):
    begun, ended = Event(), Event()

    def begin():
        begun.set()
        raise RuntimeError("no training")

    def connect_late(connect, _, **how):
        assert begun.wait(HANGS)
        engine = connect(1, **how)
        end = type(engine).__exit__
        monkeypatch.setattr(type(engine), "__exit__", lambda *given: (ended.set(), end(*given))[1])
        return engine

    watch_chunks(monkeypatch, begin)
    put(monkeypatch, "check_reachable", lambda _: None)
    wrap(monkeypatch, "connect", connect_late)
    with pytest.raises(RuntimeError, match="no training"):
        distributed.fit(make(), text, cluster="local", **LANES)
    assert ended.is_set()


def test_changes_are_combined_by_the_exposures_of_all_words_of_a_lane(text, monkeypatch):
    train, withdraw = kernels.get("skipgram").train, kernels.get("rounds").withdraw
    known, words, n_rows = np.zeros((2, 0), np.float32), [], []

    def train_and_tell(exposures=None, **arguments):
        nonlocal known
        found = train(exposures=exposures, **arguments)
        if exposures is not None:  # not what is held out
            known = exposures.copy()
            words.append(arguments["stop"] - arguments["start"])
        return found

    def compare(matrix, rows, exposures, *others):
        side = len(n_rows) % 2  # inputs, then outputs
        n_rows.append(np.count_nonzero(known[side]))
        assert exposures[:, 0].tolist() == known[side][rows].tolist() and len(rows) == n_rows[-1]
        assert exposures[:, 1].tolist() == (exposures[:, 0] ** 2).tolist()
        withdraw(matrix, rows, exposures, *others)

    set_sizes(monkeypatch, lane_chunk=100)
    monkeypatch.setattr(kernels.get("skipgram"), "train", train_and_tell)
    monkeypatch.setattr(kernels.get("rounds"), "withdraw", compare)
    distributed.fit(make(epochs=1), text, lanes=3, rounds=2)
    assert sum(words) == text.n_tokens - 256 and max(words) == 100  # which come before the first round
    assert len(n_rows) > 2 * 3 and min(n_rows) > 50


def test_pieces_that_are_longer_may_take_longer(text, monkeypatch):
    told = []
    wrap(monkeypatch, "next_slow", lambda *_: (float("inf"), None))
    wrap(monkeypatch, "add_sibling", lambda add, siblings, call: (told.append(call), add(siblings, call)))
    distributed.fit(make(epochs=1), text, cluster=1, **LANES)
    lanes = [call for call in told if call.name.startswith("train lane")]
    assert {call.size for call in lanes} > {256}
    assert sum(call.size for call in lanes) == text.n_tokens - 256


def test_rows_of_a_piece_are_all_or_those_that_it_uses(text, monkeypatch):
    """The same bytes in processes either way; only how the balance is added up differs between the two."""
    found = []
    for words_per_row in (0, 1e9):
        set_sizes(monkeypatch, words_per_row=words_per_row)
        here = learned(distributed.fit(make(), text, **LANES))
        found.append(np.frombuffer(here[1], np.float32))
        assert learned(distributed.fit(make(), text, cluster=2, **LANES)) == here
    np.testing.assert_allclose(*found, atol=1e-5)


def test_words_that_are_alone_in_their_sentences(monkeypatch):
    """They are no inputs, but where their rows begin is looked up, to fetch these."""
    set_sizes(monkeypatch, words_per_row=1e9)
    kernel, left = kernels.get("subword"), []
    train = kernel.train

    def train_and_look(subword_offsets, places=None, **arguments):
        if places is not None:
            left.append(len(subword_offsets) - 3 - 2 * places.max())
        return train(subword_offsets=subword_offsets, places=places, **arguments)

    monkeypatch.setattr(kernel, "train", train_and_look)
    text = [[f"alone{i % 50}"] if i % 3 else [f"word{i % 9}", "other"] for i in range(2000)]
    distributed.fit(make(FastText), text, lanes=2, rounds=4, lanes_per_worker=2)
    assert min(left, default=-1) >= 0


@pytest.mark.parametrize(
    ("kind", "lanes_per_worker"), [(make, 1), (make, 3), (POOLED[1], 1), (POOLED[2], 3), (POOLED[3], 1)]
)
def test_workers_of_other_machines_are_sent_the_rows_that_their_lanes_use(
    kind, lanes_per_worker, text, tmp_path, monkeypatch
):
    set_sizes(monkeypatch, words_per_row=1e9, block_of_rows=50 * 16 * 4)
    given = {"start_from": kind(epochs=1).fit(text).vectors_, "freeze": ["word0", "word50"]}
    how = {**OF_WORKERS, "rounds": 16, "lanes_per_worker": lanes_per_worker, **given}
    expected = learned(distributed.fit(kind(epochs=1), text, **how))
    monkeypatch.setenv("MARKER", str(tmp_path / "marker"))
    put(monkeypatch, "machines", 2)
    set_sizes(monkeypatch, words_of_machine=1e9)
    put(monkeypatch, "train_lanes", partial(calls.train_selected, inner("train_lanes")))
    assert learned(distributed.fit(kind(epochs=1), text, cluster=1, **how)) == expected
    assert Path(os.environ["MARKER"]).exists()


# Checkpoints


def stopped_after(n_rounds, monkeypatch, model, *arguments, **params):
    """Train until so many rounds are done."""
    done = []

    def train_and_stop(train, rounds, *of_round):
        done.append(of_round)
        if len(done) == n_rounds:
            model.stop()
        return train(rounds, *of_round)

    with monkeypatch.context() as patch:
        wrap(patch, "train_round", train_and_stop)
        return distributed.fit(model, *arguments, **params)


def test_what_was_stopped_goes_on_elsewhere_to_the_same_bytes(text, expected, tmp_path, monkeypatch):
    path = tmp_path / "run.fvec"
    for n_rounds in (3, 7):
        model = stopped_after(n_rounds, monkeypatch, make(), text, checkpoint=path, resume=True, **LANES)
        assert model.interrupted_
    assert len(fastvec.load_model(path).vectors_) == 120
    with pytest.raises(ValueError, match="rounds must be 4, as in the run of the checkpoint"):
        distributed.fit(make(), text, checkpoint=path, resume=True, lanes=3, rounds=5)
    with pytest.raises(ValueError, match="lanes_per_worker must be 1, as in the run of the checkpoint"):
        distributed.fit(make(), text, checkpoint=path, resume=True, lanes_per_worker=3, **LANES)
    with pytest.raises(ValueError, match="lanes must be 3, as in the run of the checkpoint"):
        make(threads=1).fit(text, checkpoint=path, resume=True)
    model = distributed.fit(make(), text, checkpoint=path, resume=True, cluster=1, **LANES)
    assert not model.interrupted_
    assert learned(model) == expected


def test_checkpoints_do_not_disturb_the_training(text, expected, tmp_path):
    path = tmp_path / "run.fvec"
    model = distributed.fit(make(), text, checkpoint=path, checkpoint_every="0.001s", **LANES)
    assert learned(model) == expected
    assert learned(distributed.fit(make(), text, checkpoint=path, resume=True, **LANES)) == expected


# What it learns


@pytest.mark.parametrize(
    "kind",
    [
        make,
        partial(make, negative_sharing="none"),
        partial(make, dynamic_window=False, shuffle=True),
        partial(make, CBOW),
        partial(make, FastText),
        partial(make, FastText, model="cbow"),
    ],
)
def test_it_learns_about_as_much_as_one_thread(kind):
    topics = [[f"{topic}{i}" for i in range(6)] for topic in "abcd"]
    random = np.random.default_rng(3)
    text = Corpus([random.choice(topics[random.integers(4)], 8).tolist() for _ in range(3000)])
    model = distributed.fit(kind(epochs=3), text, lanes=4, rounds=20)
    alone = kind(epochs=3, threads=1).fit(text)
    assert model.history_[-1].loss < alone.history_[-1].loss + 0.1
    assert model.history_[-1].loss < model.history_[0].loss
    for topic in "abcd":
        assert {word[0] for word, _ in model.vectors_.most_similar(f"{topic}0", topn=4)} == {topic}


def test_it_trains_on_the_pairs_of_one_thread_and_not_on_what_is_held_out(text, monkeypatch):
    set_sizes(monkeypatch, shortest_text=100)
    model = distributed.fit(make(), text, **LANES)
    alone, shuffled = make(threads=1).fit(text), distributed.fit(make(shuffle=True), text, **LANES)
    monkeypatch.undo()
    pairs = [epoch.pairs for epoch in alone.history_]
    assert [epoch.pairs for epoch in model.history_] == pairs
    assert [epoch.pairs for epoch in shuffled.history_] == pairs
    assert make(threads=1, epochs=1).fit(text).history_[0].pairs > pairs[0]


@pytest.mark.parametrize("kind", [make, POOLED[0]])
def test_frozen_words_stay_and_training_continues(kind, text):
    first = distributed.fit(kind(), text, **LANES)
    words, rows = first.vectors_.words, first.vectors_.vectors.copy()
    rows[:, 3] = -0.0
    given, frozen = fastvec.Vectors(words, rows), ["word0", "word50"]
    model = distributed.fit(kind(epochs=1), text, start_from=given, freeze=frozen, **LANES)
    assert model.vectors_[frozen].tobytes() == given[frozen].tobytes()
    assert not np.array_equal(model.vectors_["word1"], given["word1"])
    more = Corpus([["word1", "new", "word2", "newer"] * 3] * 40)
    distributed.fit(first, more, update_vocabulary=True, lanes=2)
    assert {"new", "newer"} <= set(first.vectors_.words) and len(first.history_) == 4
    assert np.isfinite(first.vectors_.vectors).all()


def test_short_texts_and_many_lanes(monkeypatch):
    set_sizes(monkeypatch, growth_of_rounds=0.02)
    text = [["to", "be", "or", "not", "to", "be"]]
    model = distributed.fit(make(), text, lanes=64, rounds=1000)
    assert np.isfinite(model.vectors_.vectors).all() and model.history_[0].pairs
    with pytest.raises(ValueError, match="corpus must have a sentence with two words"):
        distributed.fit(make(), [["a"], ["b"]], lanes=2)
    with pytest.raises(FloatingPointError, match="learning_rate=1000"):
        distributed.fit(make(learning_rate=1000.0, epochs=9), text * 100, lanes=2)


# Rounds


@pytest.mark.parametrize(
    ("lanes", "per_epoch", "n", "growth"),
    [
        (2, 8, 3_000_000, 0.3),
        (4, 16, 3_000_000, 0.1),
        (16, 128, 3_000_000, 0.02),
        (16, 5, 999, 0.02),
        (64, 10, 100_000, 0.01),
    ],
)
def test_rounds_grow_to_their_full_length(lanes, per_epoch, n, growth, monkeypatch):
    set_sizes(monkeypatch, growth_of_rounds=0.02)

    class Planned(Rounds):
        def at_work(self): ...

        def train(self, *_): ...

    planned = Planned()
    planned.lanes, planned.per_epoch = lanes, per_epoch
    lengths, visited = [], 0
    while visited < n:
        lengths.append(256 * planned.n_chunks(n, visited))
        visited += lengths[-1]
    assert planned.n_before(n) == n // (16 * lanes)
    assert lengths == sorted(lengths) and lengths[0] == 256
    assert all(length % (256 * lanes) == 0 or length < 256 * lanes for length in lengths)
    assert lengths[-1] <= max(n / per_epoch, 256)
    starts = np.cumsum([0, *lengths])[:-1]
    for start, length in zip(starts, lengths, strict=True):
        assert length <= max(growth * start + 1e-6, 256)
        assert length >= min(growth * start, n / per_epoch) - 256 * lanes
    chunks = max(1, int(n / per_epoch / 256))
    assert planned.n_chunks(n, 1000 * n) == (chunks if chunks < lanes else chunks // lanes * lanes)


def test_pieces_are_neighbours_and_leave_nothing_out():
    shuffled = [0, 10, 40, 30, 20]
    assert pieces_of(shuffled, 10, 2) == [[(0, 20)], [(40, 50), (30, 40), (20, 30)]]
    assert pieces_of(shuffled, 10, 1) == [[(0, 20), (40, 50), (30, 40), (20, 30)]]
    assert [part for piece in pieces_of(shuffled, 10, 9) for part in piece] == [
        (start, start + 10) for start in shuffled
    ]
    for starts in (range(20, 70, 10), [20, 30, 40, 50, 60]):
        assert pieces_of(starts, 10, 2) == [[(20, 40)], [(40, 70)]]
        assert pieces_of(starts, 10, 7) == [
            [],
            [(20, 30)],
            [(30, 40)],
            [],
            [(40, 50)],
            [(50, 60)],
            [(60, 70)],
        ]


# Directions


@pytest.mark.parametrize(("d", "stride"), [(40, 48), (7, 16)])
def test_directions_are_those_of_the_curvature(d, stride):
    random = np.random.default_rng(4)
    side = Side(d, stride)
    assert not side.steepest()[1].any() and side.steepest()[2] == 0
    basis = np.linalg.qr(random.standard_normal((d, d)))[0]
    eigenvalues = 3.0 * 0.8 ** np.arange(d)
    matrix = np.zeros((stride, stride))
    matrix[:d, :d] = (basis * eigenvalues) @ basis.T
    for _ in range(24):
        side.fade()
        side.add(5.0 * matrix, 5.0)
        directions, found, rest = side.steepest()
    k = min(d, 32)
    mean = eigenvalues.mean()
    assert np.allclose(directions @ directions.T, np.eye(k), atol=1e-5)
    assert not directions[:, d:].any()
    assert np.allclose(found - mean, eigenvalues[:k], rtol=0.02, atol=1e-4)
    assert np.allclose(np.abs(np.sum(directions[:8, :d] * basis.T[:8], axis=1)), 1, atol=1e-3)
    assert rest - mean == pytest.approx(eigenvalues[k:].mean() if d > k else 0, rel=0.05, abs=1e-6)
    both = pulls({"x": side, "y": Side(d, stride)}, 0.1)
    assert np.array_equal(both["y"].others, both["x"].directions[: len(both["y"].others)])


# Balance


def test_sides_that_have_drifted_are_brought_back_and_scores_stay():
    random, d = np.random.default_rng(5), 16
    x, y = random.standard_normal((2, 200, d))
    sides = [Side(d, d), Side(d, d)]
    for side, rows in zip(sides, (y, x), strict=True):
        side.add(rows.T @ rows, 200.0)
        side.steepest()
    balance = Balance(d)
    assert balance.is_beginning
    balance.choose([Side(d, d), Side(d, d)])
    assert not balance.guides.any()  # nothing is known before the first round
    balance.choose(sides)
    guides = balance.guides.astype(np.float64)
    assert np.allclose(guides @ guides.T, np.eye(4), atol=1e-6)

    def moments():
        return {name: guides @ rows.T @ rows @ guides.T for name, rows in (("x", x), ("y", y))}

    balance.begin(moments())
    wanted = moments()["y"] - moments()["x"]
    scores = x @ y.T
    drift = guides.T @ (0.005 * np.array([[2, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, -1]])) @ guides
    x, y = x @ np.linalg.inv(np.eye(d) + drift), y @ (np.eye(d) + drift)
    for _ in range(4):
        assert not balance.is_over
        balance.add([0.05 * np.eye(4)] * 2, 8)
    assert balance.is_over
    wanted = wanted + 4 * 8 * 0.05 * np.eye(4)
    growths = balance.end(moments())
    assert balance.is_beginning
    x, y = (rows + rows @ guides.T @ growths[name].T @ guides for name, rows in (("x", x), ("y", y)))
    assert np.allclose(moments()["y"] - moments()["x"], wanted, atol=0.3)
    assert np.allclose(x @ y.T, scores, atol=1e-4)
    balance.begin({"x": np.zeros((4, 4)), "y": 1e9 * np.eye(4)})
    assert np.linalg.norm(np.log(1 + np.diag(balance.end(moments())["y"]))) == pytest.approx(0.3, rel=0.01)


# What it refuses


@pytest.mark.parametrize(
    ("model", "params", "error", "message"),
    [
        (make(), {"lanes": 0}, ValueError, "lanes must be an int from 1 to 4096, got 0"),
        (make(), {"lanes": 2.5}, TypeError, "lanes must be an int"),
        (make(), {"rounds": 0}, ValueError, "rounds must be an int >= 1, got 0"),
        (
            make(),
            {"lanes": 2, "lanes_per_worker": 3},
            ValueError,
            "lanes_per_worker must be at most lanes, 2, got 3",
        ),
        (make(), {"cluster": 0}, ValueError, "cluster must be an int"),
        (make(), {"resume": True}, ValueError, "resume must be False unless checkpoint"),
        (make(loss="bpr"), {}, ValueError, "no position_weights, to be trained in lanes, got SkipGram"),
        (CBOW(position_weights=True), {}, ValueError, "no position_weights, .* got CBOW.*: lanes=1, or fit"),
        (FastText(loss="hierarchical_softmax"), {}, ValueError, "loss='negative_sampling', .* got FastText"),
        (
            fastvec.PPMI_SVD(),
            {},
            TypeError,
            "model must be a SkipGram, CBOW, FastText or GloVe, got PPMI_SVD",
        ),
        ("skipgram", {}, TypeError, "model must be a SkipGram, CBOW, FastText or GloVe, got 'skipgram'"),
    ],
)
def test_bad_input(model, params, error, message, text):
    with pytest.raises(error, match=message):
        distributed.fit(model, text, **params)


# The command


def test_the_command_trains_in_lanes_and_repeats_it(tmp_path, shown, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("to be or not to be\n" * 300, encoding="utf-8")
    options = ("--vector-size", 4, "--epochs", 1, "--min-count", 1)
    train = ("train", "text.txt", "-q", "-o")
    assert shown(*train, "a.fvec", *options, "--lanes", 2, "--rounds", 3) == (0, "", "")
    assert shown(*train, "b.fvec", "--like", "a.fvec", "--processes", 1) == (0, "", "")
    assert shown(*train, "c.fvec", *options, "--threads", 1) == (0, "", "")
    first, again, alone = (Path(f"{name}.fvec").read_bytes() for name in "abc")
    assert first == again != alone
    model = SkipGram(vector_size=4, epochs=1, min_count=1)
    distributed.fit(model, "text.txt", lanes=2, rounds=3).vectors_.save("d.fvec")
    assert fastvec.load("d.fvec").metadata["lanes"] == 2
    assert np.array_equal(fastvec.load("d.fvec").vectors, fastvec.load("a.fvec").vectors)
    for refused, message in (
        (["--lanes", 0], "lanes must be an int from 1 to 4096, got 0"),
        (["--processes", 0], "--processes must be an int"),
        (["--model", "cbow", "--position-weights", "--lanes", 2], "and no position_weights"),
        (["--model", "glove", "--lanes", 2], "of skipgram, cbow and fasttext, not of --model glove"),
        (["--model", "svd", "--processes", 2], "of skipgram, cbow, fasttext and glove, not of --model svd"),
        (["--folder", "nowhere"], "folder must be a folder that is there, got 'nowhere'"),
        (["--ray", "nowhere"], "of Ray must be 'auto', 'local' or 'host:port', got 'nowhere'"),
    ):
        status, _, error = shown("train", "no text.txt", "-q", "-o", "e.fvec", *refused)
        assert status == 2 and message in error
