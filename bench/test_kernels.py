"""Micro-benchmarks of every kernel on every backend of this processor: ``pytest bench --benchmark-enable``.

Groups have the backends of one kernel side by side; ``extra_info`` in the JSON has rates of the median round.
"""

from functools import cache
from itertools import cycle
from typing import Any

import numpy as np
import pytest

from fastvec import Vocabulary, kernels
from fastvec.formats.words import join_words
from fastvec.models.tiles import RECORD
from fastvec.training.huffman import HuffmanTree
from fastvec.training.matrices import padded_matrix
from fastvec.training.tables import alias_table, keep_thresholds

pytestmark = pytest.mark.parametrize("backend", kernels.available())

WINDOW, NEGATIVES, LOSS = 5, 5, "negative_sampling"
# Rows of 1,000 words fit into the second-level cache; the two matrices of 70,000 words take 63 MB at d=100.
VOCABULARIES = {"in cache": 1_000, "out of cache": 70_000}

TRAININGS: dict[str, tuple[str, dict[str, Any]]] = {
    "skipgram, shared negatives": ("skipgram", {"loss": LOSS, "shared": True}),
    "skipgram, unshared negatives": ("skipgram", {"loss": LOSS, "shared": False}),
    "skipgram, bpr": ("skipgram", {"loss": "bpr", "shared": True}),
    "cbow": ("cbow", {"position_weights": False, "scale_gradient": True}),
    "cbow, position weights": ("cbow", {"position_weights": True, "scale_gradient": True}),
} | {
    f"{kernel}, {'cbow' if cbow else 'skipgram'}": (kernel, {"cbow": cbow, "scale_gradient": True})
    for kernel in ("hierarchical_softmax", "softmax", "subword")
    for cbow in (False, True)
}


@pytest.fixture(params=VOCABULARIES.values(), ids=VOCABULARIES.keys())
def n_words(request):
    return request.param


@pytest.fixture(params=[100, 300])
def size(request):
    return request.param


@pytest.fixture
def measure(request, benchmark):
    """Give a function that measures another, which does so much of something, as `words`."""
    own = request.node.callspec.id.replace(request.node.callspec.params["backend"], "").strip("-")
    benchmark.group = f"{request.node.originalname.removeprefix('test_')} {own}"

    def measure(function, *arguments, **amounts):
        benchmark(function, *arguments)
        for name, amount in amounts.items() if benchmark.stats is not None else ():  # None: disabled
            rate = amount / benchmark.stats.stats.median / 1e6
            benchmark.extra_info[f"million_{name}_per_second"] = round(rate, 3)

    return measure


@cache
def corpus(n_words: int, n_tokens: int) -> tuple[Any, Any, Vocabulary]:
    """Return ids after Zipf's law, sentences of 20 words, and the vocabulary that goes with them."""
    shares = 1 / (np.arange(n_words) + 2.7)
    counts = np.maximum(1, np.rint(shares / shares.sum() * 1e9)).astype(np.int64)
    ids = np.random.default_rng(1).choice(n_words, n_tokens, p=counts / counts.sum()).astype(np.int32)
    offsets = np.append(np.arange(0, n_tokens, 20), n_tokens).astype(np.int64)
    return ids, offsets, Vocabulary([str(word) for word in range(n_words)], counts)


def matrix(n_rows: int, size: int, seed: int = 2) -> Any:
    """Return a matrix as it is in the middle of a training."""
    made = padded_matrix(n_rows, size)
    made[:, :size] = np.random.default_rng(seed).standard_normal((n_rows, size), np.float32) / 4
    return made


@cache
def paths(n_words: int) -> dict[str, Any]:
    names = ("path_offsets", "path_nodes", "path_codes")
    return dict(zip(names, HuffmanTree.of_counts(corpus(n_words, 1)[2].counts).paths(), strict=True))


@cache
def subwords(n_words: int) -> dict[str, Any]:
    """Return about as many n-grams as words of English have, in as many buckets as there are words."""
    random = np.random.default_rng(5)
    n_grams = (random.integers(n_words, 2 * n_words, n) for n in random.integers(6, 24, n_words))
    rows = [np.unique([word, *some]) for word, some in enumerate(n_grams)]  # each once
    offsets = np.cumsum([0, *(n for row in rows for n in (len(row), 0))], dtype=np.int64)
    return {"subword_offsets": offsets, "subwords": np.concatenate(rows).astype(np.int32)}


