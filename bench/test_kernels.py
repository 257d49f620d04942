"""Micro-benchmarks of every kernel on every backend that this processor runs.

``pytest bench --benchmark-enable`` measures; without the option every benchmark is run once. Groups put the
backends of one kernel side by side, all doing the same work. ``extra_info`` (in the file that
``--benchmark-json`` writes) has rates of the median round: `million_words_per_second` of raw words,
`million_steps_per_second`, `million_entries_per_second`, `million_rows_per_second`,
`million_bytes_per_second`.
"""

from __future__ import annotations

from functools import cache
from itertools import cycle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from fastvec import Vocabulary, kernels
from fastvec.corpus.idfile import join_words
from fastvec.training.loop import padded_matrix
from fastvec.training.tables import alias_table, keep_thresholds

BACKENDS = kernels.available()
WINDOW, NEGATIVES, LOSS = 5, 5, "negative_sampling"
# Rows of 1,000 words fit into the second-level cache; the two matrices of 70,000 words take 63 MB at d=100.
VOCABULARIES = {"in cache": 1_000, "out of cache": 70_000}


@cache
def corpus(n_words: int, n_tokens: int) -> tuple[NDArray[np.int32], NDArray[np.int64], Vocabulary]:
    """Return ids after Zipf's law, sentences of 20 words, and the vocabulary that goes with them."""
    shares = 1 / (np.arange(n_words) + 2.7)
    counts = np.maximum(1, np.rint(shares / shares.sum() * 1e9)).astype(np.int64)
    ids = np.random.default_rng(1).choice(n_words, n_tokens, p=counts / counts.sum()).astype(np.int32)
    offsets = np.append(np.arange(0, n_tokens, 20), n_tokens).astype(np.int64)
    return ids, offsets, Vocabulary([str(word) for word in range(n_words)], counts)


def matrix(n_rows: int, size: int, seed: int = 2) -> NDArray[np.float32]:
    """Return a matrix as it is in the middle of a training."""
    made = padded_matrix(n_rows, size)
    made[:, :size] = np.random.default_rng(seed).standard_normal((n_rows, size), np.float32) / 4
    return made


def rate(benchmark: BenchmarkFixture, name: str, amount: float) -> None:
    """Add how much of something is done in a second, in millions."""
    if benchmark.stats is not None:  # None when benchmarks are disabled
        benchmark.extra_info[name] = round(amount / benchmark.stats.stats.median / 1e6, 3)


@cache
def paths(n_words: int) -> dict[str, Any]:
    """Return paths about as long as Huffman's: every node halves the counts below it."""
    total = np.append(0, np.cumsum(corpus(n_words, 1)[2].counts))
    nodes: list[list[int]] = [[] for _ in range(n_words)]
    codes: list[list[int]] = [[] for _ in range(n_words)]
    ranges = [(0, n_words)]
    for node, (first, end) in enumerate(ranges):  # which grows meanwhile
        half = int(np.searchsorted(total, (total[first] + total[end]) / 2))
        half = min(max(half, first + 1), end - 1)
        for word in range(first, end):
            nodes[word].append(node)
            codes[word].append(int(word >= half))
        ranges += [part for part in ((first, half), (half, end)) if part[1] - part[0] > 1]
    return {
        "path_offsets": np.cumsum([0, *map(len, nodes)], dtype=np.int64),
        "path_nodes": np.concatenate(nodes).astype(np.int32),
        "path_codes": np.concatenate(codes).astype(np.uint8),
    }


@cache
def subwords(n_words: int) -> dict[str, Any]:
    """Return about as many n-grams as words of English have, in as many buckets as there are words."""
    random = np.random.default_rng(5)
    n_ngrams = random.integers(6, 24, n_words)
    rows = [np.append(word, random.integers(n_words, 2 * n_words, n)) for word, n in enumerate(n_ngrams)]
    return {
        "subword_offsets": np.cumsum([0, *(1 + n_ngrams)], dtype=np.int64),
        "subwords": np.concatenate(rows).astype(np.int32),
    }


