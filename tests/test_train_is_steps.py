"""``train`` is one ``step`` after the other, for every objective on every backend.

Which words are contexts of which and at which places, what is one update, and which of a token's draws are
whose negatives, is written down here in plain Python. Threads that take a chunk together take many steps at
once: these move all matrices by −η times the derivative of the sum of their losses.
"""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from epochs import by_team
from in_turn import path_errors, skipgram_errors
from inside import Team, alias_table
from objectives import OBJECTIVES, bag, bag_and_paths, batch, int32, numeric_gradient, path, placed, window

from fastvec import kernels
from fastvec.reference import losses
from fastvec.reference.sampling import draw, draw_noise, window_size

KEY, WINDOW, NEGATIVES = 12345, 20, 3
AT_ONCE = 16  # contexts, targets or examples in an update; windows have more
N_WORDS, N_NGRAMS = 13, 7
OFFSETS = np.array([0, 1, 60, 60, 63, 70])
random = np.random.default_rng(1)
EVERYWHERE = range(OFFSETS[-1])
IDS = int32(random.integers(0, N_WORDS + 1, OFFSETS[-1]))  # the last is unknown, and no row of an n-gram
NOISE = alias_table(np.arange(1, N_WORDS + 1))
NODES = [random.permutation(N_WORDS - 1)[: 1 + word % 5] for word in range(N_WORDS)]
CODES = [random.integers(0, 2, len(nodes)) for nodes in NODES]
# the rows of every word that are all different, and those of its rows that it has once more
DISTINCT = [[word, *(N_WORDS + random.permutation(N_NGRAMS)[: word % 4])] for word in range(N_WORDS)]
REPEATED = [random.choice(rows[1:], word % 3) if rows[1:] else [] for word, rows in enumerate(DISTINCT)]


def windows(draws_per_token, positions=EVERYWHERE):
    """The position and the centre of every window at positions, and its contexts by their distances."""
    for begin, end in pairwise(OFFSETS):
        known = [t for t in range(begin, end) if IDS[t] < N_WORDS]
        for i, t in enumerate(known):
            size = int(window_size(draw(KEY, t * draws_per_token), WINDOW))
            around = {d: IDS[known[i + d]] for d in range(-size, size + 1) if d and 0 <= i + d < len(known)}
            if around and t in positions:
                yield t, int(IDS[t]), around


def negatives(first):
    return draw_noise(draw(KEY, first + np.arange(NEGATIVES)), NOISE)


def in_groups(values, size=AT_ONCE):
    values = list(values)
    return [values[first : first + size] for first in range(0, len(values), size)]


def skipgram(shared, positions=EVERYWHERE):
    draws = 1 + NEGATIVES * (1 if shared else 2 * WINDOW)
    for t, center, around in windows(draws, positions):
        for i, contexts in enumerate(in_groups(around.values(), AT_ONCE if shared else 1)):
            first = t * draws + 1 + (0 if shared else i * NEGATIVES)
            yield window(contexts, center, negatives(first))


def cbow(positions=EVERYWHERE):
    draws = 1 + NEGATIVES
    for t, center, around in windows(draws, positions):
        places = [WINDOW + d if d < 0 else WINDOW + d - 1 for d in around]
        yield placed(window(list(around.values()), center, negatives(t * draws + 1)), places)


def hierarchical_softmax(cbow, positions=EVERYWHERE):
    for _, center, around in windows(1, positions):
        for contexts in in_groups(around.values(), 2 * WINDOW if cbow else AT_ONCE):
            yield path(contexts, NODES[center], CODES[center], cbow)


def softmax(cbow):
    examples = [([center], list(around.values())) for _, center, around in windows(1)]
    if cbow:
        examples = [(contexts, center) for center, contexts in examples]
    for group in in_groups(examples):
        yield batch(*group)


