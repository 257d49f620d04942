"""Tables of what learns from labels, and what these rows say of themselves."""

from __future__ import annotations

from statistics import mean
from typing import Any

from cells import entries, markdown, memory, number, score, seconds, several
from figures import (
    Record,
    base_of,
    fit_time_ratio,
    points_above,
    rate,
    runs_with,
    scores,
    speed_ratio,
    tests_of,
    train_time_ratio,
)

__all__ = ["NOTES", "TABLES", "described"]

NOTES = """\
Classifiers: time is that of fitting alone, of all folds together if there are several, and BLAS has as many
threads as the row, for everyone. The initial word vectors are skip-gram's, the same file for everyone; they
are made before the clock starts, and so are the windows of fixed vectors that scikit-learn's network uses.
F1 is that of the words of all folds together, accuracy the mean of the folds. The random vectors of "Is it
a location?" are of the same words and normally distributed, with the standard deviation of the true ones.

Sentences are in random order, which fastText keeps; it has the same words, and the end of the line in
addition. The best setting of a grid is chosen on the folds it is measured on, for everyone. Words per
second are words of the text times epochs over the training time alone, which for fastText is that of a run
minus that of one with 0 epochs; "text to model" is all of `fit`, from a list of str, and all of fastText,
from a file."""


def tagging_table(record: Record) -> str:
    """Return the table of a row of kind "tagging"."""
    lines = [
        [
            contender,
            *_scored(record, contender, threads),
            seconds(record, contender, threads, "fit_seconds"),
            number(fit_time_ratio(record, contender, threads), "{:.1f}×"),
            memory(record, contender, threads),
        ]
        for contender, threads in entries(record)
    ]
    base = f"{base_of(record).partition(',')[0]}'s time is"
    return markdown(["", *tests_of(record), "fitting", base, "peak memory"], lines)


def compared_table(record: Record) -> str:
    """Return the table of a row of kind "locations" or "polarity-vectors"."""
    against = record["settings"].get("against", {})
    lines = [
        [
            contender,
            *_scored(record, contender, threads),
            number(points_above(record, contender, threads), "{:+.2f}"),
            against.get(contender, ""),
            seconds(record, contender, threads, "fit_seconds"),
            memory(record, contender, threads),
        ]
        for contender, threads in entries(record)
    ]
    return markdown(["", *tests_of(record), "points above", "whom", "fitting", "peak memory"], lines)


def polarity_table(record: Record) -> str:
    """Return the tables of a row of kind "polarity": the best of every grid, and the grids."""
    names = list(record["settings"]["grid"])
    lines = []
    for contender, threads in entries(record):
        best = max(_grid(record, contender, threads), key=lambda point: point["accuracy"], default={})
        lines.append(
            [
                contender,
                *_scored(record, contender, threads),
                *(number(best.get(name), "{:g}") for name in names),
                seconds(record, contender, threads, "fit_seconds"),
                memory(record, contender, threads),
            ]
        )
    settings = [name.replace("_", " ") for name in names]
    head = ["", *tests_of(record), *settings, "fitting, all of the grid", "peak memory"]
    return "\n\n".join([markdown(head, lines), *_grids_table(record)])


def polarity_speed_table(record: Record) -> str:
    """Return the table of a row of kind "polarity-speed"."""
    lines = []
    for contender, threads in entries(record):
        lines.append(
            [
                contender,
                number(rate(record, contender, threads), "{:.2f} M"),
                number(speed_ratio(record, contender, threads), "{:.1f}×"),
                seconds(record, contender, threads, "fit_seconds"),
                number(fit_time_ratio(record, contender, threads), "{:.1f}×"),
                seconds(record, contender, threads, "train_seconds"),
                number(train_time_ratio(record, contender, threads), "{:.1f}×"),
                memory(record, contender, threads),
            ]
        )
    base, its = base_of(record), f"{base_of(record)}'s is"
    head = ["", "words/s", f"against {base}", "text to model", its, "training alone", its, "peak memory"]
    return markdown(head, lines)


def described(record: Record, text: str) -> str:
    """Return the settings of a row in words; `text` is what vectors are made of."""
    settings = record["settings"]
    words = []
    if "hidden" in settings:
        words += [
            f"window {settings['window']}",
            f"{settings['hidden']} hidden units",
            settings["activation"],
        ]
        words += [settings["optimizer"], f"batches of {settings['batch_size']}"]
        words += [f"learning rate {settings['learning_rate']:g}", several(settings["epochs"], "epoch")]
    elif "grid" in settings:
        words += [f"d={settings['vector_size']}", f"{settings['buckets']:,} buckets"]
    elif "word_ngrams" in settings:
        words += [f"d={settings['vector_size']}", f"word n-grams up to {settings['word_ngrams']}"]
        words += [f"{settings['buckets']:,} buckets", f"learning rate {settings['learning_rate']:g}"]
        words += [several(settings["epochs"], "epoch")]
    if "folds" in settings:
        words.append(f"{settings['folds']} folds")
    if "skipgram" in settings:
        skipgram = settings["skipgram"]
        made = f"d={skipgram['vector_size']}, {several(skipgram['epochs'], 'epoch')}"
        words.append(f"vectors of {text} ({made})")
    threads = max(run["threads"] for run in record["runs"])
    return ", ".join([*words, several(threads, "thread")])


def _scored(record: Record, contender: str, threads: int) -> list[str]:
    return [score(scores(record, contender, threads, test), digits=2) for test in tests_of(record)]


def _grid(record: Record, contender: str, threads: int) -> list[dict[str, Any]]:
    """Return the points of a contender's grid with their mean accuracy over the rounds."""
    grids = [run["grid"] for run in runs_with(record, contender, threads, "grid")]
    return [
        {**points[0], "accuracy": mean(point["accuracy"] for point in points)}
        for points in zip(*grids, strict=True)
    ]


def _grids_table(record: Record) -> list[str]:
    """Return a table of all grids, where there are some: the last setting side by side in a cell."""
    *names, last = record["settings"]["grid"]
    cells: dict[tuple[float, ...], dict[str, list[str]]] = {}
    contenders = [contender for contender, threads in entries(record) if _grid(record, contender, threads)]
    for contender, threads in entries(record):
        for point in _grid(record, contender, threads):
            line = cells.setdefault(tuple(point[name] for name in names), {})
            line.setdefault(contender, []).append(f"{point['accuracy']:.1f}")
    lines = [
        [", ".join(f"{value:g}" for value in values), *(" / ".join(line[name]) for name in contenders)]
        for values, line in cells.items()
    ]
    what = ", ".join(name.replace("_", " ") for name in names)
    numbers = " / ".join(f"{value:g}" for value in record["settings"]["grid"][last])
    head = [what, *(f"{name}, {last.replace('_', ' ')} {numbers}" for name in contenders)]
    return [markdown(head, lines)] if lines else []


TABLES = {
    "tagging": tagging_table,
    "locations": compared_table,
    "polarity": polarity_table,
    "polarity-speed": polarity_speed_table,
    "polarity-vectors": compared_table,
}
