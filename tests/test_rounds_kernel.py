"""The kernel of rounds: rows that a piece of text uses, their curvature, and lanes that become one step."""

from itertools import pairwise

import numpy as np
import pytest
from inside import alias_table, keep_thresholds

from fastvec import kernels

N_WORDS, N_ROWS, D = 300, 1500, 20
KEY = 0xF123456789ABCDEF

random = np.random.default_rng(7)
LENGTHS = [1, 0, 2, 150, 40, 1, 6, 200]
IDS = random.integers(0, N_WORDS + 20, sum(LENGTHS)).astype(np.int32)  # the last are unknown
TABLES = {
    "keep": keep_thresholds(random.uniform(0.3, 1, N_WORDS)),
    "noise": alias_table(random.dirichlet(np.ones(N_WORDS))),
    "key": KEY,
}
TEXT = TABLES | {"ids": IDS, "sentence_offsets": np.cumsum([0, *LENGTHS], dtype=np.int64)}


def rows_of_words():
    """Return for every word different rows, its own among them, and behind these some of them again."""
    offsets, subwords = [0], []
    for word in range(N_WORDS):
        own = [word, *random.choice(np.arange(N_WORDS, N_ROWS), random.integers(0, 7), replace=False)]
        again = [*random.choice(own, random.integers(0, 3))]
        offsets += [offsets[-1] + len(own), offsets[-1] + len(own + again)]
        subwords += own + again
    return {"subword_offsets": np.array(offsets), "subwords": np.array(subwords, np.int32)}


NGRAMS = rows_of_words()
PIECES = [(0, 30), (100, 130), (190, 196), (353, 400), (20, 20)]

WALKS = [
    {"window": 3, "negatives": 2, "shared": True, "cbow": False},
    {"window": 3, "negatives": 2, "shared": False, "cbow": False},
    {"window": 1, "negatives": 8, "shared": False, "cbow": False, "dynamic_window": False},
    {"window": 5, "negatives": 7, "shared": True, "cbow": False, "dynamic_window": False},
    {"window": 3, "negatives": 5, "shared": True, "cbow": True},
    {"window": 2, "negatives": 1, "shared": False, "cbow": True, "dynamic_window": False},
    {"window": 3, "negatives": 7, "shared": False, "cbow": False, **NGRAMS},
    {"window": 1, "negatives": 2, "shared": False, "cbow": False, "dynamic_window": False, **NGRAMS},
    {"window": 3, "negatives": 5, "shared": False, "cbow": True, **NGRAMS},
]
for_every_walk = pytest.mark.parametrize(
    "walk", WALKS, ids=lambda walk: "-".join(map(str, walk.values()))[:40]
)


def piece(*parts):
    """Return the argument that says the parts of a piece."""
    return {"parts": np.array(parts, np.int64).reshape(-1, 2)}


def touched(backend, **arguments):
    return kernels.get("rounds", backend).touched(**arguments)


def rows_of(words, subword_offsets=None, subwords=None, **_):
    """Return the rows of inputs that words have, in rising order."""
    if subwords is None:
        return words.tolist()
    return sorted(
        {row for w in words for row in subwords[subword_offsets[2 * w] : subword_offsets[2 * w + 2]]}
    )


def matrices(padded, scale=1.0, n_rows=N_WORDS):
    random = np.random.default_rng(3)
    return {
        name: padded(scale * random.standard_normal((n, D)))
        for name, n in (("input_vectors", n_rows), ("output_vectors", N_WORDS))
    }


def matrices_of(walk, padded, **params):
    return matrices(padded, n_rows=N_ROWS if "subwords" in walk else N_WORDS, **params)


def train(backend, vectors, walk, start, stop, learning_rate=0.05, loss_every=1, **of_chunk):
    """Train on a piece, and return the number of pairs."""
    arguments = {"mean": True, "scale_gradient": True, **walk}
    if "subwords" in walk:
        name, others = "subword", ("shared",)
    elif walk["cbow"]:
        name, others = "cbow", ("shared", "cbow")
        arguments.setdefault("position_weights", None)
    else:
        name, others = "skipgram", ("cbow", "mean", "scale_gradient")
        arguments["loss"] = "negative_sampling"
    arguments = {key: value for key, value in arguments.items() if key not in others}
    return kernels.get(name, backend).train(
        **vectors,
        **(TEXT | arguments | of_chunk),
        start=start,
        stop=stop,
        learning_rate=learning_rate,
        loss_every=loss_every,
    )[2]


# ---- Rows that are used ------------------------------------------------------------------------------------


@for_every_walk
def test_training_uses_these_rows_and_no_others(backend, padded, walk):
    for start, stop in PIECES:
        input_rows, output_rows, words = touched(backend, **TEXT, **walk, **piece((start, stop)))
        assert rows_of(words, **walk) == input_rows.tolist()
        vectors, before = matrices_of(walk, padded), matrices_of(walk, padded)
        names_and_rows = list(zip(vectors, (input_rows, output_rows), strict=True))
        for name, rows in names_and_rows:
            assert (np.diff(rows) > 0).all()
            assert len(rows) < len(vectors[name])
            vectors[name][np.setdiff1d(np.arange(len(vectors[name])), rows)] = np.nan
        train(backend, vectors, walk, start, stop)
        for name, rows in names_and_rows:
            assert np.isfinite(vectors[name][rows]).all()
            assert (vectors[name][rows] != before[name][rows]).any(axis=1).all()
            assert np.isnan(vectors[name]).all(axis=1).sum() == len(vectors[name]) - len(rows)


