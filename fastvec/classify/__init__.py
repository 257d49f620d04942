"""Learning on top of word vectors: classifiers, some of which train the words along.

Takes scikit-learn: ``pip install 'fastvec[classify]'``.

>>> from fastvec.classify import SoftmaxClassifier
>>> SoftmaxClassifier(epochs=200).fit([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1]).predict([[5.0]])
array([1])
"""

from fastvec.classify._loading import load
from fastvec.classify.ranker import WindowRanker
from fastvec.classify.softmax import SoftmaxClassifier
from fastvec.classify.text import TextClassifier
from fastvec.classify.text_vectorizer import TextVectorizer
from fastvec.classify.two_layer import TwoLayerClassifier
from fastvec.classify.window import WindowClassifier

__all__ = [
    "SoftmaxClassifier",
    "TextClassifier",
    "TextVectorizer",
    "TwoLayerClassifier",
    "WindowClassifier",
    "WindowRanker",
    "load",
]
