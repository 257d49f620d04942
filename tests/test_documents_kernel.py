"""Training on documents is a step of the full softmax for each, one after the other, in the order given."""

from itertools import pairwise

import numpy as np
import pytest
from inside import Copies, HuffmanTree, alias_table
from objectives import logistic_loss, numeric_gradient
from one_test import in_one_test

from fastvec import kernels
from fastvec.reference.sampling import draw, draw_noise

N_ROWS = 23
NAMES = ("input_vectors", "output_vectors")
# Rows repeat, the first and the last document and two in the middle have none.
LENGTHS = [0, 3, 1, 7, 0, 0, 2, 30, 1, 5, 16, 4, 1, 9, 0]
OFFSETS = np.concatenate(([0], np.cumsum(LENGTHS))).astype(np.int64)
INPUTS = np.random.default_rng(1).integers(0, N_ROWS, OFFSETS[-1]).astype(np.int32)
INPUTS[1] = INPUTS[0]
# Every document is there, some twice, one of them twice in a row.
ORDER = np.array([7, 3, 0, 13, 1, 1, 9, 4, 14, 2, 5, 6, 8, 10, 11, 12, 7, 3, 9], np.int32)
N_TRAINED = int(np.sum(np.diff(OFFSETS)[ORDER] > 0))


def labels_of(n_labels):
    """A label for every document; all occur, where there are fewer labels than documents."""
    return np.random.default_rng(2).permutation(np.arange(len(LENGTHS)) % n_labels).astype(np.int32)


def start(padded, size=20, n_labels=5):
    random = np.random.default_rng(3)
    scale = 1.5 / size**0.25
    shapes = zip(NAMES, (N_ROWS, n_labels), strict=True)
    return {name: padded(scale * random.standard_normal((n, size))) for name, n in shapes}


def train(backend, matrices, n_labels=5, **changed):
    arguments = {
        "inputs": INPUTS,
        "input_offsets": OFFSETS,
        "labels": labels_of(n_labels),
        "order": ORDER,
        "start": 0,
        "stop": len(ORDER),
        "learning_rate": 0.05,
        "loss_every": 1,
    }
    return kernels.get("documents", backend).train(**matrices, **arguments | changed)


def steps(backend, matrices, n_labels=5, learning_rate=0.05):
    """Take the steps one by one; return the loss of every place of the order, None where there is no step."""
    labels, one, losses = labels_of(n_labels), np.array([0, 1]), []
    for document in ORDER:
        rows = INPUTS[OFFSETS[document] : OFFSETS[document + 1]]
        step = {
            "inputs": rows,
            "input_offsets": np.array([0, len(rows)]),
            "targets": labels[document : document + 1],
            "target_offsets": one,
            "mean": True,
            "scale_gradient": True,
            "learning_rate": learning_rate,
        }
        losses.append(kernels.get("softmax", backend).step(**matrices, **step) if len(rows) else None)
    return losses


def bits(matrices):
    return {name: matrix.tobytes() for name, matrix in matrices.items()}