@for_every_walk
def test_rows_are_those_of_the_reference(compiled, walk):
    parts = piece((190, 196), (0, 30), (40, 40), (200, len(IDS)))
    found = touched(compiled, **TEXT, **walk, **parts)
    assert all(rows.dtype == np.int32 for rows in found)
    expected = touched("reference", **TEXT, **walk, **parts)
    assert [rows.tolist() for rows in found] == [rows.tolist() for rows in expected]


def test_rows_of_a_text_by_hand(backend):
    """Of 0 1 2, with windows of one: word 1 meets both others, and every negative is word 2."""
    found = touched(
        backend,
        ids=np.array([0, 1, 2], np.int32),
        sentence_offsets=np.array([0, 3]),
        **piece((1, 2)),
        keep=np.full(4, 2**32 - 1, np.uint32),
        noise=alias_table(np.array([0, 0, 1, 0])),
        window=1,
        negatives=2,
        shared=True,
        cbow=False,
        key=KEY,
        dynamic_window=False,
    )
    assert [rows.tolist() for rows in found] == [[0, 2], [1, 2], [0, 2]]


def test_a_long_piece_is_its_parts(compiled):
    random = np.random.default_rng(1)
    n = 20_000  # more than is walked over at once
    text = TABLES | {
        "ids": random.integers(0, N_WORDS, n).astype(np.int32),
        "sentence_offsets": np.array([0, 8190, 8194, n]),
    }
    ends = [(begin, end) for begin, end in pairwise([0, 700, 8191, 16384, n])]
    whole = touched(compiled, **text, **WALKS[0], **piece((0, n)))
    parts = [touched(compiled, **text, **WALKS[0], **piece(part)) for part in ends]
    for side, rows in enumerate(whole):
        assert rows.tolist() == np.unique(np.concatenate([part[side] for part in parts])).tolist()


# ---- Curvature ---------------------------------------------------------------------------------------------


@for_every_walk
@pytest.mark.parametrize(("parts", "mean"), [([(5, 330)], True), ([(10, 42), (0, 5), (200, 330)], False)])
def test_curvature_is_that_of_the_reference(compiled, padded, walk, parts, mean):
    arguments = TEXT | walk | piece(*parts) | {"mean": mean}
    vectors = matrices_of(walk, padded, scale=0.5)
    found = kernels.get("rounds", compiled).curvature(**vectors, **arguments)
    expected = kernels.get("rounds", "reference").curvature(**vectors, **arguments)
    for matrix, theirs in zip(found[:2], expected[:2], strict=True):
        assert matrix.shape == (32, 32)
        assert matrix.dtype == np.float64
        np.testing.assert_allclose(matrix, theirs, rtol=0, atol=3e-5 * np.abs(theirs).max())
        np.testing.assert_allclose(matrix, matrix.T, rtol=0, atol=1e-5 * np.abs(theirs).max())
        assert not matrix[D:].any()
    assert found[2] == pytest.approx(expected[2], rel=3e-5)


@for_every_walk
def test_curvature_reads_the_rows_that_training_uses(backend, padded, walk):
    kernel, arguments = kernels.get("rounds", backend), TEXT | walk | piece((100, 130))
    rows = touched(backend, **arguments)[:2]
    vectors, others = matrices_of(walk, padded), matrices_of(walk, padded)
    for matrix, used in zip(others.values(), rows, strict=True):
        matrix[np.setdiff1d(np.arange(len(matrix)), used)] = np.nan
        matrix.flags.writeable = False
    found = [kernel.curvature(**side, **arguments) for side in (others, vectors)]
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def second_derivative(loss, row, step=1e-4):
    """The matrix of second derivatives of a function of a row, by central differences."""
    steps = step * np.eye(len(row))
    return np.array(
        [
            [
                (loss(row + a + b) - loss(row + a - b) - loss(row - a + b) + loss(row - a - b))
                / (4 * step**2)
                for b in steps
            ]
            for a in steps
        ]
    )


def test_curvature_is_the_second_derivative_of_the_loss(backend, padded):
    """In the sentence 0 1, each word predicts the other, and every negative is word 2."""
    d = 3
    vectors = {
        name: padded(random.standard_normal((4, d)).astype(np.float32))
        for name in ("input_vectors", "output_vectors")
    }
    x, y = (matrix[:, :d].astype(np.float64) for matrix in vectors.values())
    of_inputs, of_outputs, weight = kernels.get("rounds", backend).curvature(
        **vectors,
        ids=np.array([0, 1], np.int32),
        sentence_offsets=np.array([0, 2]),
        **piece((0, 2)),
        keep=np.full(4, 2**32 - 1, np.uint32),
        noise=alias_table(np.array([0, 0, 1, 0])),
        window=1,
        negatives=1,
        shared=True,
        cbow=False,
        key=KEY,
    )

    def loss(x, y):
        return sum(
            np.logaddexp(0, -x[context] @ y[center]) + np.logaddexp(0, x[context] @ y[2])
            for context, center in ((0, 1), (1, 0))
        )

    def with_row(matrix, i, row):
        return np.concatenate((matrix[:i], [row], matrix[i + 1 :]))

    for_inputs = sum(second_derivative(lambda row, i=i: loss(with_row(x, i, row), y), x[i]) for i in (0, 1))
    for_outputs = sum(
        second_derivative(lambda row, i=i: loss(x, with_row(y, i, row)), y[i]) for i in (0, 1, 2)
    )
    np.testing.assert_allclose(of_inputs[:d, :d], for_inputs, rtol=0, atol=1e-4)
    np.testing.assert_allclose(of_outputs[:d, :d], for_outputs, rtol=0, atol=1e-4)
    p = [1 / (1 + np.exp(-x[context] @ y[out])) for context, out in ((0, 1), (0, 2), (1, 0), (1, 2))]
    assert weight == pytest.approx(sum(own * (1 - own) for own in p), abs=2e-5)


