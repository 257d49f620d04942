"""Tables in Markdown: rows are contenders, columns say which of their figures they show, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import mean, median, stdev
from typing import Any, NamedTuple

Record = dict[str, Any]


class Entry(NamedTuple):
    """A contender with a number of threads, in a record if there is one, and whom it is held against."""

    record: Record | None
    contender: str
    threads: int
    base: str = ""

    def values(self, figure: str) -> Any:
        """Return the values of a figure, one for each round; of some, only mean and deviation were kept."""
        entries = self.record["entries"] if self.record else []
        found = (entry for entry in entries if (entry["contender"], entry["threads"]) == self[1:3])
        return next(found, {}).get(figure, [])

    def known(self, figure: str) -> list[float]:
        """Return the values that there are."""
        return [value for value in self.values(figure) if value is not None]

    def ratio(self, other: Entry, figure: str, form: str = "{:.1f}×") -> str:
        """Return the median of the ratios to someone else in the rounds in which both have the figure."""
        pairs = zip(self.values(figure), other.values(figure))  # noqa: B905 - of someone slow there are fewer
        return middle([a / b for a, b in pairs if a and b], form)


def middle(values: Sequence[float], form: str) -> str:
    return form.format(median(values)) if values else "–"


def shown(form: str, unit: float, entry: Entry, figure: str) -> str:
    return middle([value / unit for value in entry.known(figure)], form)


def limits(entry: Entry, figure: str) -> str:
    known = [value / 1e6 for value in entry.known(figure)]
    return f"{min(known):.2f} – {max(known):.2f}" if known else "–"


def spread(entry: Entry, figure: str) -> str:
    known = entry.known(figure)
    return middle(known, "{:.1f} s") + (f" ({min(known):.1f} – {max(known):.1f})" if len(known) > 1 else "")


def score(entry: Entry, figure: str, digits: int = 1) -> str:
    """Return the mean of a score and its standard deviation, or the means of several scores."""
    values = entry.values(figure)
    if isinstance(values, dict):
        found = list(values.values())
    elif values and isinstance(values[0], list):
        return " / ".join(f"{mean(each):.{digits}f}" for each in zip(*values, strict=True))
    else:
        known = entry.known(figure)
        found = [mean(known), stdev(known)] if len(known) > 1 else known
    return " ± ".join(f"{value:.{digits}f}" for value in found) or "–"


def other(entry: Entry) -> Entry:
    return entry._replace(contender=entry.base)


def against(entry: Entry, figure: str) -> str:
    return entry.ratio(other(entry), figure)


def scaled(entry: Entry, figure: str) -> str:
    return entry.ratio(entry._replace(threads=1), figure, "{:.2f}×") if entry.threads > 1 else ""


fine_score = partial(score, digits=2)
millions, megabytes = partial(shown, "{:.2f} M", 1e6), partial(shown, "{:,.0f} MB", 1e6)
seconds, hundredths = partial(shown, "{:.1f} s", 1), partial(shown, "{:.2f} s", 1)
whole, plain = partial(shown, "{:,.0f}", 1), partial(shown, "{:g}", 1)

# Columns by their heads: what a cell shows, and of which figure. ``{base}`` is whom ratios are to.
COLUMNS: dict[str, tuple[Callable[[Entry, str], str], str]] = {
    "threads": (lambda entry, figure: str(entry.threads), ""),
    "words/s": (millions, "per_second"),
    "entries/s": (millions, "per_second"),
    "lowest – highest": (limits, "per_second"),
    "against {base}": (against, "per_second"),
    "against one thread": (scaled, "per_second"),
    "inferring, words/s": (millions, "inferred_per_second"),
    "against {base}, inferring": (against, "inferred_per_second"),
    "time": (seconds, "seconds"),
    "fitting": (spread, "seconds"),
    "{base}'s time is": (lambda entry, figure: other(entry).ratio(entry, figure), "seconds"),
    "reading": (hundredths, "seconds"),
    "finding": (hundredths, "finding"),
    "joining": (hundredths, "joining"),
    "walking": (hundredths, "walking"),
    "peak memory": (megabytes, "peak_bytes"),
    "file": (megabytes, "file_bytes"),
    "phrases": (whole, "phrases"),
    "words left": (whole, "words_left"),
    "entries": (whole, "entries"),
    **{name: (fine_score, name) for name in ("accuracy", "AUC", "AUC, regression", "HR@10", "MRR")},
    **{name: (plain, name.replace(" ", "_")) for name in ("word ngrams", "learning rate", "epochs")},
    "held-out loss": (fine_score, "loss"),
    "seeds": (lambda entry, figure: str(len(entry.values(figure))), "seconds"),
}


def cell(head: str, entry: Entry) -> str:
    """Return what an entry has in a column: a score of that name, if nothing else is said."""
    show, figure = COLUMNS.get(head, (score, head))
    return show(entry, figure)


def figure_of(head: str) -> str:
    return COLUMNS.get(head, (score, head))[1]


def table(rows: Sequence[tuple[str, Any]], columns: Mapping[str, Callable[[Any], str]]) -> str:
    """Return a table of named items in rows, and in each column a function of them; readable as it is."""
    lines = [["", *columns], *([name, *(show(item) for show in columns.values())] for name, item in rows)]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    lines.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    padded = ([first.ljust(widths[0]), *map(str.rjust, rest, widths[1:])] for first, *rest in lines)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in padded)


def record_table(record: Record, base: str, heads: str) -> str:
    """Return the table of a record, its entries by number of threads."""
    found = sorted(record["entries"], key=lambda entry: entry["threads"])
    entries = [Entry(record, each["contender"], each["threads"], base) for each in found]
    columns = {head.format(base=base.partition(",")[0]): partial(cell, head) for head in heads.split(" | ")}
    return table([(each.contender, each) for each in entries], columns)


def about(record: Record) -> str:
    """Return what a record is of, and its settings, with the number of threads if it is the same for all."""
    threads = {entry["threads"] for entry in record["entries"]}
    settings = {**record["settings"], **({"threads": threads.pop()} if len(threads) == 1 else {})}
    words = ", ".join(f"{name}={value}" for name, value in settings.items())
    return "; ".join(filter(None, [record["data"], words, several(record["rounds"], "round")]))


def place(record: Record) -> str:
    """Return the machine, the versions and the date of a record."""
    machine = record["machine"]
    cores = several(machine["cores"], "core") if machine["cores"] else ""
    parts = filter(None, [machine["processor"], cores, f"{machine['backend']} backend", machine["system"]])
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return "; ".join(filter(None, [", ".join(parts), versions, record["date"]]))


def several(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
