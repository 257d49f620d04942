"""How good vectors are: human similarity scores, analogies, and the next items of sessions.

>>> from fastvec import Vectors, evaluate
>>> vectors = Vectors(["bread", "butter", "beer"], [[1, 0], [3, 1], [0, 1]])
>>> evaluate.next_item(vectors, [["bread", "butter"], ["butter", "beer"]], k=2).vectors.hit_rate
{2: 1.0}
"""

from fastvec.evaluate.items import NextItemResult, NextItemScores, next_item
from fastvec.evaluate.sessions import SessionSplit, split_sessions
from fastvec.evaluate.words import (
    AnalogyResult,
    AnalogySection,
    SimilarityResult,
    analogies,
    similarity,
)
from fastvec.evaluate.words import pearson as pearson
from fastvec.evaluate.words import spearman as spearman

__all__ = [
    "AnalogyResult",
    "AnalogySection",
    "NextItemResult",
    "NextItemScores",
    "SessionSplit",
    "SimilarityResult",
    "analogies",
    "next_item",
    "similarity",
    "split_sessions",
]