def arguments(kernel: str, n_words: int, size: int, **options: bool) -> dict[str, Any]:
    """Return what a kernel's ``train`` takes besides the text: its options, its matrices and its tables."""
    vocabulary, hierarchical = corpus(n_words, 1)[2], kernel == "hierarchical_softmax"
    made = {
        **options,
        "input_vectors": matrix(2 * n_words if kernel == "subword" else n_words, size),
        "node_vectors" if hierarchical else "output_vectors": matrix(n_words, size, seed=3),
        "keep": keep_thresholds(vocabulary.keep_probabilities(1e-3)),
        "window": WINDOW,
        "learning_rate": 1e-4,
        "key": 1,
        "loss_every": 64,
    }
    if kernel == "cbow":
        weighted = options["position_weights"]
        made["position_weights"] = matrix(2 * WINDOW, size, seed=4) if weighted else None
    if kernel in ("skipgram", "cbow", "subword"):
        made["noise"], made["negatives"] = alias_table(vocabulary.noise_probabilities(0.75)), NEGATIVES
    if hierarchical:
        made |= paths(n_words)
    if kernel == "subword":
        made |= subwords(n_words)
    return made


TRAININGS: dict[str, tuple[str, dict[str, bool]]] = {
    "skipgram.train, shared negatives": ("skipgram", {"loss": LOSS, "shared": True}),
    "skipgram.train, unshared negatives": ("skipgram", {"loss": LOSS, "shared": False}),
    "cbow.train": ("cbow", {"position_weights": False, "scale_gradient": True}),
    "cbow.train, position weights": (
        "cbow",
        {"position_weights": True, "scale_gradient": True},
    ),
} | {
    f"{kernel}.train, {'cbow' if cbow else 'skipgram'}": (kernel, {"cbow": cbow, "scale_gradient": True})
    for kernel in ("hierarchical_softmax", "softmax", "subword")
    for cbow in (False, True)
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("training", TRAININGS)
@pytest.mark.parametrize("size", [100, 300])
@pytest.mark.parametrize("where", VOCABULARIES)
def test_train(benchmark: BenchmarkFixture, where: str, size: int, training: str, backend: str) -> None:
    benchmark.group = f"{training}, d={size}, rows {where}"
    kernel, options = TRAININGS[training]
    n_words, n_tokens = VOCABULARIES[where], 200_000
    chunk = 100 if kernel == "softmax" else 1_000  # words; those of a softmax cost as much as the vocabulary
    ids, offsets, _ = corpus(n_words, n_tokens)
    train, own = kernels.get(kernel, backend).train, arguments(kernel, n_words, size, **options)
    # Another part of the text every time, so that rows are not in cache because they were used just before.
    starts = cycle(range(0, n_tokens, chunk))

    def one_chunk() -> None:
        start = next(starts)
        train(ids=ids, sentence_offsets=offsets, start=start, stop=start + chunk, **own)

    benchmark(one_chunk)
    rate(benchmark, "million_words_per_second", chunk)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("size", [100, 300])
@pytest.mark.parametrize("where", VOCABULARIES)
def test_documents(benchmark: BenchmarkFixture, where: str, size: int, backend: str) -> None:
    """Measure documents of 20 words with two labels."""
    benchmark.group = f"documents.train, d={size}, rows {where}"
    n_words, n_documents, chunk = VOCABULARIES[where], 10_000, 50
    ids, offsets, _ = corpus(n_words, 20 * n_documents)
    random = np.random.default_rng(7)
    own = {
        "input_vectors": matrix(n_words, size),
        "output_vectors": matrix(2, size, seed=3),
        "inputs": ids,
        "input_offsets": offsets,
        "labels": random.integers(0, 2, n_documents).astype(np.int32),
        "order": random.permutation(n_documents).astype(np.int32),
        "learning_rate": 1e-4,
        "loss_every": 64,
    }
    train = kernels.get("documents", backend).train
    starts = cycle(range(0, n_documents, chunk))

    def one_chunk() -> None:
        start = next(starts)
        train(start=start, stop=start + chunk, **own)

    benchmark(one_chunk)
    rate(benchmark, "million_words_per_second", 20 * chunk)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("size", [100, 300])
def test_add_rows(benchmark: BenchmarkFixture, size: int, backend: str) -> None:
    """Measure the gradients of a batch of 64 windows of five words, added up word by word."""
    benchmark.group = f"scatter.add_rows, d={size}"
    used, places = np.unique(corpus(70_000, 200_000)[0][: 64 * 5], return_inverse=True)
    values = np.random.default_rng(8).standard_normal((len(places), size), np.float32)
    sums = np.zeros((len(used), size), np.float32)
    benchmark(kernels.get("scatter", backend).add_rows, sums, places.astype(np.int64), values)
    rate(benchmark, "million_rows_per_second", len(places))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("size", [100, 300])
def test_skipgram_step(benchmark: BenchmarkFixture, size: int, backend: str) -> None:
    """Measure one window of six contexts; a call from Python is a good part of it."""
    benchmark.group = f"skipgram.step d={size}"
    inputs, outputs = matrix(100, size), matrix(100, size, seed=3)
    contexts = np.array([5, 17, 2, 90, 33, 8], np.int32)
    negatives = np.array([71, 3, 44, 60, 12], np.int32)
    benchmark(
        kernels.get("skipgram", backend).step,
        inputs,
        outputs,
        contexts,
        40,
        negatives,
        "negative_sampling",
        1e-4,
    )
    rate(benchmark, "million_steps_per_second", 1)


@cache
def text(n_tokens: int) -> bytes:
    """Return a text after Zipf's law; the more frequent a word, the shorter, about as in English."""
    ids, _, vocabulary = corpus(70_000, n_tokens)
    letters = np.frombuffer(b"etaoinshrdlucmfwypvbgkjqxz", np.uint8)
    random = np.random.default_rng(3)
    words = []
    for word in range(len(vocabulary)):
        length = min(12, 2 + int(np.log2(word + 2) / 2) + word % 3)
        words.append(bytes(random.choice(letters, length)))
    tokens = [words[word] for word in ids]
    return b"\n".join(b" ".join(tokens[start : start + 20]) for start in range(0, n_tokens, 20))


@pytest.mark.parametrize("backend", BACKENDS)
def test_tokenizer(benchmark: BenchmarkFixture, backend: str) -> None:
    benchmark.group = "tokenizer.feed"
    n_tokens, block = 500_000, 1 << 20
    data, make = text(n_tokens), kernels.get("tokenizer", backend).Tokenizer

    def read() -> None:
        tokenizer = make()
        for start in range(0, len(data), block):
            tokenizer.feed(data[start : start + block])
        tokenizer.finish()

    benchmark(read)
    rate(benchmark, "million_bytes_per_second", len(data))
    rate(benchmark, "million_words_per_second", n_tokens)


@pytest.mark.parametrize("backend", BACKENDS)
def test_remap(benchmark: BenchmarkFixture, backend: str) -> None:
    benchmark.group = "tokenizer.remap"
    ids, _, vocabulary = corpus(70_000, 1_000_000)
    new_ids = np.random.default_rng(4).permutation(len(vocabulary)).astype(np.int32)
    out = np.empty_like(ids)
    benchmark(kernels.get("tokenizer", backend).remap, ids, new_ids, out)
    rate(benchmark, "million_words_per_second", len(ids))


def pairs_to_join(n_words: int, n_tokens: int) -> list[NDArray[np.int32]]:
    """Return 30,000 pairs of the corpus, as many as of a real text are phrases, and ids for them."""
    ids, _, _ = corpus(n_words, n_tokens)
    pairs = np.unique(ids[:-1].astype(np.int64) * n_words + ids[1:])
    pairs = np.random.default_rng(5).choice(pairs, 30_000, replace=False)
    columns = pairs // n_words, pairs % n_words, n_words + np.arange(len(pairs))
    return [column.astype(np.int32) for column in columns]


@pytest.mark.parametrize("backend", BACKENDS)
def test_count_pairs(benchmark: BenchmarkFixture, backend: str) -> None:
    benchmark.group = "phrases.PairCounter.add"
    n_tokens = 1_000_000 if backend != "reference" else 50_000
    ids, offsets, vocabulary = corpus(70_000, n_tokens)
    make = kernels.get("phrases", backend).PairCounter
    benchmark(lambda: make().add(ids, offsets, 0, n_tokens, len(vocabulary)))
    rate(benchmark, "million_words_per_second", n_tokens)


@pytest.mark.parametrize("backend", BACKENDS)
def test_join_pairs(benchmark: BenchmarkFixture, backend: str) -> None:
    benchmark.group = "phrases.Joiner.join"
    n_tokens = 200_000
    ids, offsets, _ = corpus(70_000, n_tokens)
    joiner = kernels.get("phrases", backend).Joiner(*pairs_to_join(70_000, n_tokens))
    benchmark(joiner.join, ids, offsets, 0, n_tokens, np.empty_like(ids), np.empty_like(offsets), 0)
    rate(benchmark, "million_words_per_second", n_tokens)


@pytest.mark.parametrize("backend", BACKENDS)
def test_spell(benchmark: BenchmarkFixture, backend: str) -> None:
    benchmark.group = "phrases.spell"
    ids, offsets, vocabulary = corpus(70_000, 200_000)
    letters, word_offsets = join_words(vocabulary.words)
    spell = kernels.get("phrases", backend).spell
    spelled = benchmark(spell, ids, offsets, 0, len(ids), letters, word_offsets)
    rate(benchmark, "million_bytes_per_second", len(spelled))


@pytest.mark.parametrize("n_words", VOCABULARIES.values())
def test_alias_table(benchmark: BenchmarkFixture, n_words: int) -> None:
    benchmark.group = "alias_table"
    probabilities = corpus(n_words, 1_000)[2].noise_probabilities(0.75)
    benchmark(alias_table, probabilities)
    rate(benchmark, "million_words_per_second", n_words)


@cache
def placed(n_words: int, n_tokens: int) -> dict[str, Any]:
    """Return the words of a text and where each of them stands: what ``count_rows`` takes."""
    ids, offsets, _ = corpus(n_words, n_tokens)
    kernel = kernels.get("cooccurrence")
    counts = np.zeros(n_words, np.int64)
    kernel.count_words(ids, counts)
    place_offsets = np.append(0, np.cumsum(counts))
    kept, places = np.empty(n_tokens, np.int32), np.empty(n_tokens, np.uint64)
    sentences = (0, len(offsets) - 1)
    kernel.place_words(
        ids, offsets, *sentences, n_words, 10, True, 0, kept, place_offsets[:-1].copy(), places
    )
    return {"kept": kept, "places": places, "place_offsets": place_offsets}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("where", VOCABULARIES)
def test_count_rows(benchmark: BenchmarkFixture, where: str, backend: str) -> None:
    benchmark.group = f"cooccurrence.count_rows, rows {where}"
    n_words, n_tokens = VOCABULARIES[where], 200_000 if backend != "reference" else 20_000
    room = 40 * n_tokens + n_words
    columns, units, sizes = np.empty(room, np.int32), np.empty(room, np.int64), np.empty(n_words, np.int64)
    weights = 360360 // np.arange(1, 11)
    own = placed(n_words, n_tokens)
    count_rows = kernels.get("cooccurrence", backend).count_rows
    benchmark(
        lambda: count_rows(
            **own, weights=weights, first=0, last=n_words, columns=columns, units=units, row_sizes=sizes
        )
    )
    rate(benchmark, "million_words_per_second", n_tokens)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("size", [100, 300])
@pytest.mark.parametrize("where", VOCABULARIES)
def test_glove(benchmark: BenchmarkFixture, where: str, size: int, backend: str) -> None:
    """Measure one tile; "in cache" its rows are those of 1,000 words, which are no more than its own."""
    benchmark.group = f"glove.train, d={size}, rows {where}"
    n_words, n_records = VOCABULARIES[where], 20_000 if backend != "reference" else 500
    random = np.random.default_rng(6)
    records = np.empty(
        n_records, [("word", "<i4"), ("context", "<i4"), ("log_count", "<f4"), ("weight", "<f4")]
    )
    records["word"], records["context"] = random.integers(0, n_words, (2, n_records))
    records["log_count"], records["weight"] = random.random((2, n_records))
    squares = [padded_matrix(n_words, size) for _ in range(2)]
    for matrix_of_squares in squares:
        matrix_of_squares[:] = 1
    own = (matrix(n_words, size), matrix(n_words, size, seed=3), *squares, records)
    offsets, zero = np.array([0, n_records], np.int64), np.zeros(1, np.int32)
    train = kernels.get("glove", backend).train
    benchmark(lambda: train(*own, offsets, zero, zero, zero, zero.copy(), zero.copy(), 1, 0, 1, 1e-3, 1))
    rate(benchmark, "million_entries_per_second", n_records)