def arguments(kernel: str, n_words: int, size: int, **options: Any) -> dict[str, Any]:
    """Return what a kernel's ``train`` takes besides the text: its options, its matrices and its tables."""
    vocabulary, outputs = corpus(n_words, 1)[2], matrix(n_words, size, seed=3)
    made = {**options, "window": WINDOW, "learning_rate": 1e-4, "key": 1, "loss_every": 64}
    made["keep"] = keep_thresholds(vocabulary.keep_probabilities(1e-3))
    made["input_vectors"] = matrix(2 * n_words if kernel == "subword" else n_words, size)
    made["node_vectors" if kernel == "hierarchical_softmax" else "output_vectors"] = outputs
    if kernel == "cbow":
        made["position_weights"] = matrix(2 * WINDOW, size, seed=4) if options["position_weights"] else None
    if kernel in ("skipgram", "cbow", "subword"):
        made |= {"noise": alias_table(vocabulary.noise_probabilities(0.75)), "negatives": NEGATIVES}
    tables = {"hierarchical_softmax": paths, "subword": subwords}
    return {**made, **tables[kernel](n_words)} if kernel in tables else made


def by_chunks(train: Any, n: int, chunk: int, own: dict[str, Any]) -> Any:
    """Return a function that trains on another part every time, whose rows were not used just before."""
    chunks = cycle([{"start": start, "stop": start + chunk} for start in range(0, n, chunk)])
    return lambda: train(**next(chunks), **own)


@pytest.mark.parametrize("training", TRAININGS)
def test_train(measure, training, n_words, size, backend):
    kernel, options = TRAININGS[training]
    chunk = 100 if kernel == "softmax" else 1_000  # words; those of a softmax cost as much as the vocabulary
    ids, offsets, _ = corpus(n_words, 200_000)
    own = {"ids": ids, "sentence_offsets": offsets, **arguments(kernel, n_words, size, **options)}
    measure(by_chunks(kernels.get(kernel, backend).train, len(ids), chunk, own), words=chunk)


def test_documents(measure, n_words, size, backend):
    n_documents, random = 10_000, np.random.default_rng(7)
    ids, offsets, _ = corpus(n_words, 20 * n_documents)
    own = {"inputs": ids, "input_offsets": offsets, "learning_rate": 1e-4, "loss_every": 64}
    own |= {"input_vectors": matrix(n_words, size), "output_vectors": matrix(2, size, seed=3)}
    own["labels"] = random.integers(0, 2, n_documents).astype(np.int32)
    own["order"] = random.permutation(n_documents).astype(np.int32)
    measure(by_chunks(kernels.get("documents", backend).train, n_documents, 50, own), words=20 * 50)


def test_add_rows(measure, size, backend):
    """Measure the gradients of a batch of 64 windows of five words, added up word by word."""
    used, places = np.unique(corpus(70_000, 200_000)[0][: 64 * 5], return_inverse=True)
    values = np.random.default_rng(8).standard_normal((len(places), size), np.float32)
    sums = np.zeros((len(used), size), np.float32)
    add_rows = kernels.get("scatter", backend).add_rows
    measure(add_rows, sums, places.astype(np.int64), values, rows=len(places))


def spelling(n_tokens: int) -> tuple[Any, ...]:
    """Return what ``spell`` takes; words are numbers, so that the more frequent a word, the shorter."""
    ids, offsets, vocabulary = corpus(70_000, n_tokens)
    return ids, offsets, 0, n_tokens, *join_words(vocabulary.words)


def test_spell(measure, backend):
    own, spell = spelling(200_000), kernels.get("phrases", backend).spell
    measure(spell, *own, bytes=len(spell(*own)))


def test_tokenizer(measure, backend):
    n_tokens, piece_bytes = 500_000, 1 << 20
    text = kernels.get("phrases").spell(*spelling(n_tokens))
    module = kernels.get("tokenizer", backend)

    def read() -> None:
        tokenizer = module.Tokenizer()
        for start in range(0, len(text), piece_bytes):
            tokenizer.add(module.split(text[start : start + piece_bytes]))
        tokenizer.finish()

    measure(read, bytes=len(text), words=n_tokens)


def rows_of_vectors(n: int, d: int) -> tuple[Any, Any, Any]:
    words = [f"word{i}" for i in range(n)]
    return *join_words(words), np.random.default_rng(5).standard_normal((n, d)).astype(np.float32)


