"""Whether blocks of a text in a random order make better vectors than the order of the text.

Prints a table of the models with all else at its default: the quality of the vectors, mean and standard
deviation over seeds, and the mean loss after every epoch, of words that are held out, the same in all.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from statistics import mean, stdev

import texts
from contenders import quality
from rows import QUALITY

import fastvec

MODELS = {"skip-gram": fastvec.SkipGram, "CBOW": fastvec.CBOW, "FastText": fastvec.FastText}
ROOT = Path(__file__).parents[1]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = Path(os.environ.get("FASTVEC_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data, help="folder of texts and tests")
    parser.add_argument("--words", type=int, default=3_000_000, help="the beginning of the text to take")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()

    text = texts.prepare(options.data / "corpus" / "simplewiki.txt.gz", options.words)
    tests = {test: str(options.data / place) for place, test in QUALITY.items()}
    corpus = fastvec.Corpus(text.path)
    print("| model | order |", " | ".join(tests), "| held-out loss after each epoch |")
    print("|---|---|" + "--:|" * len(tests) + "---|")
    for name in options.models:
        for shuffle in (False, True):
            runs, losses = [], []
            for seed in range(1, options.seeds + 1):
                model = MODELS[name](shuffle=shuffle, seed=seed, threads=options.threads).fit(corpus)
                scores = quality(model.vectors_, tests)
                runs.append([scores[test]["score"] for test in tests])
                losses.append([epoch.loss for epoch in model.history_])
            told = [f"{mean(run):.1f} ± {stdev(run):.1f}" for run in zip(*runs, strict=True)]
            falling = ", ".join(f"{mean(epoch):.3f}" for epoch in zip(*losses, strict=True))
            order = "random" if shuffle else "of the text"
            print(f"| {name} | {order} | {' | '.join(told)} | {falling} |", flush=True)


if __name__ == "__main__":
    main()
