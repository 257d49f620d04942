"""gensim and fastText, which fastvec is compared with.

They do not install everywhere: gensim has no wheels for Python 3.14 and later, fastText has none at all. They
are imported at first use, and a test that uses one which is not there is skipped.
"""

import pytest

__all__ = [
    "GensimFastText",
    "GensimWord2Vec",
    "KeyedVectors",
    "fasttext",
    "gensim_doc2vec",
    "gensim_fasttext",
    "gensim_phrases",
    "gensim_test_utils",
    "gensim_word2vec",
]


class Peer:
    """Stands for a module, or for a name in it."""

    def __init__(self, module, name=None):
        self._module, self._name = module, name

    def _import(self):
        module = pytest.importorskip(self._module, reason=f"{self._module} is not installed")
        return getattr(module, self._name) if self._name else module

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._import(), name)

    def __call__(self, *arguments, **options):
        return self._import()(*arguments, **options)


fasttext = Peer("fasttext")
gensim_doc2vec = Peer("gensim.models.doc2vec")
gensim_fasttext = Peer("gensim.models.fasttext")
gensim_phrases = Peer("gensim.models.phrases")
gensim_word2vec = Peer("gensim.models.word2vec")
GensimFastText = Peer("gensim.models", "FastText")
GensimWord2Vec = Peer("gensim.models", "Word2Vec")
KeyedVectors = Peer("gensim.models", "KeyedVectors")
gensim_test_utils = Peer("gensim.test.utils")
