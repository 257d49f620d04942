"""Figures from the runs of a row: what the tables show and what the goals ask for.

A record is ``{"date", "machine", "settings", "runs"}``; a run is a contender's figures with its `round`, or
why there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import mean, median
from typing import Any

from rows import ALL, BASE, ONE_ORDER, QUALITY

__all__ = [
    "FIGURES",
    "Record",
    "Run",
    "base_of",
    "fit_time_ratio",
    "median_of",
    "points_above",
    "rate",
    "runs_of",
    "runs_with",
    "scaling",
    "scores",
    "speed_ratio",
    "tests_of",
    "time_ratio",
    "train_time_ratio",
    "unit_per_second",
    "within_rounds",
]

Record = dict[str, Any]
Run = dict[str, Any]


def runs_of(record: Record | None, contender: str, threads: int) -> list[Run]:
    """Return the runs of a contender that gave figures; `ALL` threads means the most it was run with."""
    if record is None:
        return []
    runs = [run for run in record["runs"] if run["contender"] == contender and "wall_seconds" in run]
    if threads == ALL:
        threads = record["settings"]["threads"]
    return [run for run in runs if run["threads"] == threads]


def within_rounds(these: Sequence[Run], others: Sequence[Run], key: str) -> list[float]:
    """Return the ratios of a figure of two contenders in the rounds that both took part in."""
    by_round = {run["round"]: run[key] for run in others if run.get(key)}
    return [run[key] / by_round[run["round"]] for run in these if run.get(key) and run["round"] in by_round]


def speed_ratio(record: Record, contender: str, threads: int) -> float | None:
    """Words or entries per second, against those of the base with as many threads."""
    base = runs_of(record, base_of(record), threads)
    return median_of(within_rounds(runs_of(record, contender, threads), base, unit_per_second(record)))


def scaling(record: Record, contender: str, threads: int) -> float | None:
    """Words or entries per second, against those of the same contender with one thread."""
    if threads == ALL and record["settings"]["threads"] == 1:
        return None
    one = runs_of(record, contender, 1)
    return median_of(within_rounds(runs_of(record, contender, threads), one, unit_per_second(record)))


def rate(record: Record, contender: str, threads: int) -> float | None:
    """Million words or entries per second."""
    key = unit_per_second(record)
    speeds = [run[key] for run in runs_with(record, contender, threads, key)]
    return median(speeds) / 1e6 if speeds else None


def speed_share(record: Record, contender: str, threads: int) -> float | None:
    """Words per second, against those of fastvec without a limit."""
    free = runs_of(record, "fastvec", threads)
    return median_of(within_rounds(runs_of(record, contender, threads), free, "words_per_second"))


def same_counts(record: Record, contender: str, threads: int) -> float | None:
    """1 if all counts of fastvec have the same bits, 0 if not."""
    checksums = {run["checksum"] for run in record["runs"] if "checksum" in run}
    return float(len(checksums) == 1) if checksums else None


def cost_below(record: Record, contender: str, threads: int) -> float | None:
    """Per cent by which the cost is below that of one random order of all entries, with the same seed."""
    one_order = runs_of(record, ONE_ORDER, threads)
    ratios = within_rounds(runs_of(record, contender, threads), one_order, "loss")
    return 100 * (1 - mean(ratios)) if ratios else None


def seconds_left(record: Record, contender: str, threads: int) -> float | None:
    """Seconds that fitting stays under a minute."""
    seconds = [run["fit_seconds"] for run in runs_with(record, contender, threads, "fit_seconds")]
    return 60 - median(seconds) if seconds else None


def megabytes_left(record: Record, contender: str, threads: int) -> float | None:
    """MB by which the peak stays under 4,000."""
    peaks = [run["peak_bytes"] for run in runs_of(record, contender, threads)]
    return 4000 - max(peaks) / 1e6 if peaks else None


def time_ratio(record: Record, contender: str, threads: int) -> float | None:
    """How many times the base takes as long."""
    base = runs_of(record, base_of(record), threads)
    return median_of(within_rounds(base, runs_of(record, contender, threads), "wall_seconds"))


def fit_time_ratio(record: Record, contender: str, threads: int) -> float | None:
    """How many times the base takes as long to fit."""
    base = runs_of(record, base_of(record), threads)
    return median_of(within_rounds(base, runs_of(record, contender, threads), "fit_seconds"))


def train_time_ratio(record: Record, contender: str, threads: int) -> float | None:
    """How many times the base takes as long for the training in its fit."""
    base = runs_of(record, base_of(record), threads)
    return median_of(within_rounds(base, runs_of(record, contender, threads), "train_seconds"))


def memory_left(record: Record, contender: str, threads: int) -> float | None:
    """MB by which the peak stays under two matrices, the ids and 200 MB."""
    runs = runs_with(record, contender, threads, "matrix_and_id_bytes")
    left = [run["matrix_and_id_bytes"] + 200e6 - run["peak_bytes"] for run in runs]
    return min(left) / 1e6 if left else None


def quality_difference(record: Record, contender: str, threads: int) -> float | None:
    """Lowest of the differences in mean score to the base, in points."""
    differences = []
    for test in tests_of(record):
        these, base = (scores(record, name, threads, test) for name in (contender, base_of(record)))
        if these and base:
            differences.append(mean(these) - mean(base))
    return min(differences) if differences else None


def mean_score(record: Record, contender: str, threads: int) -> float | None:
    """Mean of the scores of a row's first test."""
    found = scores(record, contender, threads, tests_of(record)[0])
    return mean(found) if found else None


def points_above(record: Record, contender: str, threads: int) -> float | None:
    """Difference in mean score to whom the row's settings hold this contender against."""
    other = record["settings"].get("against", {}).get(contender)
    these, others = (mean_score(record, name, threads) for name in (contender, other))
    return None if these is None or others is None else these - others


def scores(record: Record, contender: str, threads: int, test: str) -> list[float]:
    """Return the scores of a test, one for each seed."""
    runs = runs_with(record, contender, threads, "quality")
    found = [run["quality"].get(test, {}).get("score") for run in runs]
    return [score for score in found if score is not None]


def unit_per_second(record: Record) -> str:
    """Return the figure that a row's speeds are."""
    return "entries_per_second" if record["settings"].get("model") == "glove" else "words_per_second"


def base_of(record: Record) -> str:
    """Return whom the ratios of a row are to."""
    return str(record["settings"].get("base", BASE))


def tests_of(record: Record) -> list[str]:
    """Return the names of a row's test sets."""
    return list(record["settings"].get("tests", QUALITY.values()))


def runs_with(record: Record, contender: str, threads: int, key: str) -> list[Run]:
    return [run for run in runs_of(record, contender, threads) if run.get(key) is not None]


def median_of(values: Iterable[float]) -> float | None:
    found = list(values)
    return median(found) if found else None


FIGURES: dict[str, Callable[[Record, str, int], float | None]] = {
    "speed ratio": speed_ratio,
    "scaling": scaling,
    "million/s": rate,
    "speed share": speed_share,
    "same counts": same_counts,
    "cost below": cost_below,
    "seconds left": seconds_left,
    "megabytes left": megabytes_left,
    "time ratio": time_ratio,
    "fit time ratio": fit_time_ratio,
    "memory left": memory_left,
    "quality difference": quality_difference,
    "score": mean_score,
    "points above": points_above,
}
