"""What `Stability` costs beside one training, and why its trainings do not start from one another.

    python bench/stability.py --data FOLDER

FOLDER has ``simplewiki.txt``, a paragraph per line. Prints a line for each figure: seconds of one training
with all processors and with one thread; seconds of `Stability`; and the standard deviation of the cosines of
neighbors over trainings that start from random values, and over those that start from a training on the whole
text and have a single epoch.
"""

from __future__ import annotations

import argparse
import time
from itertools import islice
from pathlib import Path

import numpy as np

import fastvec
from fastvec.corpus.resampling import resampled

SETTINGS = {"vector_size": 50, "min_count": 10, "epochs": 5}


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--lines", type=int, default=10_000, help="lines of the text")
    parser.add_argument("--runs", type=int, default=20)
    given = parser.parse_args()
    with (given.data / "simplewiki.txt").open(encoding="utf-8") as file:
        text = [line.split() for line in islice(file, given.lines)]
    corpus = fastvec.Corpus(text)
    print(corpus)

    whole, together = timed(lambda: fastvec.SkipGram(**SETTINGS).fit(corpus))
    _, alone = timed(lambda: fastvec.SkipGram(**SETTINGS, threads=1).fit(corpus))
    model = fastvec.SkipGram(**SETTINGS)
    stability, of_all = timed(lambda: fastvec.Stability(model, runs=given.runs).fit(corpus))
    for name, (wall, work) in [
        ("all processors", together),
        ("one thread", alone),
        (f"{given.runs} runs", of_all),
    ]:
        print(f"{name}: {wall:.1f} s, {work:.1f} s of processors")
    print(
        f"{of_all[0] / together[0]:.1f} as long as all processors, {of_all[0] / alone[0]:.1f} as one thread"
    )
    print(f"{of_all[1] / alone[1]:.1f} times as much work as one thread")

    warm = []
    for run in range(8):
        text_of_run = resampled(corpus, np.random.default_rng(run), 2**32)
        model = fastvec.SkipGram(**SETTINGS | {"epochs": 1}, seed=run, threads=1)
        warm.append(model.fit(text_of_run, start_from=whole).vectors_)
    pairs = [
        (word, whole.vectors_.most_similar(word, topn=1)[0][0]) for word in whole.vectors_.words[200:2200:10]
    ]
    cold_deviation, warm_deviation = deviation(stability.runs_[:8], pairs), deviation(warm, pairs)
    print(f"standard deviation of cosines from random values: {cold_deviation:.4f}")
    print(f"standard deviation of cosines from a training: {warm_deviation:.4f}")


def timed(work):
    """Return what `work` returns, the seconds it took, and those of all processors."""
    begin, begin_of_processors = time.perf_counter(), time.process_time()
    result = work()
    return result, (time.perf_counter() - begin, time.process_time() - begin_of_processors)


def deviation(runs: list[fastvec.Vectors], pairs: list[tuple[str, str]]) -> float:
    """Return the mean over pairs of words of the standard deviation of their cosines over runs."""
    cosines = np.array([[vectors.similarity(a, b) for a, b in pairs] for vectors in runs])
    return float(cosines.std(axis=0, ddof=1).mean())


if __name__ == "__main__":
    main()
