"""Tables from results: ``results.md``, and the short one of the README.

Results are ``{"rows": {name: {"date", "machine", "settings", "runs"}}}``; a run is a contender's figures with
its `round`, or why there are none. A row that was measured alone carries its own date and machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import mean, median, stdev
from typing import Any

from rows import ALL, BASE, GOALS, QUALITY, ROWS, Goal, Row

__all__ = ["BEGIN", "END", "FIGURES", "readme_table", "replace_between_marks", "report"]

Record = dict[str, Any]  # one row of the results
Run = dict[str, Any]

BEGIN = "<!-- benchmark:begin -->"
END = "<!-- benchmark:end -->"
README_CONTENDERS = ("fastvec", "fastvec (unshared negatives)", "gensim", "fastText")
# What the README says of the other models, and the rows it takes that from.
README_MODELS = {
    "CBOW": "cbow-100",
    "skip-gram, hierarchical softmax": "tree-100",
    "skip-gram with n-grams": "subwords-100",
    "phrases, found and joined": "phrases",
}

NOTES = """\
All contenders work on the same text with the same settings, each run in a process of its own, one after the
other; a round is one run of each. A ratio is taken within a round and the median of the rounds is shown,
since a machine that is slow for a minute is slow for both. Words per second are words of the text, dropped
ones included, over the time of training alone. Time and memory of the whole way are from the start of the
process to the saved vectors.

fastText is run without subwords where it is not compared in just these. Its noise exponent is fixed at 0.5,
the others' is 0.75 there. Its training time is that of a run less that of one with 0 epochs, and it is
credited with the words it really reads, a little more than one text per epoch. gensim reads the text by
`corpus_file`, its fastest way; with n threads its learning rate falls by only 1/n of its share within an
epoch, and so stays a little higher.

Phrases are found and joined from the text file on. fastvec reads it once, into ids; gensim reads it twice, by
`LineSentence`, and its joined sentences are not kept.

