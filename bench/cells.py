"""The cells of the tables: how numbers look, and the Markdown around them."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, median, stdev

from figures import Record, median_of, runs_of, runs_with

__all__ = ["entries", "markdown", "memory", "number", "score", "seconds", "several", "wall"]


def entries(record: Record) -> list[tuple[str, int]]:
    """Return contenders and numbers of threads in the order of the runs, grouped by number of threads."""
    seen = dict.fromkeys((run["contender"], run["threads"]) for run in record["runs"])
    return sorted(seen, key=lambda entry: entry[1])


def number(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def several(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def wall(record: Record, contender: str, threads: int) -> str:
    return number(median_of([run["wall_seconds"] for run in runs_of(record, contender, threads)]), "{:.1f} s")


def seconds(record: Record, contender: str, threads: int, key: str) -> str:
    """Return the median of a time, and between which it was where it was taken several times."""
    taken = [run[key] for run in runs_with(record, contender, threads, key)]
    if len(taken) < 2:
        return number(median_of(taken), "{:.1f} s")
    return f"{median(taken):.1f} s ({min(taken):.1f} – {max(taken):.1f})"


def memory(record: Record, contender: str, threads: int) -> str:
    peaks = [run["peak_bytes"] / 1e6 for run in runs_of(record, contender, threads)]
    return number(median_of(peaks), "{:,.0f} MB")


def score(values: Sequence[float], digits: int = 1) -> str:
    if not values:
        return "–"
    spread = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{mean(values):.{digits}f}{spread}"


def markdown(head: list[str], lines: list[list[str]]) -> str:
    """Return a Markdown table that is also readable as it is."""
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]

    def format_line(cells: list[str]) -> str:
        right = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "| " + " | ".join([cells[0].ljust(widths[0]), *right]) + " |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([format_line(head), format_line(rule), *map(format_line, lines)])
