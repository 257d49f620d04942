"""Paragraph vectors: the gradient of a step, an epoch against the reference, new documents by themselves."""

from itertools import pairwise

import numpy as np
import pytest
from inside import alias_table, keep_thresholds
from objectives import int32, logistic_loss, numeric_gradient
from one_test import in_one_test

from fastvec import kernels

pytestmark = pytest.mark.every_backend

N_WORDS, N_DOCUMENTS = 24, 5
# contexts of each centre, documents, centres, negatives
STEPS = {
    "no contexts, no negatives": ([[]], [2], [11], []),
    "no contexts": ([[]], [0], [11], [2, 19, 5, 1, 3]),
    "no contexts, several centres": ([[]] * 3, [0], [11, 4, 17], [2, 19, 5, 1, 3]),
    "no contexts, centres repeated": ([[]] * 4, [0], [11, 4, 11, 2], [2, 4, 5, 1, 2, 11, 11, 20]),
    "one context": ([[3]], [4], [11], [2, 19, 5]),
    "one context, several documents": ([[3]], [4, 0, 1], [11], [2, 19, 5]),
    "several centres": ([[3], [11, 17], [], [4, 8, 17]], [1], [11, 4, 17, 9], [2, 19, 5, 1, 3]),
    "several blocks of outputs": ([[3, 7, 8], [9]], [1], [0, 22], list(range(1, 21))),
    "all at once": ([[7, 3, 7, 11, 7], [], [11, 7]], [4, 2], [11, 2, 11], [2, 11, 2, 7, 23, 2, 0]),
}


def loss_of(input_vectors, output_vectors, document_vectors, contexts, documents, centers, negatives):
    """The loss of step(): only one of the matrices may be many, and the words may be None."""
    total = 0
    for center, own in zip(centers, contexts, strict=True):
        inputs = [document_vectors[..., documents, :]]
        if input_vectors is not None:
            inputs.append(input_vectors[..., own, :])
        many = max(len(matrix) if matrix.ndim == 3 else 1 for matrix in inputs)
        inputs = [np.broadcast_to(each, (many, *each.shape[-2:])) for each in inputs]
        h = np.concatenate(inputs, axis=-2).mean(axis=-2, keepdims=True)
        total = total + logistic_loss(h, output_vectors, [center], negatives[negatives != center])
    return total


def start(padded, vector_size, n_words=N_WORDS, n_documents=N_DOCUMENTS):
    random = np.random.default_rng(vector_size)
    scale = 1 / vector_size**0.25
    rows = {"input_vectors": n_words, "output_vectors": n_words, "document_vectors": n_documents}
    return {name: padded(scale * random.standard_normal((n, vector_size))) for name, n in rows.items()}


@in_one_test("vector_size", [1, 17, 100])
@pytest.mark.parametrize("case", STEPS)
@pytest.mark.parametrize("fixed_words", [False, True])
def test_gradient(backend, padded, case, fixed_words, vector_size):
    contexts, documents, centers, negatives = STEPS[case]
    if fixed_words:  # a new document has one tag
        documents = documents[:1]
    arguments = {"documents": int32(documents), "centers": int32(centers), "negatives": int32(negatives)}
    windows = {
        "contexts": int32([word for each in contexts for word in each]),
        "context_offsets": np.cumsum([0, *map(len, contexts)]),
    }
    before = start(padded, vector_size)
    if not len(windows["contexts"]):
        before["input_vectors"] = None
    trained = {name: matrix for name, matrix in before.items() if matrix is not None}
    arguments_of_loss = arguments | {"contexts": [int32(each) for each in contexts]}
    gradient = numeric_gradient(lambda **all: loss_of(**before | all), trained, arguments_of_loss)
    after = {name: None if matrix is None else matrix.copy() for name, matrix in before.items()}
    step = kernels.get("paragraphs", backend).step
    returned = step(**after, **arguments, **windows, fixed_words=fixed_words, learning_rate=1.0)
    assert returned == pytest.approx(np.squeeze(loss_of(**before, **arguments_of_loss)), rel=1e-5)
    for name in trained:
        expected = gradient[name] * (name == "document_vectors" or not fixed_words)
        moved = before[name].astype(np.float64) - after[name]
        np.testing.assert_allclose(moved, expected, rtol=1e-4, atol=2e-5, err_msg=name)


