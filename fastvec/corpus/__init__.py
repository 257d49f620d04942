"""Texts and other sequences as integer ids: reading them, their words and counts."""

from fastvec.corpus.corpus import Corpus
from fastvec.corpus.vocabulary import Vocabulary

__all__ = ["Corpus", "Vocabulary"]