def assert_near(matrices, expected, tolerance=1e-5):
    for name in NAMES:
        np.testing.assert_allclose(matrices[name], expected[name], rtol=0, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("n_labels", [2, 5, 6, 7, 13])
@in_one_test("size", [1, 7, 8, 15, 16, 17, 33, 100])
def test_train_is_one_step_after_the_other(backend, padded, size, n_labels):
    trained, expected, before = (start(padded, size, n_labels) for _ in range(3))
    loss, sampled, n_trained = train(backend, trained, n_labels)
    losses = [each for each in steps(backend, expected, n_labels) if each is not None]
    assert_near(trained, expected)
    assert loss == pytest.approx(sum(losses), rel=1e-6)
    assert sampled == n_trained == len(losses) == N_TRAINED
    for name in NAMES:
        assert np.abs(trained[name] - before[name]).max() > 0.01, name
        assert not trained[name][:, size:].any(), name


@pytest.mark.parametrize("n_labels", [2, 6, 13])
@in_one_test("size", [1, 16, 100])
def test_every_backend_does_what_the_reference_does(compiled, padded, size, n_labels):
    ours, theirs = (start(padded, size, n_labels) for _ in range(2))
    (loss, *counts), (expected, *others) = (
        train(name, matrices, n_labels) for name, matrices in ((compiled, ours), ("reference", theirs))
    )
    assert_near(ours, theirs)
    assert counts == others
    assert loss == pytest.approx(expected, rel=1e-5)


def test_the_order_matters(backend, padded):
    ours, other = start(padded), start(padded)
    train(backend, ours)
    train(backend, other, order=ORDER[::-1].copy())
    for name in NAMES:
        assert np.abs(ours[name] - other[name]).max() > 1e-4, name


def test_a_row_that_is_repeated_moves_as_often(backend, padded):
    once, twice, before = (start(padded) for _ in range(3))
    labels = np.zeros(2, np.int32)
    for matrices, rows in ((once, [4, 9]), (twice, [4, 4, 9, 9])):  # their means are the same
        train(
            backend,
            matrices,
            inputs=np.array(rows, np.int32),
            input_offsets=np.array([0, len(rows)]),
            labels=labels,
            order=labels[:1],
            stop=1,
        )
    assert np.abs(once["input_vectors"][[4, 9]] - before["input_vectors"][[4, 9]]).max() > 1e-3
    assert_near(once, twice, 1e-6)


def test_rows_and_documents_that_are_not_asked_for_stay(backend, padded):
    matrices, before = start(padded), start(padded)
    assert train(backend, matrices, start=3, stop=4)[1:] == (1, 1)
    used = np.zeros(N_ROWS, dtype=bool)
    used[INPUTS[OFFSETS[13] : OFFSETS[14]]] = True
    moved = (matrices["input_vectors"] != before["input_vectors"]).any(axis=1)
    np.testing.assert_array_equal(moved, used)


def test_documents_without_rows_are_passed_over(backend, padded):
    matrices, before = start(padded), start(padded)
    empty = np.array([0, 4, 14, 5], np.int32)
    assert train(backend, matrices, order=empty, stop=4) == (0, 0, 0)
    nothing = {"inputs": np.empty(0, np.int32), "input_offsets": np.zeros(16, np.int64)}
    assert train(backend, matrices, **nothing) == (0, 0, 0)
    assert train(backend, matrices, start=2, stop=2) == (0, 0, 0)
    assert bits(matrices) == bits(before)


@pytest.mark.parametrize("loss_every", [1, 2, 3, 4, 16, 100])
def test_the_loss_is_taken_at_the_places_that_it_divides(backend, padded, loss_every):
    matrices, all_sampled = start(padded), start(padded)
    losses = steps(backend, start(padded))
    loss, sampled, n_trained = train(backend, matrices, loss_every=loss_every)
    of_places = [each for each in losses[::loss_every] if each is not None]
    assert (sampled, n_trained) == (len(of_places), N_TRAINED)
    assert loss == pytest.approx(sum(of_places), rel=1e-6)
    train(backend, all_sampled)
    assert bits(matrices) == bits(all_sampled)


def test_the_loss_is_that_before_the_update(backend, padded):
    matrices = start(padded)
    document = INPUTS[OFFSETS[3] : OFFSETS[4]]
    hidden = matrices["input_vectors"][document].mean(axis=0, dtype=np.float64)
    scores = matrices["output_vectors"] @ hidden
    expected = np.log(np.exp(scores).sum()) - scores[labels_of(5)[3]]
    loss, *_ = train(backend, matrices, start=1, stop=2, learning_rate=1)
    assert loss == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("ends", [[7], [1, 2, 3], range(1, len(ORDER)), [5, 5, 18]])
def test_chunks_are_the_same_as_one(backend, padded, ends):
    whole, parts = start(padded), start(padded)
    expected = train(backend, whole, loss_every=2)
    chunks = pairwise([0, *ends, len(ORDER)])
    found = [train(backend, parts, start=begin, stop=end, loss_every=2) for begin, end in chunks]
    loss, *counts = map(sum, zip(*found, strict=True))
    assert bits(parts) == bits(whole)
    assert tuple(counts) == expected[1:]
    assert loss == pytest.approx(expected[0], rel=1e-12)


def test_without_a_learning_rate_nothing_moves(backend, padded):
    matrices, before = start(padded), start(padded)
    loss, *_ = train(backend, matrices, learning_rate=0)
    assert loss > 0
    assert bits(matrices) == bits(before)


def test_large_scores_do_not_overflow(backend, padded):
    matrices = start(padded)
    for matrix in matrices.values():
        matrix *= 100
    loss, *_ = train(backend, matrices, learning_rate=1e-3)
    assert np.isfinite(loss)
    assert all(np.isfinite(matrix).all() for matrix in matrices.values())


def test_training_learns_the_labels(backend, padded):
    matrices = start(padded)
    first, *_ = train(backend, matrices, learning_rate=0.5)
    for _ in range(100):
        loss, *_ = train(backend, matrices, learning_rate=0.5)
    assert loss < 0.05 * first


# ---- Other losses: logistic ones, of outputs that differ --------------------------------------------------

LOGISTIC = ("train_one_vs_all", "train_paths", "train_negatives")


def arguments_of(function, n_labels):
    """What a function takes beside matrices and documents, and how many rows the outputs have."""
    random = np.random.default_rng(4)
    if function == "train_one_vs_all":
        sizes = np.arange(len(LENGTHS)) % (min(n_labels, 3) + 1)  # no labels, one, and several
        labels = [random.choice(n_labels, size, replace=False) for size in sizes]
        offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        return {"labels": np.concatenate(labels).astype(np.int32), "label_offsets": offsets}, n_labels
    labels = labels_of(n_labels)
    if function == "train_paths":
        paths = HuffmanTree.as_in_fasttext(np.bincount(labels, minlength=n_labels)).paths()
        names = ("path_offsets", "path_nodes", "path_codes")
        return {"labels": labels, **dict(zip(names, paths, strict=True))}, n_labels - 1
    noise = alias_table(np.arange(1, n_labels + 1))
    return {"labels": labels, "noise": noise, "negatives": 4, "key": 2**63 + 5}, n_labels


def outputs_of(document, place, labels, label_offsets=None, **more):
    """The outputs that are to be high for a document, and those that are to be low."""
    if label_offsets is not None:
        high = labels[label_offsets[document] : label_offsets[document + 1]]
        return high, None
    label = labels[document]
    if "path_nodes" in more:
        path = slice(*more["path_offsets"][label : label + 2])
        nodes, codes = more["path_nodes"][path], more["path_codes"][path]
        return nodes[codes == 0], nodes[codes == 1]
    counters = np.arange(place * 4, place * 4 + 4, dtype=np.uint64)
    drawn = draw_noise(draw(more["key"], counters), more["noise"])
    return np.array([label]), drawn[drawn != label]


@pytest.mark.parametrize("n_labels", [2, 6, 7, 13])
@in_one_test("size", [1, 17, 100])
@pytest.mark.parametrize("function", LOGISTIC)
def test_every_backend_trains_with_every_loss_as_the_reference(compiled, padded, function, size, n_labels):
    arguments, n_outputs = arguments_of(function, n_labels)
    results = []
    ours, theirs = start(padded, size, n_outputs), start(padded, size, n_outputs)
    for name, matrices in ((compiled, ours), ("reference", theirs)):
        train = getattr(kernels.get("documents", name), function)
        parts = [
            train(
                **matrices,
                **arguments,
                inputs=INPUTS,
                input_offsets=OFFSETS,
                order=ORDER,
                start=begin,
                stop=end,
                learning_rate=0.1,
                loss_every=2,
            )
            for begin, end in ((0, 7), (7, 7), (7, len(ORDER)))
        ]
        results.append([sum(numbers) for numbers in zip(*parts, strict=True)])
    assert_near(ours, theirs, 2e-5)
    assert results[0] == pytest.approx(results[1], rel=1e-5)
    assert results[0][2] == N_TRAINED


@pytest.mark.parametrize("function", LOGISTIC)
@pytest.mark.parametrize("place", [0, 1, 3, 9])
def test_a_step_with_any_loss_is_its_gradient(backend, padded, function, place):
    arguments, n_outputs = arguments_of(function, 8)
    document = ORDER[place]
    rows = INPUTS[OFFSETS[document] : OFFSETS[document + 1]]
    high, low = outputs_of(document, place, **arguments)
    low = np.setdiff1d(np.arange(n_outputs), high) if low is None else low

    def loss(input_vectors, output_vectors):
        h = input_vectors[..., rows, :].mean(axis=-2, keepdims=True)
        return logistic_loss(h, output_vectors, high, low)

    matrices, before = start(padded, 20, n_outputs), start(padded, 20, n_outputs)
    for matrix in (*matrices.values(), *before.values()):
        matrix *= 0.7
    rate = 1e-2
    total, sampled, trained = getattr(kernels.get("documents", backend), function)(
        **matrices,
        **arguments,
        inputs=INPUTS,
        input_offsets=OFFSETS,
        order=ORDER,
        start=place,
        stop=place + 1,
        learning_rate=rate,
        loss_every=1,
    )
    assert (sampled, trained) == (1, 1)
    assert total == pytest.approx(loss(**before).item(), rel=1e-5)
    gradient = numeric_gradient(loss, {name: matrix[:, :20] for name, matrix in before.items()}, {})
    for name, expected in gradient.items():
        found = (before[name] - matrices[name])[:, :20] / rate
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=3e-5, err_msg=name)