# ---- Exposures ---------------------------------------------------------------------------------------------


def exposed(backend, vectors, walk, **changed):
    """Train on some words, and return Σ p (1 − p) for the rows of inputs and of outputs, and the vectors."""
    exposures = np.zeros((2, max(map(len, vectors.values()))), np.float32)
    train(backend, vectors, walk, **{"start": 5, "stop": 330, "exposures": exposures, **changed})
    return exposures, vectors


WIDE = {"window": 20, "negatives": 7, "shared": True, "cbow": False, "dynamic_window": False}


def is_pooled(walk):
    """Return whether an input is the mean or the sum of several rows."""
    return walk["cbow"] or "subwords" in walk


@pytest.mark.parametrize(
    ("walk", "mean", "scale_gradient"),
    [
        (walk, *how)
        for walk in (*WALKS, WIDE, WIDE | {"cbow": True})
        for how in [(True, True), (True, False), (False, False)][: 3 if is_pooled(walk) else 1]
    ],
    ids=lambda value: "-".join(map(str, value.values()))[:40] if isinstance(value, dict) else str(value),
)
def test_exposures_are_those_of_the_reference(compiled, padded, walk, mean, scale_gradient):
    changed = {"ids": IDS % 40}  # words occur several times in a window
    how = {"mean": mean, "scale_gradient": scale_gradient}
    if is_pooled(walk):  # others are exposed, though they do not move
        changed["frozen"] = (np.arange(N_ROWS) % 5 == 0).astype(np.uint8)
    ours, theirs = (
        exposed(backend, matrices_of(walk, padded, scale=0.3), walk | how, **changed)[0]
        for backend in (compiled, "reference")
    )
    np.testing.assert_allclose(ours, theirs, rtol=3e-4)


def test_exposures_by_hand(backend, padded):
    """In the sentence 0 1 with words that hardly move, each predicts the other, and negatives are word 2."""
    vectors = {name: 0.5 * matrix for name, matrix in matrices(padded).items()}
    x, y = (matrix.astype(np.float64) for matrix in vectors.values())
    found, _ = exposed(
        backend,
        vectors,
        WALKS[0],
        ids=np.array([0, 1], np.int32),
        sentence_offsets=np.array([0, 2]),
        keep=np.full(N_WORDS, 2**32 - 1, np.uint32),
        noise=alias_table(np.arange(N_WORDS) == 2),
        start=0,
        stop=2,
        learning_rate=1e-4,
    )
    expected = np.zeros((2, N_WORDS))
    for context, out, times in ((0, 1, 1), (0, 2, 2), (1, 0, 1), (1, 2, 2)):
        p = 1 / (1 + np.exp(-x[context] @ y[out]))
        expected[0, context] += times * p * (1 - p)
        expected[1, out] += times * p * (1 - p)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


# Of rows that are scored by their mean or sum: that, and how far it goes if each of two moves as asked for.
REACH = {(True, True): 1 / 2, (True, False): 1, (False, True): 2, (False, False): 1}


@pytest.mark.parametrize("ngrams", [False, True])
@pytest.mark.parametrize(("mean", "scale_gradient"), REACH)
def test_exposures_of_rows_that_are_scored_together(backend, padded, ngrams, mean, scale_gradient):
    """In the sentence 0 1 2, the rows of two words predict the third, or those of one word each other one."""
    vectors = {name: 0.3 * matrix for name, matrix in matrices(padded).items()}
    x, y = (matrix.astype(np.float64) for matrix in vectors.values())
    walk = {"window": 2, "negatives": 2, "shared": False, "cbow": not ngrams, "dynamic_window": False}
    if ngrams:  # of words that have their own row, and the one 10 further on
        rows = np.arange(N_WORDS)[:, np.newaxis] + [0, 10]
        walk["subword_offsets"] = np.repeat(2 * np.arange(N_WORDS + 1), 2)[1:]
        walk["subwords"] = (rows % N_WORDS).astype(np.int32).ravel()
    found, _ = exposed(
        backend,
        vectors,
        walk | {"mean": mean, "scale_gradient": scale_gradient},
        ids=np.array([0, 1, 2], np.int32),
        sentence_offsets=np.array([0, 3]),
        keep=np.full(N_WORDS, 2**32 - 1, np.uint32),
        noise=alias_table(np.arange(N_WORDS) == 4),
        start=0,
        stop=3,
        learning_rate=1e-4,
    )
    expected = np.zeros((2, N_WORDS))
    for word in range(3):
        others = [other for other in range(3) if other != word]
        inputs = [word, word + 10] if ngrams else others
        h = x[inputs].mean(axis=0) if mean else x[inputs].sum(axis=0)
        for target in others if ngrams else [word]:
            for out, times in ((target, 1), (4, 2)):
                p = 1 / (1 + np.exp(-h @ y[out]))
                expected[0, inputs] += REACH[mean, scale_gradient] * times * p * (1 - p)
                expected[1, out] += times * p * (1 - p)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