def arguments_of(corpus, negatives=5, window=4):
    return {
        "ids": corpus.ids,
        "sentence_offsets": corpus.sentence_offsets,
        "keep": keep_thresholds(corpus.keep_probabilities),
        "noise": alias_table(corpus.noise_probabilities),
        "window": window,
        "negatives": negatives,
        "key": 0xF123456789ABCDEF,
    }


def start_of(corpus, padded, dm, vector_size=20):
    made = start(padded, vector_size, corpus.n_words, len(corpus.sentence_offsets) - 1)
    return made if dm else made | {"input_vectors": None}


def check_same(ours, theirs):
    for name, matrix in ours.items():
        if matrix is not None:
            np.testing.assert_allclose(matrix, theirs[name], rtol=0, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("negatives", [1, 5, 20])
@pytest.mark.parametrize("dm", [False, True], ids=["dbow", "dm"])
def test_an_epoch_is_that_of_the_reference(compiled, padded, toy_corpus, dm, negatives):
    n_documents = len(toy_corpus.sentence_offsets) - 1
    # some documents share a row, and every third has one more
    tags = [[i % (n_documents - 4), (i + 1) % 3][: 1 + (i % 3 == 0)] for i in range(n_documents)]
    arguments = arguments_of(toy_corpus, negatives) | {
        "tags": int32([tag for each in tags for tag in each]),
        "tag_offsets": np.cumsum([0, *map(len, tags)]),
        "learning_rate": 0.05,
    }
    ends = (0, 1, 3, 55, 56, 130, len(toy_corpus.ids))
    made, sums = [], []
    for backend in (compiled, "reference"):
        matrices = start_of(toy_corpus, padded, dm)
        train = kernels.get("paragraphs", backend).train
        parts = [train(**matrices, **arguments, start=a, stop=b, loss_every=4) for a, b in pairwise(ends)]
        made.append(matrices)
        sums.append(np.sum(parts, axis=0))
    check_same(*made)
    assert sums[0] == pytest.approx(sums[1], rel=1e-4)
    assert sums[0][2] > sums[0][1] > 0
    moved = np.abs(made[0]["document_vectors"] - start_of(toy_corpus, padded, dm)["document_vectors"])
    assert moved[: n_documents - 4].max(axis=1).max() > 0.01
    assert not moved[n_documents - 4 :].any()


@pytest.mark.parametrize("dm", [False, True], ids=["dbow", "dm"])
def test_new_documents_are_those_of_the_reference_and_alone(compiled, padded, toy_corpus, dm):
    arguments = arguments_of(toy_corpus)
    rates = {"epochs": 3, "learning_rate": 0.1, "min_learning_rate": 0.01}
    n_documents = len(toy_corpus.sentence_offsets) - 1
    made = []
    for backend in (compiled, "reference"):
        matrices = start_of(toy_corpus, padded, dm)
        matrices["document_vectors"][:] = 0
        infer = kernels.get("paragraphs", backend).infer
        infer(**matrices, **arguments, **rates, start=0, stop=n_documents)
        before = start_of(toy_corpus, padded, dm)
        for name in ("input_vectors", "output_vectors"):
            assert matrices[name] is None or matrices[name].tobytes() == before[name].tobytes()
        made.append(matrices)
    check_same(*made)
    # document 7 of the corpus, as the first of another
    begin, end = toy_corpus.sentence_offsets[7:9]
    alone = start_of(toy_corpus, padded, dm)
    alone["document_vectors"][:] = 0
    theirs = arguments | {
        "ids": toy_corpus.ids[begin:end].copy(),
        "sentence_offsets": np.array([0, end - begin]),
    }
    kernels.get("paragraphs", compiled).infer(**alone, **theirs, **rates, start=0, stop=1)
    assert made[0]["document_vectors"][7].any()
    assert alone["document_vectors"][0].tobytes() == made[0]["document_vectors"][7].tobytes()