# ---- Copies of rows ---------------------------------------------------------------------------------------

FUNCTIONS = ("train", *LOGISTIC)
OF_ALL_OUTPUTS = ("train", "train_one_vs_all")
N_LABELS = 13


def copies_of(function, matrices, arguments, n_outputs, threads=1):
    """Copy every other input and so many outputs, which are exchanged after four uses."""
    uses = {name: np.zeros(len(matrix)) for name, matrix in matrices.items()}
    uses["input_vectors"][1::2] = 1
    outputs = slice(0, n_outputs) if function in OF_ALL_OUTPUTS else slice(0, 2 * n_outputs, 2)
    uses["output_vectors"][outputs] = 1
    numbers = {"input_vectors": ("inputs", INPUTS)}
    if function == "train_paths":
        numbers["output_vectors"] = "path_nodes", arguments["path_nodes"]
    if function == "train_negatives":
        numbers["output_vectors"] = "label_rows", np.arange(N_LABELS, dtype=np.int32)
    copies = Copies(matrices, threads, uses, dict.fromkeys(NAMES, 2.0 / threads), numbers)
    for name, rows in copies.members[0].items():
        assert len(rows.copied) == np.count_nonzero(uses[name])
        assert (rows.uses_between[:-1] == 4).all()
    return copies