def subword(cbow, positions=EVERYWHERE):
    draws = 1 + NEGATIVES * (1 if cbow else 2 * WINDOW)
    for t, center, around in windows(draws, positions):
        words, targets = (around.values(), [center]) if cbow else ([center], around.values())
        words = list(words)
        first = np.concatenate([DISTINCT[word] for word in words])
        inputs = np.concatenate([first, *[REPEATED[word] for word in words]])
        for i, target in enumerate(targets):  # each from the rows as the targets before it have moved them
            yield bag(inputs, [target], negatives(t * draws + 1 + i * NEGATIVES), n_first=len(first))


def ngram_tree(cbow, positions=EVERYWHERE):
    for _, center, around in windows(1, positions):
        words, targets = (around.values(), [center]) if cbow else ([center], around.values())
        words = list(words)
        first = np.concatenate([DISTINCT[word] for word in words])
        inputs = np.concatenate([first, *[REPEATED[word] for word in words]])
        for group in in_groups(targets):
            nodes, codes = (np.concatenate([of_words[t] for t in group]) for of_words in (NODES, CODES))
            yield bag_and_paths(inputs, nodes, codes, n_first=len(first))


def csr(name, offsets_name, lists, dtype):
    offsets = np.cumsum([0, *map(len, lists)], dtype=np.int64)
    return {offsets_name: offsets, name: np.concatenate(lists).astype(dtype)}


NOISY = {"noise": NOISE, "negatives": NEGATIVES}
TREE = csr("path_nodes", "path_offsets", NODES, np.int32) | csr("path_codes", "path_offsets", CODES, np.uint8)
ROWS = [rows for of_word in zip(DISTINCT, REPEATED, strict=True) for rows in of_word]
NGRAMS = csr("subwords", "subword_offsets", ROWS, np.int32)
INPUTS, OUTPUTS = {"input_vectors": N_WORDS}, {"output_vectors": N_WORDS}
PLACES = {"position_weights": 2 * WINDOW}
SUBWORD_INPUTS, NODE_VECTORS = {"input_vectors": N_WORDS + N_NGRAMS}, {"node_vectors": N_WORDS - 1}

BOTH = [{"cbow": False}, {"cbow": True}]

MEANS = [
    {"mean": mean, "scale_gradient": scale} for mean, scale in ((True, True), (True, False), (False, True))
]

LOSSES = [{"loss": loss} for loss in losses.LOSSES]

# For every kernel what makes its steps, the rows of its matrices and arguments of train; its modes, and what
# both train and steps are given.
TRAININGS = [
    ("skipgram", skipgram, INPUTS | OUTPUTS, NOISY, [{"shared": True}, {"shared": False}], LOSSES),
    ("cbow", cbow, INPUTS | OUTPUTS | PLACES, NOISY, [{}], MEANS),
    ("cbow", cbow, INPUTS | OUTPUTS, NOISY, [{}], [mean | {"position_weights": None} for mean in MEANS]),
    ("hierarchical_softmax", hierarchical_softmax, INPUTS | NODE_VECTORS, TREE, BOTH, MEANS),
    ("softmax", softmax, INPUTS | OUTPUTS, {}, BOTH, MEANS),
    ("subword", subword, SUBWORD_INPUTS | OUTPUTS, NOISY | NGRAMS, BOTH, MEANS),
    ("ngram_tree", ngram_tree, SUBWORD_INPUTS | NODE_VECTORS, TREE | NGRAMS, BOTH, MEANS),
]
CASES = [
    (*training, mode, given)
    for *training, modes, both in TRAININGS
    for mode in modes
    for given in both
    if mode.get("cbow", True) or given["mean"]
]


def start_matrices(seed, rows, given):
    """Matrices whose scores are within the range of the sigmoid, sums of many inputs included."""
    random = np.random.default_rng(seed)
    start = {name: (random.standard_normal((n, 20)) / 2).astype(np.float32) for name, n in rows.items()}
    if not given.get("mean", True):
        start["input_vectors"] /= 10 if len(start["input_vectors"]) > N_WORDS else 4
    return start


