"""Train word2vec, fastText and GloVe embeddings on a CPU.

>>> import fastvec
>>> corpus = fastvec.Corpus([["a", "rose", "is", "a", "rose"]] * 20)
>>> model = fastvec.SkipGram(vector_size=10, threads=1).fit(corpus)
>>> model.vectors_["rose"].shape
(10,)
"""

from typing import TYPE_CHECKING, NoReturn

from fastvec.training import startup  # noqa: F401  # isort: skip
from fastvec import evaluate, functional
from fastvec.corpus import Corpus, Vocabulary
from fastvec.counts.cooccurrence import Cooccurrence
from fastvec.gradcheck import gradcheck
from fastvec.models.fasttext import FastText
from fastvec.models.glove import GloVe
from fastvec.models.loading import load_model
from fastvec.models.paragraphs import DocVectors
from fastvec.models.phrases import Phrases
from fastvec.models.svd import PPMI_SVD
from fastvec.models.word2vec import CBOW, SkipGram
from fastvec.peers.names import PACKAGE
from fastvec.vectors import SubwordVectors, UnknownWordError, Vectors, load

__all__ = [
    "CBOW",
    "PPMI_SVD",
    "Cooccurrence",
    "Corpus",
    "DocVectors",
    "FastText",
    "GloVe",
    "Phrases",
    "SkipGram",
    "SubwordVectors",
    "UnknownWordError",
    "Vectors",
    "Vocabulary",
    "evaluate",
    "functional",
    "gradcheck",
    "load",
    "load_model",
]

__version__ = "0.1.0"

if not TYPE_CHECKING:  # to mypy, every name could be asked for then

    def __getattr__(name: str) -> NoReturn:
        here = PACKAGE.get(name)
        ending = "" if here is None else f": it is {here}"
        raise AttributeError(f"module 'fastvec' has no attribute {name!r}{ending}", name=name)