def prepared(function, padded):
    """Return a function's matrices and arguments."""
    if function == "train":
        arguments, n_outputs = {"labels": labels_of(N_LABELS)}, N_LABELS
    else:
        arguments, n_outputs = arguments_of(function, N_LABELS)
    common = {"input_offsets": OFFSETS, "order": ORDER, "loss_every": 1, "inputs": INPUTS}
    return start(padded, 20, n_outputs), arguments | common


def train_chunks(compiled, function, matrices, arguments, copies=None, learning_rate=0.1):
    """Train on chunks, which threads take in turns if there are copies; return the sums of results."""
    train, sums = getattr(kernels.get("documents", compiled), function), []
    for chunk, (begin, end) in enumerate(pairwise([0, 7, 12, 13, len(ORDER)])):
        of_thread = {} if copies is None else copies.arguments(chunk % len(copies.members))
        arguments = arguments | {"start": begin, "stop": end, "learning_rate": learning_rate}
        sums.append(train(**matrices, **arguments | of_thread))
    return [sum(numbers) for numbers in zip(*sums, strict=True)]


@pytest.mark.parametrize("n_outputs", [5, 12, N_LABELS])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_copies_of_one_thread_change_nothing(compiled, padded, function, n_outputs):
    (matrices, arguments), (expected, _) = prepared(function, padded), prepared(function, padded)
    n_outputs = min(n_outputs, len(matrices["output_vectors"]))
    if function not in OF_ALL_OUTPUTS:
        n_outputs //= 2
    copies = copies_of(function, matrices, arguments, n_outputs)
    with copies.at_work():
        found = train_chunks(compiled, function, matrices, arguments, copies)
    assert found == pytest.approx(train_chunks(compiled, function, expected, arguments), rel=1e-5)
    assert_near(matrices, expected, 2e-5)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_each_thread_has_learned_of_copies_arrives(compiled, padded, function):
    matrices, arguments = prepared(function, padded)
    n_outputs = len(matrices["output_vectors"]) // (1 if function in OF_ALL_OUTPUTS else 2)
    expected = {name: matrix.copy() for name, matrix in matrices.items()}
    copies = copies_of(function, matrices, arguments, n_outputs, threads=3)
    with copies.at_work():
        for thread, member in enumerate(copies.members, 1):
            for name, rows in member.items():
                rows.rows += thread
                expected[name][rows.copied] += thread
        train_chunks(compiled, function, matrices, arguments, copies, learning_rate=0)
    assert_near(matrices, expected, 2e-5)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_copies_are_exchanged_during_a_chunk(compiled, padded, function):
    """What others have made of rows is seen in those that were used often enough."""
    matrices, arguments = prepared(function, padded)
    n_outputs = len(matrices["output_vectors"]) // (1 if function in OF_ALL_OUTPUTS else 2)
    copies = copies_of(function, matrices, arguments, n_outputs)
    with copies.at_work():
        for matrix in matrices.values():
            matrix += 1
        train_chunks(compiled, function, matrices, arguments, copies, learning_rate=0)
        for name, rows in copies.members[0].items():
            is_new = (rows.rows == matrices[name][rows.copied]).all(axis=1)
            assert is_new.any(), name
            if name == "output_vectors" and function in OF_ALL_OUTPUTS:
                assert is_new.all()
            else:
                assert not is_new.all(), name
