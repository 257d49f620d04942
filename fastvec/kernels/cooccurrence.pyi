import numpy as np
from numpy.typing import NDArray

def count_words(ids: NDArray[np.int32], counts: NDArray[np.int64]) -> None: ...
def place_words(
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    first: int,
    last: int,
    n_words: int,
    window: int,
    symmetric: bool,
    begin: int,
    kept: NDArray[np.int32],
    cursors: NDArray[np.int64],
    places: NDArray[np.uint64],
) -> int: ...
def count_rows(
    kept: NDArray[np.int32],
    places: NDArray[np.uint64],
    place_offsets: NDArray[np.int64],
    weights: NDArray[np.int64],
    first: int,
    last: int,
    columns: NDArray[np.int32],
    units: NDArray[np.int64],
    row_sizes: NDArray[np.int64],
) -> tuple[int, int]: ...
def merge_rows(
    sources: list[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]],
    rows: list[NDArray[np.int32] | None],
    maps: list[NDArray[np.int32] | None],
    n_words: int,
    first: int,
    last: int,
    columns: NDArray[np.int32],
    units: NDArray[np.int64],
    row_sizes: NDArray[np.int64],
) -> tuple[int, int]: ...