@for_every_walk
def test_rows_that_training_uses_are_exposed(backend, padded, walk):
    """Even those whose scores are so high or low that nothing is left of p (1 − p)."""
    rows = touched(backend, **TEXT, **walk, **piece((5, 330)))[:2]
    for scale in (1, 30):
        found, _ = exposed(backend, matrices_of(walk, padded, scale=scale), walk)
        for of_side, used in zip(found, rows, strict=True):
            assert np.flatnonzero(of_side).tolist() == used.tolist()


@for_every_walk
def test_training_is_the_same_with_and_without_exposures(backend, padded, walk):
    _, ours = exposed(backend, matrices_of(walk, padded), walk)
    _, theirs = exposed(backend, matrices_of(walk, padded), walk, exposures=None)
    for name, matrix in ours.items():
        assert matrix.tobytes() == theirs[name].tobytes()


@for_every_walk
def test_exposures_are_of_all_rows(compiled, padded, walk):
    vectors = matrices_of(walk, padded)
    n = len(vectors["input_vectors"])
    wrong = np.zeros((2, n - 1), np.float32)
    with pytest.raises(ValueError, match=rf"exposures must be 2 rows of {n} numbers, got \(2, {n - 1}\)"):
        exposed(compiled, vectors, walk, exposures=wrong)


def test_exposures_are_of_plain_means(backend, padded):
    weights = padded(np.ones((6, D)))
    with pytest.raises(ValueError, match="position_weights must be None with exposures"):
        exposed(backend, matrices(padded), WALKS[4] | {"position_weights": weights})


# ---- Matrices of some rows only ----------------------------------------------------------------------------


