"""Micro-benchmarks of every kernel on every backend that this processor runs.

``pytest bench --benchmark-enable`` measures; without the option every benchmark is run once. Groups put the
backends of one kernel side by side, all doing the same work. ``extra_info`` (in the file that
``--benchmark-json`` writes) has rates of the median round: `million_words_per_second` of raw words,
`million_steps_per_second`, `million_bytes_per_second`.
"""

from __future__ import annotations

from functools import cache
from itertools import cycle

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from fastvec import Vocabulary, _backends
from fastvec._idfile import join_words
from fastvec._sampling import alias_table, keep_thresholds
from fastvec._training import padded_matrix

BACKENDS = _backends.available()
WINDOW, NEGATIVES = 5, 5
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


def matrices(n_words: int, size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return matrices as they are in the middle of a training."""
    random = np.random.default_rng(2)
    made = padded_matrix(n_words, size), padded_matrix(n_words, size)
    for matrix in made:
        matrix[:, :size] = random.standard_normal((n_words, size), np.float32) / 4
    return made


def rate(benchmark: BenchmarkFixture, name: str, amount: float) -> None:
    """Add how much of something is done in a second, in millions."""
    if benchmark.stats is not None:  # None when benchmarks are disabled
        benchmark.extra_info[name] = round(amount / benchmark.stats.stats.median / 1e6, 3)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "unshared"])
@pytest.mark.parametrize("size", [100, 300])
@pytest.mark.parametrize("where", VOCABULARIES)
def test_skipgram_train(
    benchmark: BenchmarkFixture, where: str, size: int, shared: bool, backend: str
) -> None:
    benchmark.group = f"skipgram.train d={size} {'shared' if shared else 'unshared'} negatives, rows {where}"
    n_words, n_tokens, chunk = VOCABULARIES[where], 200_000, 1_000
    ids, offsets, vocabulary = corpus(n_words, n_tokens)
    inputs, outputs = matrices(n_words, size)
    keep = keep_thresholds(vocabulary.keep_probabilities(1e-3))
    noise = alias_table(vocabulary.noise_probabilities(0.75))
    train = _backends.get("skipgram", backend).train
    # Another part of the text every time, so that rows are not in cache because they were used just before.
    starts = cycle(range(0, n_tokens, chunk))

    def one_chunk() -> None:
        start = next(starts)
        train(
            input_vectors=inputs,
            output_vectors=outputs,
            ids=ids,
            sentence_offsets=offsets,
            start=start,
            stop=start + chunk,
            keep=keep,
            noise=noise,
            window=WINDOW,
            negatives=NEGATIVES,
            shared=shared,
            learning_rate=1e-4,
            key=1,
            loss_every=64,
        )

    benchmark(one_chunk)
    rate(benchmark, "million_words_per_second", chunk)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("size", [100, 300])
def test_skipgram_step(benchmark: BenchmarkFixture, size: int, backend: str) -> None:
    """Measure one window of six contexts; a call from Python is a good part of it."""
    benchmark.group = f"skipgram.step d={size}"
    inputs, outputs = matrices(100, size)
    contexts = np.array([5, 17, 2, 90, 33, 8], np.int32)
    negatives = np.array([71, 3, 44, 60, 12], np.int32)
    benchmark(_backends.get("skipgram", backend).step, inputs, outputs, contexts, 40, negatives, 1e-4)
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
    data, make = text(n_tokens), _backends.get("tokenizer", backend).Tokenizer

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
    benchmark(_backends.get("tokenizer", backend).remap, ids, new_ids, out)
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
    make = _backends.get("phrases", backend).PairCounter
    benchmark(lambda: make().add(ids, offsets, 0, n_tokens, len(vocabulary)))
    rate(benchmark, "million_words_per_second", n_tokens)


@pytest.mark.parametrize("backend", BACKENDS)
def test_join_pairs(benchmark: BenchmarkFixture, backend: str) -> None:
    benchmark.group = "phrases.Joiner.join"
    n_tokens = 200_000
    ids, offsets, _ = corpus(70_000, n_tokens)
    joiner = _backends.get("phrases", backend).Joiner(*pairs_to_join(70_000, n_tokens))
    benchmark(joiner.join, ids, offsets, 0, n_tokens, np.empty_like(ids), np.empty_like(offsets), 0)
    rate(benchmark, "million_words_per_second", n_tokens)


@pytest.mark.parametrize("backend", BACKENDS)
def test_spell(benchmark: BenchmarkFixture, backend: str) -> None:
    benchmark.group = "phrases.spell"
    ids, offsets, vocabulary = corpus(70_000, 200_000)
    letters, word_offsets = join_words(vocabulary.words)
    spell = _backends.get("phrases", backend).spell
    spelled = benchmark(spell, ids, offsets, 0, len(ids), letters, word_offsets)
    rate(benchmark, "million_bytes_per_second", len(spelled))


@pytest.mark.parametrize("n_words", VOCABULARIES.values())
def test_alias_table(benchmark: BenchmarkFixture, n_words: int) -> None:
    benchmark.group = "alias_table"
    probabilities = corpus(n_words, 1_000)[2].noise_probabilities(0.75)
    benchmark(alias_table, probabilities)
    rate(benchmark, "million_words_per_second", n_words)
