"""Train word2vec, fastText and GloVe embeddings on a CPU.

>>> import fastvec
>>> corpus = fastvec.Corpus([["a", "rose", "is", "a", "rose"]] * 20)
>>> model = fastvec.SkipGram(vector_size=10, threads=1).fit(corpus)
>>> model.vectors_["rose"].shape
(10,)
"""

import sys
from importlib import import_module

from fastvec.training import startup  # noqa: F401  # isort: skip
from fastvec import kernels  # noqa: F401  (whether there are any is found out at once)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fastvec import classify as classify
    from fastvec import distributed, evaluate, functional, presets
    from fastvec.corpus import Corpus, Vocabulary
    from fastvec.counts.cooccurrence import Cooccurrence
    from fastvec.finite_differences import gradcheck
    from fastvec.graphs.walks import walks
    from fastvec.models.explain import explain
    from fastvec.models.fasttext import FastText
    from fastvec.models.glove import GloVe
    from fastvec.models.loading import load_model
    from fastvec.models.paragraphs import DocVectors
    from fastvec.models.phrases import Phrases
    from fastvec.models.plan import plan
    from fastvec.models.probes import Probe
    from fastvec.models.stability import Stability
    from fastvec.models.svd import PPMI_SVD
    from fastvec.models.word2vec import CBOW, SkipGram
    from fastvec.tuning.autotune import autotune
    from fastvec.vectors import SubwordVectors, UnknownWordError, Vectors, drift, load
    from fastvec.vectors.combining import combine
    from fastvec.vectors.inference import infer
    from fastvec.vectors.retrofitting import retrofit

__all__ = [
    "CBOW",
    "PPMI_SVD",
    "Cooccurrence",
    "Corpus",
    "DocVectors",
    "FastText",
    "GloVe",
    "Phrases",
    "Probe",
    "SkipGram",
    "Stability",
    "SubwordVectors",
    "UnknownWordError",
    "Vectors",
    "Vocabulary",
    "autotune",
    "combine",
    "distributed",
    "drift",
    "evaluate",
    "explain",
    "functional",
    "gradcheck",
    "infer",
    "load",
    "load_model",
    "plan",
    "presets",
    "retrofit",
    "walks",
]

__version__ = "0.1.0"

# Modules are imported at the first use of a name: all of them would take as long as NumPy does.
_MODULES = {
    "CBOW": "models.word2vec",
    "PPMI_SVD": "models.svd",
    "Cooccurrence": "counts.cooccurrence",
    "Corpus": "corpus",
    "DocVectors": "models.paragraphs",
    "FastText": "models.fasttext",
    "GloVe": "models.glove",
    "Phrases": "models.phrases",
    "Probe": "models.probes",
    "SkipGram": "models.word2vec",
    "Stability": "models.stability",
    "SubwordVectors": "vectors",
    "UnknownWordError": "vectors",
    "Vectors": "vectors",
    "Vocabulary": "corpus",
    "autotune": "tuning.autotune",
    "combine": "vectors.combining",
    "drift": "vectors",
    "explain": "models.explain",
    "gradcheck": "finite_differences",
    "infer": "vectors.inference",
    "load": "vectors",
    "load_model": "models.loading",
    "plan": "models.plan",
    "retrofit": "vectors.retrofitting",
    "walks": "graphs.walks",
}


if not TYPE_CHECKING:  # which would take every name for one of these

    def __getattr__(name: str) -> object:
        if name in ("classify", "corpus", "distributed", "evaluate", "functional", "presets", "vectors"):
            return import_module(f"{__name__}.{name}")
        if name not in _MODULES:
            raise _missing(name, sys._getframe(1).f_code.co_name == "_handle_fromlist")
        value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        return value


def _missing(name: str, by_import: bool) -> Exception:
    """Return the error of a name that does not exist, which says what that of another package is here."""
    from fastvec.peers.names import PACKAGE

    if name not in PACKAGE:
        return AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if by_import:  # `from fastvec import name`, where Python drops what an AttributeError says
        return ImportError(f"cannot import name {name!r} from {__name__!r}: it is {PACKAGE[name]}")
    return AttributeError(f"module {__name__!r} has no attribute {name!r}: it is {PACKAGE[name]}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