@pytest.mark.parametrize(
    ("kernel", "steps", "rows", "arguments", "mode", "given"),
    CASES,
    ids=[f"{kernel} {mode | given}" for kernel, *_, mode, given in CASES],
)
def test_train_is_one_step_after_the_other(backend, padded, kernel, steps, rows, arguments, mode, given):
    implementation = kernels.get(kernel, backend)
    start = start_matrices(2, rows, given)
    expected, trained = ({name: padded(matrix) for name, matrix in start.items()} for _ in range(2))
    todo = [step | given for step in steps(**mode)]
    losses = [implementation.step(**expected, **step, learning_rate=0.05) for step in todo]
    loss, sampled_pairs, pairs = implementation.train(
        **trained,
        **arguments,
        **mode,
        **given,
        ids=IDS,
        sentence_offsets=OFFSETS,
        start=0,
        stop=len(IDS),
        keep=np.full(N_WORDS, 2**32 - 1, dtype=np.uint32),
        window=WINDOW,
        learning_rate=0.05,
        key=KEY,
        loss_every=1,
    )
    for name, matrix in expected.items():
        assert np.abs(matrix - padded(start[name])).max() > 0.01
        np.testing.assert_allclose(trained[name], matrix, rtol=0, atol=1e-5, err_msg=name)
    assert loss == pytest.approx(sum(losses), rel=1e-6)
    if kernel == "ngram_tree":
        n_pairs = sum(1 if mode["cbow"] else len(around) for *_, around in windows(1))
    else:
        predicted = "targets" if "targets" in todo[0] else "contexts"
        windows_only = kernel == "cbow" or (kernel == "hierarchical_softmax" and mode["cbow"])
        n_pairs = sum(1 if windows_only else len(step[predicted]) for step in todo)
    assert sampled_pairs == pairs == n_pairs


def test_windows_of_one_size(backend, padded, monkeypatch):
    monkeypatch.setitem(globals(), "window_size", lambda word, window: window)
    arguments = {"shared": True, "loss": "negative_sampling"} | NOISY
    rows = {"input_vectors": N_WORDS, "output_vectors": N_WORDS}
    rows = {name: np.random.default_rng(2).standard_normal((n, 20)) / 2 for name, n in rows.items()}
    implementation = kernels.get("skipgram", backend)
    expected, trained = ({name: padded(matrix) for name, matrix in rows.items()} for _ in range(2))
    frozen = (np.arange(N_WORDS) % 2).astype(np.uint8)
    todo = list(skipgram(shared=True))
    for step in todo:
        implementation.step(**expected, **step, loss="negative_sampling", learning_rate=0.05, frozen=frozen)
    *_, pairs = implementation.train(
        **trained,
        **arguments,
        ids=IDS,
        sentence_offsets=OFFSETS,
        start=0,
        stop=len(IDS),
        keep=np.full(N_WORDS, 2**32 - 1, dtype=np.uint32),
        window=WINDOW,
        learning_rate=0.05,
        key=KEY,
        loss_every=1,
        frozen=frozen,
        dynamic_window=False,
    )
    assert pairs == sum(len(step["contexts"]) for step in todo)
    for name, matrix in expected.items():
        np.testing.assert_allclose(trained[name], matrix, rtol=0, atol=1e-5, err_msg=name)


# ---- Threads that take chunks together ---------------------------------------------------------------------

TEAM_CASES = [
    case
    for case in CASES
    if case[0] != "softmax" and "position_weights" not in case[2] and case[-1].get("scale_gradient", True)
]
LOSS_OF = {objective.kernel: objective.loss for objective in OBJECTIVES}
BATCH = range(20, 26)  # positions whose steps are one batch


@cache
def batch_of(number):
    """The matrices of a case, its steps, and their loss and its derivatives by the matrices."""
    kernel, steps, rows, _, mode, given = TEAM_CASES[number]
    matrices = start_matrices(3, rows, given)
    todo = [step | given for step in steps(**mode, positions=BATCH)]
    exact = {name: matrix.astype(np.float64) for name, matrix in matrices.items()}
    loss = sum(LOSS_OF[kernel](**exact, **step) for step in todo)
    gradients = [numeric_gradient(LOSS_OF[kernel], exact, step) for step in todo]
    return matrices, todo, loss, {name: sum(gradient[name] for gradient in gradients) for name in rows}