Quality: Spearman's correlation × 100, and per cent of the analogies solved, among the 30,000 most frequent
words, by the same code for everyone; mean ± standard deviation over the seeds."""


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
    """Words per second, against those of the base with as many threads."""
    base = runs_of(record, _base(record), threads)
    return _median(within_rounds(runs_of(record, contender, threads), base, "words_per_second"))


def scaling(record: Record, contender: str, threads: int) -> float | None:
    """Words per second, against those of the same contender with one thread."""
    if threads == ALL and record["settings"]["threads"] == 1:
        return None
    one = runs_of(record, contender, 1)
    return _median(within_rounds(runs_of(record, contender, threads), one, "words_per_second"))


def rate(record: Record, contender: str, threads: int) -> float | None:
    """Million words per second."""
    speeds = [run["words_per_second"] for run in _with(record, contender, threads, "words_per_second")]
    return median(speeds) / 1e6 if speeds else None


def time_ratio(record: Record, contender: str, threads: int) -> float | None:
    """How many times the base takes as long."""
    base = runs_of(record, _base(record), threads)
    return _median(within_rounds(base, runs_of(record, contender, threads), "wall_seconds"))


def memory_left(record: Record, contender: str, threads: int) -> float | None:
    """MB by which the peak stays under two matrices, the ids and 200 MB."""
    runs = _with(record, contender, threads, "matrix_and_id_bytes")
    left = [run["matrix_and_id_bytes"] + 200e6 - run["peak_bytes"] for run in runs]
    return min(left) / 1e6 if left else None


def quality_difference(record: Record, contender: str, threads: int) -> float | None:
    """Lowest of the differences in mean score to the base, in points."""
    differences = []
    for test in _tests(record):
        these, base = (scores(record, name, threads, test) for name in (contender, _base(record)))
        if these and base:
            differences.append(mean(these) - mean(base))
    return min(differences) if differences else None


FIGURES: dict[str, Callable[[Record, str, int], float | None]] = {
    "speed ratio": speed_ratio,
    "scaling": scaling,
    "million words/s": rate,
    "time ratio": time_ratio,
    "memory left": memory_left,
    "quality difference": quality_difference,
}


def scores(record: Record, contender: str, threads: int, test: str) -> list[float]:
    """Return the scores of a test, one for each seed."""
    runs = _with(record, contender, threads, "quality")
    found = [run["quality"].get(test, {}).get("score") for run in runs]
    return [score for score in found if score is not None]


def report(results: dict[str, Any]) -> str:
    """Return all of ``results.md``."""
    parts = ["# Benchmark results", "Generated by `python bench/compare.py`; do not edit.", NOTES]
    for row in ROWS:
        record = results["rows"].get(row.name)
        if record is not None:
            load = _number(record["machine"]["load"], "load {:.1f} before")  # of other work, best near 0
            parts += [f"## {row.title}", f"{_what(record, row)}. {_where(record)} ({load})."]
            parts += [TABLES[row.kind](record), *_why_not(record)]
    parts += ["## What was to be reached", goals_table(results)]
    return "\n\n".join(parts) + "\n"


def speed_table(record: Record) -> str:
    """Return the table of a row of kind "speed"."""
    lines = []
    for contender, threads in _entries(record):
        runs = _with(record, contender, threads, "words_per_second")
        speeds = [run["words_per_second"] for run in runs]
        lines.append(
            [
                contender,
                str(threads),
                _number(rate(record, contender, threads), "{:.2f} M"),
                f"{min(speeds) / 1e6:.2f} – {max(speeds) / 1e6:.2f}" if speeds else "–",
                _number(speed_ratio(record, contender, threads), "{:.1f}×"),
                _number(scaling(record, contender, threads), "{:.2f}×") if threads > 1 else "",
            ]
        )
    head = ["", "threads", "words/s", "lowest – highest", f"against {_base(record)}", "against one thread"]
    return _table(head, lines)


def reading_table(record: Record) -> str:
    """Return the table of a row of kind "reading"."""
    lines = []
    for contender, threads in _entries(record):
        runs = runs_of(record, contender, threads)
        seconds = [_median([run[key] for run in runs]) for key in ("read_seconds", "read_cpu_seconds")]
        speed = _number(rate(record, contender, threads), "{:.2f} M")
        lines.append([contender, speed, *(_number(each, "{:.2f} s") for each in seconds)])
    return _table(["", "words/s", "time", "processor time"], lines)


def phrases_table(record: Record) -> str:
    """Return the table of a row of kind "phrases"."""
    lines = []
    for contender, threads in _entries(record):
        runs = runs_of(record, contender, threads)
        keys = ("find_seconds", "join_seconds", "phrases", "words_left")
        find, join, phrases, left = (_median([run[key] for run in runs]) for key in keys)
        lines.append(
            [
                contender,
                _number(rate(record, contender, threads), "{:.2f} M"),
                _number(speed_ratio(record, contender, threads), "{:.1f}×"),
                _number(find, "{:.2f} s"),
                _number(join, "{:.2f} s"),
                _memory(record, contender, threads),
                _number(phrases, "{:,.0f}"),
                _number(left, "{:,.0f}"),
            ]
        )
    head = [
        "",
        "words/s",
        f"against {_base(record)}",
        "finding",
        "joining",
        "peak memory",
        "phrases",
        "words left",
    ]
    return _table(head, lines)


def whole_table(record: Record) -> str:
    """Return the table of a row of kind "whole"."""
    tests = [*_tests(record), "semantic", "syntactic"]
    lines = [
        [
            contender,
            _wall(record, contender, threads),
            _number(time_ratio(record, contender, threads), "{:.1f}×"),
            _memory(record, contender, threads),
            *(_score(scores(record, contender, threads, test)) for test in tests),
            str(len(runs_of(record, contender, threads))),
        ]
        for contender, threads in _entries(record)
    ]
    return _table(["", "time", f"{_base(record)}'s time is", "peak memory", *tests, "seeds"], lines)


TABLES = {
    "speed": speed_table,
    "reading": reading_table,
    "phrases": phrases_table,
    "whole": whole_table,
}


def goals_table(results: dict[str, Any]) -> str:
    """Return promised and measured figures side by side."""
    lines = []
    for goal in GOALS:
        reached = _reached(results, goal)
        verdict = "not measured" if reached is None else ("yes" if reached >= goal.at_least else "no")
        lines.append([goal.text, f"{goal.at_least:g}", _number(reached, "{:.2f}"), verdict])
    return _table(["", "at least", "measured", "reached"], lines)


def readme_table(results: dict[str, Any]) -> str:
    """Return the short table, with machine and settings under it."""
    speed, whole = (results["rows"].get(name) for name in ("speed-100", "whole"))
    threads = {record["settings"]["threads"] for record in (speed, whole) if record}
    many = f"{threads.pop()} threads" if len(threads) == 1 else "all threads"
    lines = []
    for name in README_CONTENDERS:
        cells = [name]
        if speed:
            cells += [
                _number(rate(speed, name, 1), "{:.2f} M"),
                _number(speed_ratio(speed, name, 1), "{:.1f}×"),
                _number(rate(speed, name, ALL), "{:.2f} M"),
            ]
        if whole:
            cells += [_wall(whole, name, ALL), _memory(whole, name, ALL)]
            cells += [_score(scores(whole, name, ALL, test)) for test in QUALITY.values()]
        lines.append(cells)
    head = [""]
    head += ["words/s, 1 thread", f"against {BASE}", f"words/s, {many}"] if speed else []
    head += ["text to vectors", "peak memory", *QUALITY.values()] if whole else []
    described = [
        f"{row.title}: {_what(record, row)}."
        for row in ROWS
        if (record := {"speed-100": speed, "whole": whole}.get(row.name))
    ]
    places = dict.fromkeys(f"{_where(record)}." for record in (speed, whole) if record)
    return "\n\n".join([_table(head, lines), *_models_table(results), "\n".join([*described, *places])])


def _models_table(results: dict[str, Any]) -> list[str]:
    """Return the table of the other models, if one of them was measured."""
    lines = []
    for model, name in README_MODELS.items():
        record = results["rows"].get(name)
        if record:
            lines.append(
                [
                    model,
                    _number(rate(record, "fastvec", 1), "{:.2f} M"),
                    f"{_number(speed_ratio(record, 'fastvec', 1), '{:.1f}×')} {_base(record)}",
                    _number(scaling(record, "fastvec", ALL), "{:.2f}×"),
                ]
            )
    head = ["", "words/s, 1 thread", "against", "all threads against one"]
    return [_table(head, lines)] if lines else []


def replace_between_marks(text: str, table: str) -> str:
    """Return a text with the table between the marks `BEGIN` and `END`.

    Raises
    ------
    ValueError
        If the text has not each mark once, in this order.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"the text must have the lines {BEGIN} and {END}, once each and in this order")
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}"


