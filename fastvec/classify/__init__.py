"""Classifiers on top of word vectors, as scikit-learn estimators.

Needs scikit-learn: ``pip install 'fastvec[classify]'``.

>>> from fastvec.classify import SoftmaxClassifier
>>> SoftmaxClassifier(epochs=200).fit([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1]).predict([[5.0]])
array([1])
"""

try:
    import sklearn.base  # noqa: F401
except ImportError as error:
    raise ImportError("fastvec.classify needs scikit-learn: pip install 'fastvec[classify]'") from error

from fastvec.classify.labelled_files import LabelledLines, read_conll, read_labelled_lines
from fastvec.classify.loading import load
from fastvec.classify.networks.network import (
    NetworkClassifier,
    NetworkRegressor,
    SoftmaxClassifier,
    TwoLayerClassifier,
)
from fastvec.classify.spans import span_scores
from fastvec.classify.texts.autotune import autotune
from fastvec.classify.texts.classifier import TextClassifier
from fastvec.classify.texts.vectorizer import TextVectorizer
from fastvec.classify.words.ranker import WindowRanker
from fastvec.classify.words.tagger import WindowClassifier

__all__ = [
    "LabelledLines",
    "NetworkClassifier",
    "NetworkRegressor",
    "SoftmaxClassifier",
    "TextClassifier",
    "TextVectorizer",
    "TwoLayerClassifier",
    "WindowClassifier",
    "WindowRanker",
    "autotune",
    "load",
    "read_conll",
    "read_labelled_lines",
    "span_scores",
]