def train_batch(backend, padded, number, learning_rate, threads=2):
    """Return the matrices after a batch of a team, and the loss."""
    kernel, _, _, arguments, mode, given = TEAM_CASES[number]
    trained = {name: padded(matrix) for name, matrix in batch_of(number)[0].items()}
    team = Team(trained, threads, 10**9, whole_rows=backend == "reference")
    loss, _, _ = by_team(
        team,
        lambda **of_thread: kernels.get(kernel, backend).train(
            **arguments | mode | given | of_thread,
            ids=IDS,
            sentence_offsets=OFFSETS,
            start=BATCH.start,
            stop=BATCH.stop,
            keep=np.full(N_WORDS, 2**32 - 1, dtype=np.uint32),
            window=WINDOW,
            learning_rate=learning_rate,
            key=KEY,
            loss_every=1,
        ),
    )
    return {name: matrix.astype(np.float64) for name, matrix in trained.items()}, loss


every_batch = pytest.mark.parametrize(
    "number",
    range(len(TEAM_CASES)),
    ids=[f"{kernel} {mode | given}" for kernel, *_, mode, given in TEAM_CASES],
)


@every_batch
def test_a_batch_moves_by_its_gradient(backend, padded, number):
    start, todo, loss, gradient = batch_of(number)
    assert len(todo) >= len(BATCH)
    learning_rate = 0.02 / max(np.abs(expected).max() for expected in gradient.values())
    farther, returned = train_batch(backend, padded, number, learning_rate)
    assert returned == pytest.approx(loss, rel=1e-6)
    moved, _ = train_batch(backend, padded, number, learning_rate / 2)
    for name, expected in gradient.items():
        before = padded(start[name]).astype(np.float64)
        # without the second order in the learning rate
        found = (4 * (before - moved[name]) - (before - farther[name])) / learning_rate
        np.testing.assert_allclose(
            found[:, :20], expected, rtol=0, atol=2e-3 * np.abs(expected).max(), err_msg=name
        )


@every_batch
def test_scores_of_a_batch_are_those_before_it(backend, padded, number):
    """Rows that move by the same errors and inputs move in proportion to the learning rate, however large."""
    start, todo, loss, gradient = batch_of(number)
    kernel = TEAM_CASES[number][0]
    if kernel in ("cbow", "subword", "ngram_tree") or todo[0].get("cbow"):
        moved, returned = train_batch(backend, padded, number, 2.0)
        outputs = list(start)[1]
        change = (padded(start[outputs]) - moved[outputs])[:, :20] / 2.0
        np.testing.assert_allclose(change, gradient[outputs], rtol=0, atol=1e-4)
    else:
        moved, returned = train_batch(backend, padded, number, 0.1)
        for after, expected in zip(moved.values(), moved_in_turn(start, todo, 0.1), strict=True):
            np.testing.assert_allclose(after[:, :20], expected, rtol=0, atol=1e-4 * np.abs(expected).max())
    assert returned == pytest.approx(loss, rel=1e-6)


def moved_in_turn(start, todo, learning_rate):
    """Contexts and outputs after steps whose errors are all from before, in double precision."""
    x, y = (matrix.astype(np.float64) for matrix in start.values())
    errors_of = path_errors if "nodes" in todo[0] else skipgram_errors
    errors = [errors_of(x, y, **step) for step in todo]
    for step, of_step in zip(todo, errors, strict=True):
        contexts = step["contexts"]
        for context in dict.fromkeys(contexts.tolist()):
            error = learning_rate * of_step[contexts == context].sum(axis=0)
            before = x[context].copy()
            x[context] -= error @ y
            y -= np.outer(error, before)
    return x, y


def test_windows_have_more_contexts_than_an_update():
    assert max(len(around) for *_, around in windows(1)) > 2 * AT_ONCE
    assert len({t for t, *_ in windows(1)}) > 2 * AT_ONCE
