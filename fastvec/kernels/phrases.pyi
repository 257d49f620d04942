import numpy as np
from numpy.typing import NDArray

class PairCounter:
    def add(
        self,
        ids: NDArray[np.int32],
        sentence_offsets: NDArray[np.int64],
        start: int,
        stop: int,
        n_known: int,
    ) -> None: ...
    def pairs(self, min_count: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]: ...

class Joiner:
    def __init__(
        self, lefts: NDArray[np.int32], rights: NDArray[np.int32], phrases: NDArray[np.int32]
    ) -> None: ...
    def join(
        self,
        ids: NDArray[np.int32],
        sentence_offsets: NDArray[np.int64],
        start: int,
        stop: int,
        new_ids: NDArray[np.int32],
        new_offsets: NDArray[np.int64],
        n_before: int,
    ) -> tuple[int, int]: ...

def renumber(
    ids: NDArray[np.int32], numbers: NDArray[np.int32], counts: NDArray[np.int64], n: int
) -> int: ...
def spell(
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    start: int,
    stop: int,
    text: NDArray[np.uint8],
    word_offsets: NDArray[np.int64],
) -> bytes: ...
