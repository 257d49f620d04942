"""Count the cache lines that more than one processor writes, by model and number of threads: a simulation.

python bench/count_shared_lines.py TEXT [--words 200000] [--vector-size 100]

Threads take chunks of the text in turns, and each a word at a time. Counted are the lines that a thread
writes and another one has written last: by default (Hogwild) of rows, with `deterministic` of scores.
"""

import argparse
from itertools import islice, zip_longest
from typing import Any

import numpy as np

from fastvec import Corpus
from fastvec.reference.sampling import draw, draw_noise, walk_chunk
from fastvec.training.huffman import HuffmanTree
from fastvec.training.loop import CHUNK
from fastvec.training.tables import alias_table, keep_thresholds

WINDOW, NEGATIVES, LINE, BLOCK, SLOTS = 5, 5, 16, 6, 8
THREADS = 2, 4, 8, 16
MODELS = "skip-gram", "CBOW", "skip-gram, tree", "CBOW, tree"


def windows(corpus: Any, words: int) -> tuple[list[list[Any]], int]:
    """Return for every chunk its windows, (inputs, outputs or nodes), and how many words there are."""
    counts = corpus.vocabulary.counts
    share = counts / counts.sum()
    keep = keep_thresholds(np.minimum(1, np.sqrt(1e-3 / share) + 1e-3 / share))
    noise = alias_table(corpus.vocabulary.noise_probabilities(0.75))
    offsets, nodes, _ = HuffmanTree.of_counts(counts).paths()
    chunks = []
    for start in range(0, min(words, len(corpus.ids)), CHUNK):
        chunk = []
        for position, center, contexts, _ in walk_chunk(
            corpus.ids, corpus.sentence_offsets, start, start + CHUNK, keep, WINDOW, 1, 1 + NEGATIVES
        ):
            counters = position * (1 + NEGATIVES) + 1 + np.arange(NEGATIVES)
            outputs = np.append(center, draw_noise(draw(1, counters), noise))
            path = nodes[offsets[center] : offsets[center + 1]]
            chunk.append((np.unique(contexts), {False: np.unique(outputs), True: path}))
        chunks.append(chunk)
    return chunks, len(chunks) * CHUNK


def by_default(chunks: list[list[Any]], n_rows: int, tree: bool, threads: int, lines: int) -> int:
    inputs, outputs = np.full(n_rows, -1), np.full(n_rows, -1)
    total = 0
    turns = iter(chunks)
    while at_once := list(islice(turns, threads)):
        for step in zip_longest(*at_once):
            for thread, window in enumerate(step):
                for last, rows in ((inputs, window[0]), (outputs, window[1][tree])) if window else ():
                    writers = last[rows]
                    total += lines * int(((writers != thread) & (writers >= 0)).sum())
                    last[rows] = thread
    return total


def deterministic(chunks: list[list[Any]], tree: bool, cbow: bool, threads: int, lines: int) -> float:
    """Lines of scores of the first group, which the thread that adds the groups' up writes once more."""
    threads = min(threads, 2 * -(-lines // 2))
    floats = 0
    for contexts, outputs in (window for chunk in chunks for window in chunk):
        blocks = -(-len(outputs[tree]) // BLOCK)
        floats += blocks * (1 + (1 if cbow else len(contexts))) * SLOTS if len(contexts) else 0
    return floats / LINE * (threads - 1) / threads


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("text")
    parser.add_argument("--words", type=int, default=200_000)
    parser.add_argument("--vector-size", type=int, default=100)
    given = parser.parse_args()
    corpus = Corpus(given.text)
    chunks, words = windows(corpus, given.words)
    lines = -(-given.vector_size // LINE)
    print(f"Lines written by more than one processor for a word ({words:,} words, d={given.vector_size})\n")
    print("| | " + " | ".join(f"{n} threads" for n in THREADS) + " |\n|" + "---|" * (1 + len(THREADS)))
    for model in MODELS:
        tree, cbow = "tree" in model, model.startswith("CBOW")
        for mode in "default", "deterministic":
            counts = [
                by_default(chunks, len(corpus.vocabulary), tree, n, lines)
                if mode == "default"
                else deterministic(chunks, tree, cbow, n, lines)
                for n in THREADS
            ]
            print(f"| {model}, {mode} | " + " | ".join(f"{count / words:.2f}" for count in counts) + " |")


if __name__ == "__main__":
    main()
