"""Words and their vectors: look-up, comparison, n-grams, loading and saving."""

from fastvec.vectors.subwords import SubwordVectors, load
from fastvec.vectors.vectors import UnknownWordError, Vectors

__all__ = ["SubwordVectors", "UnknownWordError", "Vectors", "load"]
