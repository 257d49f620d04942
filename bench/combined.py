"""Vectors of counts and of prediction combined, and drawn to a thesaurus: what each is good at, in one.

The weights are chosen on the first seed, by the mean of all scores, and shown on the others. In FOLDER are
the test sets of `bench/README.md`. WordNet is the folder of its `data.noun` and others, as in Debian's
wordnet-base.

    python bench/combined.py FOLDER --corpus TEXT --wordnet /usr/share/wordnet > bench/combined.md
"""

import argparse
import datetime
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

from counts import PPMI
from measure import machine
from tables import Record, about, place, record_table
from texts import Data
from words import SCORES, SKIPGRAM, TESTS, quality, scored_text

import fastvec

EPOCHS, CHOOSING, SHOWN = 5, 1, (2, 3, 4)
SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)  # of the vectors of counts

Scores = dict[str, float]


def trained(data: Data, settings: dict[str, Any], **more: Any) -> fastvec.Vectors:
    """Return the vectors of a model with the settings of a job, which are trained once and kept."""
    estimator, parameters = settings["estimator"], {**settings, **more, "threads": 1}
    del parameters["estimator"]
    return fastvec.load(data.made(estimator, parameters, f".{estimator}.fvec"))


def skipgram(data: Data, seed: int, vector_size: int) -> fastvec.Vectors:
    return trained(data, SKIPGRAM, vector_size=vector_size, epochs=EPOCHS, seed=seed)


def record(data: Data, seeds: int, settings: dict[str, Any], entries: dict[str, list[Scores]]) -> Record:
    """Return the scores of all seeds by the names of rows, as `tables` show them."""
    return {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "data": data.text()["data"],
        "settings": settings,
        "rounds": seeds,
        "entries": [
            {
                "contender": name,
                "threads": 1,
                **{each: [score[each] for score in scores] for each in scores[0]},
            }
            for name, scores in entries.items()
        ],
    }


def show(what: Record, columns: str) -> None:
    print(f"\n{about(what)}. {place(what)}.\n\n{record_table(what, '', columns)}", flush=True)


def scored(name: str, vectors: fastvec.Vectors, job: dict[str, Any]) -> Scores:
    found = quality(vectors, job)
    print(name, found, file=sys.stderr, flush=True)
    return found


def synonyms(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield pairs of words of the same synset of WordNet, of single words in lower case."""
    for part in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{part}").read_text(encoding="latin-1").splitlines():
            if line.startswith("  "):  # its license
                continue
            fields = line.split()
            words = [word.partition("(")[0].lower() for word in fields[4 : 4 + 2 * int(fields[3], 16) : 2]]
            yield from ((a, b) for a in words for b in words if a < b and "_" not in a + b)


def chosen_share(counts: fastvec.Vectors, predicted: fastvec.Vectors, job: dict[str, Any]) -> float:
    """Return the weight of the vectors of counts with which all scores are highest in the mean."""

    def of(share: float) -> float:
        both = fastvec.combine([counts, predicted], [share, 1 - share])
        scores = scored(f"{share}", both, job)
        return mean(scores[name] for name in TESTS)

    return max(SHARES, key=of)


def main(arguments: list[str] | None = None) -> None:
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("data", type=Path, metavar="FOLDER")
    cli.add_argument("--corpus", type=Path, required=True, metavar="TEXT")
    cli.add_argument("--words", type=int, help="take only so many words of the text")
    cli.add_argument("--wordnet", type=Path, metavar="FOLDER")
    options = cli.parse_args(arguments)
    data = Data(options.data, options.corpus, options.words)
    job, size = scored_text(data), SKIPGRAM["vector_size"]
    counts = trained(data, PPMI)
    share = chosen_share(counts, skipgram(data, CHOOSING, size), job)
    weights = [share, round(1 - share, 1)]
    shown = f"{weights[0]:g} : {weights[1]:g}"
    unit = partial(fastvec.Vectors.postprocess, center=False, unit_length=True)
    rows: dict[str, Callable[[fastvec.Vectors], fastvec.Vectors]] = {
        "skip-gram": lambda predicted: predicted,
        "concatenated": lambda predicted: fastvec.combine([counts, predicted]),
        f"concatenated, {shown}": lambda predicted: fastvec.combine([counts, predicted], weights),
        f"averaged, {shown}": lambda predicted: fastvec.combine(
            [counts, predicted], weights, method="average"
        ),
        f"concatenated, {shown}, {size} dimensions": lambda predicted: (
            fastvec.combine([counts, predicted], weights).order_dimensions().truncate(size)
        ),
    }
    if options.wordnet is not None:
        lexicon = [*synonyms(options.wordnet)]
        rows["skip-gram, retrofitted"] = lambda predicted: fastvec.retrofit(unit(predicted), lexicon)
        rows[f"concatenated, {shown}, retrofitted"] = lambda predicted: fastvec.retrofit(
            fastvec.combine([counts, predicted], weights), lexicon
        )
    entries: dict[str, list[Scores]] = {"PPMI-SVD": [scored("PPMI-SVD", counts, job)]}
    for seed in SHOWN:
        predicted = skipgram(data, seed, size)
        for name, make in rows.items():
            entries.setdefault(name, []).append(scored(name, make(predicted), job))
    print("Generated by `python bench/combined.py`; do not edit.")
    show(record(data, len(SHOWN), {"vector_size": size, "epochs": EPOCHS}, entries), SCORES)


if __name__ == "__main__":
    main()