def _reached(results: dict[str, Any], goal: Goal) -> float | None:
    record = results["rows"].get(goal.row)
    return None if record is None else FIGURES[goal.figure](record, goal.contender, goal.threads)


def _what(record: Record, row: Row) -> str:
    """Return the text and the settings of a row."""
    settings = record["settings"]
    what = f"{settings['corpus']}, {settings['words'] / 1e6:.1f} M words"
    if row.kind == "phrases":
        what += f"; {settings['scoring']} above {settings['threshold']:g}, min_count {settings['min_count']}"
    elif row.kind != "reading":
        what += (
            f"; d={settings['vector_size']}, window {settings['window']}, {settings['negatives']} negatives, "
            f"subsample {settings['subsample']:g}, min_count {settings['min_count']}, "
            f"{_learning_rate(settings)}, {_several(settings['epochs'], 'epoch')}"
        )
    if row.kind == "whole":
        what += f", {_several(settings['threads'], 'thread')}"
    return f"{what}; {_several(1 + max(run['round'] for run in record['runs']), 'round')}"


def _learning_rate(settings: dict[str, Any]) -> str:
    rate = settings["learning_rate"]
    return "everyone's own learning rate" if rate is None else f"learning rate {rate:g}"


def _where(record: Record) -> str:
    """Return the machine, the versions and the date of a row."""
    machine = record["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['processor']}, {_several(machine['cores'], 'core')}, {machine['backend']} backend, "
        f"{machine['system']}; {versions}; {record['date']}"
    )


def _base(record: Record) -> str:
    """Return whom the ratios of a row are to."""
    return str(record["settings"].get("base", BASE))


def _tests(record: Record) -> list[str]:
    """Return the names of a row's test sets."""
    return list(record["settings"].get("tests", QUALITY.values()))


def _several(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _why_not(record: Record) -> list[str]:
    """Return a line on every contender without figures."""
    reasons = {f"{run['contender']}: {run['error']}" for run in record["runs"] if "error" in run}
    return ["\n".join(f"- {reason}" for reason in sorted(reasons))] if reasons else []


def _entries(record: Record) -> list[tuple[str, int]]:
    """Return contenders and numbers of threads in the order of the runs, grouped by number of threads."""
    seen = dict.fromkeys((run["contender"], run["threads"]) for run in record["runs"])
    return sorted(seen, key=lambda entry: entry[1])


def _with(record: Record, contender: str, threads: int, key: str) -> list[Run]:
    return [run for run in runs_of(record, contender, threads) if run.get(key) is not None]


def _median(values: Iterable[float]) -> float | None:
    found = list(values)
    return median(found) if found else None


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _wall(record: Record, contender: str, threads: int) -> str:
    return _number(_median([run["wall_seconds"] for run in runs_of(record, contender, threads)]), "{:.1f} s")


def _memory(record: Record, contender: str, threads: int) -> str:
    peaks = [run["peak_bytes"] / 1e6 for run in runs_of(record, contender, threads)]
    return _number(_median(peaks), "{:,.0f} MB")


def _score(values: Sequence[float]) -> str:
    if not values:
        return "–"
    return f"{mean(values):.1f}" + (f" ± {stdev(values):.1f}" if len(values) > 1 else "")


def _table(head: list[str], lines: list[list[str]]) -> str:
    """Return a Markdown table that is also readable as it is."""
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]

    def format_line(cells: list[str]) -> str:
        right = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "| " + " | ".join([cells[0].ljust(widths[0]), *right]) + " |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([format_line(head), format_line(rule), *map(format_line, lines)])