@pytest.mark.parametrize("walk", WALKS[:6], ids=lambda walk: f"{walk}")
def test_matrices_of_the_rows_that_are_used_train_as_the_whole_ones(backend, padded, walk):
    kernel, (start, stop) = kernels.get("rounds", backend), (100, 130)
    arguments = TEXT | walk | piece((start, stop))
    rows = touched(backend, **arguments)[:2]
    used = np.union1d(*rows)
    assert len(used) < N_WORDS
    random = np.random.default_rng(6)
    places = np.zeros(N_WORDS, np.int32)
    places[used] = random.permutation(len(used))
    vectors, frozen = matrices(padded), random.integers(0, 2, N_WORDS).astype(np.uint8)
    own = {name: padded(np.zeros((len(used), D))) for name in vectors}
    own_frozen = np.zeros(len(used), np.uint8)
    own_frozen[places[used]] = frozen[used]
    for name, of_side in zip(vectors, rows, strict=True):
        kernel.take(vectors[name], 0, of_side, own[name], places)
    found = kernel.curvature(**own, **arguments, places=places)
    for ours, theirs in zip(found, kernel.curvature(**vectors, **arguments), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    before = matrices(padded)
    exposures = np.zeros((2, N_WORDS), np.float32)
    of_own = {"places": places, "frozen": own_frozen, "exposures": np.zeros((2, len(used)), np.float32)}
    of_whole = {"frozen": frozen, "exposures": exposures}
    of_pieces = train(backend, own, walk, start, stop, **of_own)
    assert of_pieces == train(backend, vectors, walk, start, stop, **of_whole)
    assert exposures.any(axis=1).all()
    np.testing.assert_array_equal(of_own["exposures"][:, places[used]], exposures[:, used])
    for name, of_side in zip(vectors, rows, strict=True):
        np.testing.assert_array_equal(own[name][places[of_side]], vectors[name][of_side])
        moved = vectors[name][of_side] - before[name][of_side]
        changes = np.zeros(moved.shape, np.uint16)
        kernel.subtract(before[name], 0, of_side, own[name], changes, places)
        np.testing.assert_array_equal(changes, bfloat16(moved))
        assert changes.any()


@pytest.mark.parametrize("walk", WALKS[6:], ids=lambda walk: f"{walk['window']}-{walk['cbow']}")
def test_matrices_of_the_ngrams_that_are_used_train_as_the_whole_ones(backend, padded, walk):
    kernel, (start, stop) = kernels.get("rounds", backend), (100, 104)
    arguments = TEXT | walk | piece((start, stop))
    inputs, outputs, words = touched(backend, **arguments)
    names = np.random.default_rng(6).permutation(np.union1d(words, outputs))
    assert len(names) < N_WORDS and len(inputs) < N_ROWS
    places, of_inputs = np.full(N_WORDS, len(names)), np.full(N_ROWS, len(inputs))
    places[names], of_inputs[inputs] = np.arange(len(names)), np.arange(len(inputs))
    offsets, subwords = walk["subword_offsets"], walk["subwords"]
    parts = [subwords[offsets[2 * word + i] : offsets[2 * word + i + 1]] for word in names for i in range(2)]
    few = {
        "subword_offsets": np.cumsum([0, *map(len, parts)]),
        "subwords": of_inputs[np.concatenate(parts)].astype(np.int32),
        "places": places.astype(np.int32),
    }
    vectors = matrices_of(walk, padded)
    whole, rows = list(vectors.values()), (inputs, names)
    own = {name: padded(np.full((len(matrix), D), np.nan)) for name, matrix in vectors.items()}
    for name, used in zip(vectors, rows, strict=True):
        own[name][: len(used)] = vectors[name][used]
    found = kernel.curvature(**own, **(arguments | few))
    for ours, theirs in zip(found, kernel.curvature(**vectors, **arguments), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    frozen = np.arange(N_ROWS, dtype=np.uint8) % 2
    of_own, of_whole = (np.zeros((2, N_ROWS), np.float32) for _ in range(2))
    n_pairs = train(backend, own, walk | few, start, stop, frozen=frozen[inputs], exposures=of_own)
    assert n_pairs == train(backend, vectors, walk, start, stop, frozen=frozen, exposures=of_whole) > 0
    for side, used in enumerate(rows):
        np.testing.assert_array_equal([*own.values()][side][: len(used)], whole[side][used])
        np.testing.assert_array_equal(of_own[side, : len(used)], of_whole[side, used])


def test_places_are_rows_of_the_matrix(backend, padded):
    kernel, block, rows = kernels.get("rounds", backend), padded(np.ones((9, D))), np.array([2, 7], np.int32)
    for places in ([0, 0, 2, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0, -1], [0, 0, 1]):
        with pytest.raises(ValueError, match="places must be from 0 to 1 for all rows, got another of"):
            kernel.take(block, 0, rows, padded(np.ones((2, D))), np.array(places, np.int32))


# ---- What a lane has changed -------------------------------------------------------------------------------


def bfloat16(numbers):
    """Return the upper halves of the bits of numbers, rounded as ml_dtypes, JAX and PyTorch do."""
    up, down = (numbers.view(np.uint32) + np.uint32(more) >> 16 for more in (0x8000, 0x7FFF))
    return np.where(up % 2 == 0, up, down).astype(np.uint16)


def rounded(numbers):
    return (bfloat16(numbers).astype(np.uint32) << 16).view(np.float32)


ROWS = [np.array(rows, np.int32) for rows in ([0, 3, 4, 298], [3, 299], [], [0, 4, 7, 8, 9, 10, 299])]
EXPOSURES = [0.25 * np.arange(1, len(rows) + 1)[:, np.newaxis] ** (1, 2) for rows in ROWS]


def rows_like(matrix, seed):
    return np.random.default_rng(seed).standard_normal(matrix.shape).astype(np.float32)


def test_lanes_leave_the_matrix_as_it_was_and_their_changes_in_the_sums(backend, padded):
    kernel = kernels.get("rounds", backend)
    matrix, sums = padded(rows_like(np.empty((300, D)), 1)), padded(np.full((300, D), np.nan))
    before, counts, copies = matrix.copy(), np.zeros((300, 2)), padded(np.full((300, D), np.nan))
    expected, of_rows_used = np.zeros_like(matrix), np.zeros((300, 2))
    for seed, (rows, exposures) in enumerate(zip(ROWS, EXPOSURES, strict=True)):
        kernel.take(matrix, 0, rows, copies)
        matrix[rows, :D] += rows_like(matrix[rows, :D], seed)
        expected[rows] += rounded(matrix[rows] - before[rows])
        of_rows_used[rows] += exposures
        kernel.withdraw(matrix, rows, exposures, copies, sums, counts)
        assert matrix.tobytes() == before.tobytes()
    assert counts.tobytes() == of_rows_used.tobytes()
    used = np.unique(np.concatenate(ROWS))
    assert sums[used].tobytes() == expected[used].tobytes()
    assert np.isnan(sums[:, :D]).all(axis=1).sum() == 300 - len(used)


def test_changes_are_rounded_to_the_nearest_number_and_stay_what_they_are_beyond_all(backend, padded):
    kernel, rows = kernels.get("rounds", backend), np.array([0], np.int32)
    exact = np.array([1.00390625, 1.01171875, -1.0039064, 1e-41, 3.4e38, -np.inf, np.nan], np.float32)
    # the first two are in the middle between two numbers
    nearest = [0x3F80, 0x3F82, 0xBF81, 0x0000, 0x7F80, 0xFF80, 0x7FC0]
    before, after = padded(np.zeros((1, 7))), padded(exact[np.newaxis])
    changes = np.ones(before.shape, np.uint16)
    kernel.subtract(before, 0, rows, after, changes)
    assert changes[0].tolist() == nearest + [0] * (before.shape[1] - 7)
    here, there = padded(np.zeros((1, 7))), padded(np.zeros((1, 7)))
    kernel.add(rows, np.ones((1, 2)), changes, 0, there, np.zeros((1, 2)))
    kernel.withdraw(after, rows, np.ones((1, 2)), before, here, np.zeros((1, 2)))
    assert here.tobytes() == there.tobytes() == rounded(padded(exact[np.newaxis])).tobytes()
    shortened = np.ones((2, before.shape[1]), np.uint16)
    kernel.shorten(padded(exact[np.newaxis]), shortened)
    assert shortened[0].tolist() == changes[0].tolist() and shortened[1].all()


def test_lanes_with_matrices_of_their_own_come_to_the_same_sums(backend, padded):
    kernel = kernels.get("rounds", backend)
    before = padded(rows_like(np.empty((300, D)), 1))
    here, counts_here = padded(np.zeros((300, D))), np.zeros((300, 2))
    of_blocks, counts = padded(np.full((300, D), np.nan)), np.zeros((300, 2))
    for seed, (rows, exposures) in enumerate(zip(ROWS, EXPOSURES, strict=True)):
        own = padded(np.full((300, D), np.nan))
        changes = np.zeros((9, own.shape[1]), np.uint16)
        after = before.copy()
        after[rows, :D] += rows_like(before[rows, :D], seed)
        for begin, end in ((0, 4), (4, 299), (299, 300)):
            block = before[begin:end]
            block.flags.writeable = False
            of_block = (rows >= begin) & (rows < end)
            kernel.take(block, begin, rows[of_block], own)
            assert np.array_equal(own[rows[of_block]], before[rows[of_block]])
            own[rows[of_block]] = after[rows[of_block]]
            kernel.subtract(block, begin, rows[of_block], own, changes)
            kernel.add(
                rows[of_block], exposures[of_block], changes, begin, of_blocks[begin:end], counts[begin:end]
            )
        assert np.isnan(own[:, :D]).all(axis=1).sum() == 300 - len(rows)
        kernel.withdraw(after, rows, exposures, before, here, counts_here)
    used = np.unique(np.concatenate(ROWS))
    assert of_blocks[used].tobytes() == here[used].tobytes()
    assert counts.tobytes() == counts_here.tobytes()


@pytest.mark.parametrize(
    ("name", "wrong", "sentence"),
    [
        ("withdraw", {"rows": [-1]}, "rows must be from 0 to 4, got -1"),
        ("withdraw", {"rows": [5]}, "rows must be from 0 to 4, got 5"),
        ("take", {"rows": [9], "first_row": 4}, "rows must be from 4 to 8, got 9"),
        ("take", {"rows": [7], "first_row": 4}, "rows must be from 0 to 4, got 7"),
        ("subtract", {"rows": [3], "first_row": 4}, "rows must be from 4 to 8, got 3"),
        ("add", {"rows": [3], "first_row": 4}, "rows must be from 4 to 8, got 3"),
        ("withdraw", {"copies": (4, 16)}, r"copies of 5 rows of 16 numbers, got \(4, 16\)"),
        ("withdraw", {"copies": (5, 32)}, r"copies of 5 rows of 16 numbers, got \(5, 32\)"),
        ("take", {"matrix": (5, 32)}, r"copies of 0 rows of 16 numbers, got \(5, 32\)"),
        ("subtract", {"changes": (0, 16)}, r"changes of 1 rows of 16 numbers, got \(0, 16\)"),
        ("add", {"changes": (0, 16)}, r"changes of 1 rows of 16 numbers, got \(0, 16\)"),
        (
            "withdraw",
            {"exposures": (0, 2)},
            r"exposures must be 2 numbers for each of 1 rows .* got \(0, 2\)",
        ),
        ("add", {"exposures": (1, 1)}, r"exposures must be 2 numbers for each of 1 rows .* got \(1, 1\)"),
        ("shorten", {"changes": (4, 16)}, r"changes of 5 rows of 16 numbers, got \(4, 16\)"),
        ("withdraw", {"sums": (4, 16)}, r"sums must be 5 rows of 16 numbers, and counts of 2, got \(4, 16\)"),
        ("add", {"counts": (4, 2)}, r"sums must be 5 rows of 16 numbers, and counts of 2, got \(5, 16\) and"),
    ],
)
def test_rows_that_do_not_fit(backend, padded, name, wrong, sentence):
    of_rows = {"rows": np.array([4], np.int32), "exposures": np.ones((1, 2))}
    rows = {part: padded(np.zeros((5, 16))) for part in ("matrix", "block", "copies", "sums")}
    rows["changes"] = np.zeros((5, 16), np.uint16)
    every = rows | of_rows | {"counts": np.zeros((5, 2)), "first_row": 0}
    takes = {
        "withdraw": ("matrix", "rows", "exposures", "copies", "sums", "counts"),
        "take": ("block", "first_row", "rows", "matrix"),
        "subtract": ("block", "first_row", "rows", "matrix", "changes"),
        "add": ("rows", "exposures", "changes", "first_row", "sums", "counts"),
        "shorten": ("sums", "changes"),
    }
    for part, value in wrong.items():
        like = every[part]
        if isinstance(value, tuple):
            every[part] = np.zeros(value, like.dtype)
        else:
            every[part] = np.array(value, like.dtype) if isinstance(value, list) else value
    with pytest.raises(ValueError, match=sentence):
        getattr(kernels.get("rounds", backend), name)(**{part: every[part] for part in takes[name]})


# ---- Combining lanes ---------------------------------------------------------------------------------------


def directions_of(d, k):
    """Return k of the orthonormal rows of a basis, all d of them, and eigenvalues, the first the highest.

    Those behind the first k are equal.
    """
    random = np.random.default_rng([d, k])
    every = np.linalg.qr(random.standard_normal((d, d)))[0]
    eigenvalues = np.sort(random.uniform(0.01, 3, d))[::-1]
    if k < d:
        eigenvalues[k:] = eigenvalues[k:].mean()
    return np.ascontiguousarray(every[:k], np.float32), every, eigenvalues


def curvature_of(d, k):
    """Return the arguments of `combine` that say the curvature."""
    directions, _, eigenvalues = directions_of(d, k)
    return {
        "directions": directions,
        "eigenvalues": eigenvalues[:k].astype(np.float32),
        "rest": float(eigenvalues[k]) if k < d else 0.0,
        "others": np.empty((0, d), np.float32),
    }


def combined(backend, arguments):
    """Return a block as `combine` leaves a copy of it."""
    copied = {name: arguments[name].copy() for name in ("block", "sums", "counts")}
    assert kernels.get("rounds", backend).combine(**arguments | copied) is None
    assert not copied["counts"].any()
    return copied["block"]


def lanes_with_all_rows(block, changes, updates, rate, curvature):
    """Return the arguments of `combine` for lanes that use all rows of a block."""
    each = [np.broadcast_to(own, len(block)) for own in updates]
    return curvature | {
        "block": block,
        "sums": np.sum(changes, axis=0, dtype=np.float32),
        "counts": np.stack([np.sum(each, axis=0), np.sum(np.square(each), axis=0)], axis=1) * 1.0,
        "rate": rate,
    }


@pytest.mark.parametrize("k", [0, 5, 6, 16, 33])
def test_equal_lanes_contract_as_they_would_one_after_the_other(backend, k):
    """Rows near the minimum of a quadratic loss, and lanes that follow its gradient for a time a."""
    d, n_rows, n_lanes, rate = 33, 9, 5, 0.01
    _, every, eigenvalues = directions_of(d, k)
    random = np.random.default_rng(1)
    optimum, block = random.standard_normal((2, n_rows, d)).astype(np.float32)
    updates = random.integers(1, 400, n_rows)
    distance = (block - optimum).astype(np.float64)

    def after(a):
        return (distance @ every.T * np.exp(-a[:, np.newaxis] * eigenvalues)) @ every

    change = (after(rate * updates) - distance).astype(np.float32)
    lanes = [change] * n_lanes, [updates] * n_lanes, rate
    moved = combined(backend, lanes_with_all_rows(block, *lanes, curvature_of(d, k)))
    in_turn = after(n_lanes * rate * updates)
    np.testing.assert_allclose(moved - optimum, in_turn, rtol=0, atol=0.04)  # some are as the rest
    steep = (n_lanes * rate * updates)[:, np.newaxis] * (eigenvalues[-1] - eigenvalues) > 0.05
    np.testing.assert_allclose(((moved - optimum - in_turn) @ every.T)[steep], 0, atol=2e-5)
    assert np.abs(distance + n_lanes * change - in_turn).max() > 1  # the sum goes too far


def test_lanes_that_differ_count_as_fewer(backend):
    _, every, eigenvalues = directions_of(8, 8)
    updates, rate = [30, 300, 7], 0.02
    changes = np.random.default_rng(2).standard_normal((3, 1, 8)).astype(np.float32)
    a = np.multiply(updates, rate)
    m = a.sum() ** 2 / (a**2).sum()
    assert 1 < m < 2
    factors = (1 - np.exp(-a.sum() * eigenvalues)) / (m * (1 - np.exp(-a.sum() * eigenvalues / m)))
    start = np.zeros((1, 8), np.float32)
    moved = combined(backend, lanes_with_all_rows(start, changes, updates, rate, curvature_of(8, 8)))
    np.testing.assert_allclose(moved, changes.sum(axis=0) @ every.T * factors @ every, rtol=0, atol=1e-5)


@pytest.mark.parametrize("rate", [0.0, 1e-12, 0.01, 10.0, 1e6])
def test_one_lane_is_taken_as_it_is(backend, rate):
    block, change = np.random.default_rng(3).standard_normal((2, 4, 20)).astype(np.float32)
    moved = combined(backend, lanes_with_all_rows(block, [change], [1000], rate, curvature_of(20, 7)))
    assert moved.tobytes() == (block + change).tobytes()


@pytest.mark.parametrize(("rate", "factor"), [(0.0, 1), (1e-12, 1), (1e6, 1 / 2)])
def test_flat_rows_take_the_sum_and_steep_ones_the_mean(backend, rate, factor):
    changes = np.random.default_rng(3).standard_normal((2, 4, 20)).astype(np.float32)
    start, lanes = np.zeros((4, 20), np.float32), (changes, [1000] * 2, rate)
    moved = combined(backend, lanes_with_all_rows(start, *lanes, curvature_of(20, 7)))
    np.testing.assert_allclose(moved, factor * changes.sum(axis=0), rtol=0, atol=3e-6)


def test_eigenvalues_below_zero_by_rounding_are_flat(backend):
    curvature = curvature_of(20, 7) | {"eigenvalues": np.linspace(-1e-3, 0, 7, dtype=np.float32)}
    curvature["eigenvalues"][0], curvature["rest"] = 1e-5, -1e-3
    changes = np.random.default_rng(3).standard_normal((2, 1, 20)).astype(np.float32)
    start = np.zeros((1, 20), np.float32)
    moved = combined(backend, lanes_with_all_rows(start, changes, [1000] * 2, 1.0, curvature))
    np.testing.assert_allclose(moved, changes.sum(axis=0), rtol=0, atol=0.02)


def a_round(d, k, n_rows=50):
    """Arguments of `combine`; the third part of the rows is used by no lane, and one row by one lane."""
    random = np.random.default_rng([d, k])
    updates = random.integers(1, 500, (5, n_rows)) * (random.random((5, n_rows)) < 0.7)
    updates[:, ::3] = 0
    updates[:, 1] = [7, 0, 0, 0, 0]
    block, sums = random.standard_normal((2, n_rows, d)).astype(np.float32)
    return curvature_of(d, k) | {
        "block": block,
        "sums": sums,
        "counts": np.stack([updates.sum(axis=0), (updates**2).sum(axis=0)], axis=1) * 1.0,
        "rate": 0.01,
        "others": directions_of(d, min(k, 8))[0][::-1].copy(),
    }


@pytest.mark.parametrize(
    ("d", "k"), [(1, 0), (1, 1), (7, 3), (16, 6), (16, 16), (33, 15), (100, 32), (112, 0)]
)
def test_combining_is_that_of_the_reference(compiled, d, k):
    arguments = a_round(d, k)
    for rate in (0.01, 1e-5, 3e-6):
        arguments["rate"] = rate
        ours, theirs = (combined(backend, arguments) for backend in (compiled, "reference"))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-5)


def test_blocks_of_any_size_have_the_same_bytes_but_for_what_sides_share(compiled):
    arguments = a_round(33, 9) | {"others": np.empty((0, 33), np.float32)}
    by_row = ("block", "sums", "counts")
    parts = [
        combined(compiled, arguments | {name: arguments[name][begin:end] for name in by_row})
        for begin, end in pairwise([0, 1, 20, 20, 49, 50])
    ]
    assert combined(compiled, arguments).tobytes() == np.concatenate(parts).tobytes()


def test_what_both_sides_correct_is_done_once(backend):
    """Rows whose whole push is linear in themselves, of one lane, so that nothing else is held back."""
    d, q, rate, updates = 20, 3, 0.02, np.arange(5, 400, 5)
    curvature, (_, every, eigenvalues) = curvature_of(d, 7), directions_of(d, 7)
    random = np.random.default_rng(1)
    others = np.linalg.qr(random.standard_normal((d, d)))[0][:q].astype(np.float32)
    block = random.standard_normal((len(updates), d)).astype(np.float32)
    pushed = block @ others.T @ random.standard_normal((q, q))
    s = 1 - np.exp(-rate * updates[:, np.newaxis] * eigenvalues[:q])
    elsewhere = random.standard_normal((len(updates), 1)) * every[5]
    change = (s * pushed @ every[:q] + elsewhere).astype(np.float32)
    arguments = lanes_with_all_rows(block, [change], [updates], rate, curvature | {"others": others})
    moved = combined(backend, arguments)
    expected = (s - s**2 / 2) * pushed @ every[:q] + elsewhere
    steep = rate * updates * eigenvalues[0] > 0.05
    np.testing.assert_allclose((moved - block)[steep], expected[steep], rtol=0, atol=5e-3)
    assert np.abs(change - expected).max() > 0.5
    assert combined(backend, arguments | {"rate": 0.0}).tobytes() == (block + change).tobytes()


def test_rows_that_no_lane_used_keep_their_bytes(backend):
    arguments = a_round(16, 4)
    used = np.flatnonzero(arguments["counts"][:, 0])
    changed = (combined(backend, arguments) != arguments["block"]).any(axis=1)
    assert np.flatnonzero(changed).tolist() == used.tolist()
    assert len(used) < len(changed)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"others": np.zeros((5, 16), np.float32)}, r"others must be at most 4 rows of 16, got \(5, 16\)"),
        ({"others": np.zeros((2, 15), np.float32)}, r"others must be at most 4 rows of 16, got \(2, 15\)"),
        ({"eigenvalues": np.ones(3, np.float32)}, r"directions must be 3 rows of 16, got \(4, 16\)"),
        ({"sums": np.zeros((50, 15), np.float32)}, "sums must be 50 rows of 16 numbers, and counts of 2"),
        ({"counts": np.zeros((49, 2))}, "sums must be 50 rows of 16 numbers, and counts of 2"),
    ],
)
def test_what_does_not_fit_together(backend, wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        combined(backend, a_round(16, 4) | wrong)


# ---- Balance -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("q", [1, 4, 8])
def test_moments_and_growth_along_directions(backend, padded, q):
    kernel, random = kernels.get("rounds", backend), np.random.default_rng(q)
    matrix, growth = padded(random.standard_normal((30, D))), random.standard_normal((q, q))
    guides = padded(np.linalg.qr(random.standard_normal((D, D)))[0][:q])
    rows, before = np.arange(2, 30, 3, dtype=np.int32), matrix.astype(np.float64)
    along = before[rows] @ guides.T.astype(np.float64)
    np.testing.assert_allclose(kernel.moment(matrix, rows, guides), along.T @ along, rtol=0, atol=2e-5)
    assert not kernel.moment(matrix, rows[:0], guides).any()
    assert kernel.stretch(matrix, rows, guides, growth.astype(np.float32)) is None
    before[rows] += along @ growth.T @ guides
    np.testing.assert_allclose(matrix, before, rtol=0, atol=2e-5)
    assert (matrix[0] == before[0]).all()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"rows": np.array([3], np.int32)}, "rows must be from 0 to 2, got 3"),
        ({"directions": np.zeros((2, 32), np.float32)}, "directions must be rows of 16 numbers, got 32"),
        ({"growth": np.zeros((2, 3), np.float32)}, r"growth must be of 2 directions, .* got \(2, 3\)"),
    ],
)
def test_growth_that_does_not_fit(backend, padded, wrong, sentence):
    kernel = kernels.get("rounds", backend)
    arguments = {
        "matrix": padded(np.zeros((3, 16))),
        "rows": np.array([1], np.int32),
        "directions": padded(np.zeros((2, 16))),
        "growth": np.zeros((2, 2), np.float32),
    } | wrong
    with pytest.raises(ValueError, match=sentence):
        kernel.stretch(**arguments)
    if "growth" not in wrong:
        del arguments["growth"]
        with pytest.raises(ValueError, match=sentence):
            kernel.moment(**arguments)