def test_write_rows_as_text(measure, backend):
    own, write = rows_of_vectors(2_000, 300), kernels.get("rows", backend).write_text
    measure(write, *own, bytes=len(write(*own)))


def test_read_rows_of_text(measure, backend):
    text = kernels.get("rows").write_text(*rows_of_vectors(2_000, 300)).tobytes()
    values, names = np.empty((2_000, 300), np.float32), np.empty((2_000, 2), np.int64)
    measure(kernels.get("rows", backend).read_text, text, values, names, bytes=len(text))


def test_remap(measure, backend):
    ids, _, vocabulary = corpus(70_000, 1_000_000)
    new_ids = np.random.default_rng(4).permutation(len(vocabulary)).astype(np.int32)
    measure(kernels.get("tokenizer", backend).remap, ids, new_ids, np.empty_like(ids), words=len(ids))


def test_count_pairs(measure, backend):
    n_tokens = 1_000_000 if backend != "reference" else 50_000
    ids, offsets, vocabulary = corpus(70_000, n_tokens)
    make = kernels.get("phrases", backend).PairCounter
    measure(lambda: make().add(ids, offsets, 0, n_tokens, len(vocabulary)), words=n_tokens)


def test_join_pairs(measure, backend):
    """Join 30,000 pairs of the corpus, as many as of a real text are phrases."""
    n_tokens, n_words, n_pairs = 200_000, 70_000, 30_000
    ids, offsets, _ = corpus(n_words, n_tokens)
    pairs = np.unique(np.stack((ids[:-1], ids[1:]), axis=1), axis=0)
    first, second = np.random.default_rng(5).choice(pairs, n_pairs, replace=False).T.copy()
    joined = n_words + np.arange(n_pairs, dtype=np.int32)
    joiner = kernels.get("phrases", backend).Joiner(first, second, joined)
    out = np.empty_like(ids), np.empty_like(offsets), 0
    measure(joiner.join, ids, offsets, 0, n_tokens, *out, words=n_tokens)


@cache
def placed(n_words: int, n_tokens: int) -> dict[str, Any]:
    """Return the words of a text and where each of them stands: what ``count_rows`` takes."""
    ids, offsets, _ = corpus(n_words, n_tokens)
    kernel, counts = kernels.get("cooccurrence"), np.zeros(n_words, np.int64)
    kernel.count_words(ids, counts)
    place_offsets = np.append(0, np.cumsum(counts))
    kept, places = np.empty(n_tokens, np.int32), np.empty(n_tokens, np.uint64)
    where = (0, len(offsets) - 1, n_words, 10, True, 0)
    kernel.place_words(ids, offsets, *where, kept, place_offsets[:-1].copy(), places)
    return {"kept": kept, "places": places, "place_offsets": place_offsets}


def test_count_rows(measure, n_words, backend):
    n_tokens = 200_000 if backend != "reference" else 20_000
    room = 40 * n_tokens + n_words
    out = {"columns": np.empty(room, np.int32), "units": np.empty(room, np.int64)}
    out["row_sizes"] = np.empty(n_words, np.int64)
    own = {**placed(n_words, n_tokens), "weights": 360360 // np.arange(1, 11), "first": 0, "last": n_words}
    count_rows = kernels.get("cooccurrence", backend).count_rows
    measure(lambda: count_rows(**own, **out), words=n_tokens)


def test_glove(measure, n_words, size, backend):
    """Measure one tile; "in cache" its rows are those of 1,000 words, which are no more than its own."""
    n_records, random = 20_000 if backend != "reference" else 500, np.random.default_rng(6)
    records = np.empty(n_records, RECORD)
    records["word"], records["context"] = random.integers(0, n_words, (2, n_records))
    records["log_count"], records["weight"] = random.random((2, n_records))
    *vectors, squares, context_squares = (matrix(n_words, size, seed) for seed in range(4))
    squares[:] = context_squares[:] = 1
    offsets, zero = np.array([0, n_records], np.int64), np.zeros(1, np.int32)
    own = (*vectors, squares, context_squares, records, offsets, zero, zero)
    train = kernels.get("glove", backend).train
    measure(lambda: train(*own, zero, zero.copy(), zero.copy(), 1, 0, 1, 1e-3, 1), entries=n_records)
