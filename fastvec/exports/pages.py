"""A map of words as an HTML page that needs nothing else: ``map.html`` with the words in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["page"]

PLACE = '<script type="application/json" id="map">'


def page(
    words: Sequence[str], places: NDArray[np.float32], neighbors: Sequence[Sequence[tuple[Any, float]]]
) -> bytes:
    """Return the page.

    Parameters
    ----------
    words : sequence of str
        The n words on the map, the most frequent first.
    places : ndarray, shape (n, 2)
        Where they are.
    neighbors : sequence of sequence of (str or int, float)
        The words nearest to each and their cosines; they need not be on the map.
    """
    numbers = {word: number for number, word in enumerate(words)}
    for found in neighbors:
        for word, _ in found:
            numbers.setdefault(str(word), len(numbers))
    document = {
        "words": list(numbers),
        "x": [round(x, 3) for x in places[:, 0].tolist()],
        "y": [round(y, 3) for y in places[:, 1].tolist()],
        "neighbors": [[numbers[str(word)] for word, _ in found] for found in neighbors],
        "cosines": [[round(cosine, 3) for _, cosine in found] for found in neighbors],
    }
    # ASCII without "<" is the same text to HTML and to JSON, whatever the words are.
    data = json.dumps(document, separators=(",", ":")).replace("<", "\\u003c")
    template = Path(__file__).with_name("map.html").read_text(encoding="utf-8")
    return template.replace(PLACE, PLACE + data, 1).encode()
