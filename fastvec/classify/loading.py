"""Loading a classifier from a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastvec.classify.networks.files import Saveable
from fastvec.classify.networks.network import (
    NetworkClassifier,
    NetworkRegressor,
    SoftmaxClassifier,
    TwoLayerClassifier,
)
from fastvec.classify.texts import fasttext
from fastvec.classify.texts.classifier import TextClassifier
from fastvec.classify.texts.vectorizer import TextVectorizer
from fastvec.classify.words.ranker import WindowRanker
from fastvec.classify.words.tagger import WindowClassifier
from fastvec.formats import model
from fastvec.training.loop import Epoch

__all__ = ["load"]

ESTIMATORS: dict[str, Callable[..., Saveable]] = {
    estimator.__name__: estimator
    for estimator in (
        NetworkClassifier,
        NetworkRegressor,
        SoftmaxClassifier,
        TextClassifier,
        TextVectorizer,
        TwoLayerClassifier,
        WindowClassifier,
        WindowRanker,
    )
}

OF_FASTTEXT = (".bin", ".ftz", ".bin.gz", ".ftz.gz")

# What Python and NumPy raise at sight of what no classifier has written.
DAMAGE = (ArithmeticError, AttributeError, LookupError, RecursionError, SyntaxError, TypeError, ValueError)


def load(path: str | os.PathLike[str]) -> Any:
    """Load an estimator saved by its `save` method, ready to predict.

    Parameters
    ----------
    path : str or path-like
        File with the extension ``.fvmodel``. It holds arrays and JSON: loading it runs no code. Or a
        classifier of fastText, ``.bin`` or ``.ftz``, which becomes a `TextClassifier` with the probabilities
        of fastText: its `predict` adds 0.00001 to each of them.

    Returns
    -------
    estimator
        The fitted classifier, regressor or vectorizer. If it has `vectors`, they are the trained ones.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is not a classifier file, or is damaged.

    Examples
    --------
    >>> from fastvec.classify import SoftmaxClassifier, load
    >>> classifier = SoftmaxClassifier(epochs=200).fit([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1])
    >>> classifier.save("threshold.fvmodel")
    >>> load("threshold.fvmodel").predict([[5.0]])
    array([1])
    """
    if Path(path).name.lower().endswith(OF_FASTTEXT):
        return fasttext.load(path, TextClassifier)
    saved = model.read_classifier(path)
    try:
        return _restored(saved)
    except DAMAGE as error:
        raise ValueError(f"{os.fspath(path)}: the classifier is damaged ({error})") from None


def _restored(saved: model.Model) -> Saveable:
    description = saved.description
    given = description["parameters"].items()
    estimator = model.class_of(description, ESTIMATORS)(
        **{name: tuple(value) if isinstance(value, list) else value for name, value in given}
    )
    estimator._restore(description["learned"], saved.tensors)
    estimator._provenance = dict(description.get("provenance") or {})
    if hasattr(estimator, "check_gradient"):  # it was trained in epochs
        if not description["history"]:
            raise ValueError("a history of no epoch")
        # `pairs` of an epoch were `examples` once
        history = [
            {"pairs" if name == "examples" else name: value for name, value in dict(epoch).items()}
            for epoch in description["history"]
        ]
        estimator.history_ = model.records(history, Epoch)  # type: ignore[attr-defined]
        estimator.interrupted_ = False  # type: ignore[attr-defined]
    if description["vectors"] and hasattr(estimator, "vectors_"):
        estimator.vectors = estimator.vectors_  # type: ignore[attr-defined]
    estimator.check_params()  # type: ignore[attr-defined]
    return estimator
