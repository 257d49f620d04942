"""What ``fastvec tag`` and ``fastvec classify`` share: arguments, files and messages."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

__all__ = ["add_errors", "add_file", "add_model", "load_classifier", "print_scores", "told"]


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the argument of a saved classifier."""
    parser.add_argument("model", metavar="MODEL", help="trained model: .fvmodel")


def add_file(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the argument of a file with or without labels."""
    parser.add_argument("file", metavar="FILE", help=f"{what}; plain or compressed, - is standard input")
    add_errors(parser)


def add_errors(parser: argparse._ActionsContainer) -> None:
    """Add the option for bytes that are not UTF-8."""
    parser.add_argument(
        "--errors",
        choices=("strict", "replace", "ignore"),
        default="strict",
        help="how to handle bytes that are not UTF-8 (default: %(default)s)",
    )


def told(epoch: Any) -> str:
    """Return a summary of an epoch."""
    score = epoch.validation_score
    return f"loss {epoch.loss:.4f}" + ("" if score is None else f", validation accuracy {score:.2%}")


def load_classifier(path: str, name: str) -> Any:
    """Load a classifier, which must be of the class `name`."""
    from fastvec import classify

    model = classify.load(path)
    if type(model).__name__ != name:
        raise ValueError(f"{path} holds a {type(model).__name__}, but this command needs a {name}")
    return model


def print_scores(labels: list[str], found: list[str], what: str) -> None:
    """Print accuracy, and precision, recall and F1 of every label, the most frequent first."""
    from sklearn.metrics import precision_recall_fscore_support

    names = [name for name, _ in sorted(Counter(labels).items(), key=lambda item: (-item[1], item[0]))]
    right = sum(a == b for a, b in zip(labels, found, strict=True))
    print(f"accuracy {right / len(labels):.4f} of {len(labels):,} {what}")
    rows = zip(
        names, *precision_recall_fscore_support(labels, found, labels=names, zero_division=0), strict=True
    )
    width = max(len("label"), *map(len, names))
    print(f"{'label':{width}}  precision  recall     F1   count")
    for name, precision, recall, f1, count in rows:
        print(f"{name:{width}}  {precision:9.3f}  {recall:6.3f}  {f1:5.3f}  {count:6,}")
