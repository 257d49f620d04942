import numpy as np
from numpy.typing import NDArray

def step(
    word_vectors: NDArray[np.float32],
    context_vectors: NDArray[np.float32],
    word_squares: NDArray[np.float32],
    context_squares: NDArray[np.float32],
    word: int,
    context: int,
    log_count: float,
    weight: float,
    learning_rate: float,
) -> float: ...
def train(
    word_vectors: NDArray[np.float32],
    context_vectors: NDArray[np.float32],
    word_squares: NDArray[np.float32],
    context_squares: NDArray[np.float32],
    records: NDArray[np.void],
    tile_offsets: NDArray[np.int64],
    order: NDArray[np.int32],
    word_turns: NDArray[np.int32],
    context_turns: NDArray[np.int32],
    words_done: NDArray[np.int32],
    contexts_done: NDArray[np.int32],
    n_blocks: int,
    start: int,
    stop: int,
    learning_rate: float,
    key: int,
) -> tuple[float, int]: ...
def count_tiles(
    row_offsets: NDArray[np.int64],
    columns: NDArray[np.int32],
    blocks: NDArray[np.int32],
    n_blocks: int,
    first: int,
    last: int,
    sizes: NDArray[np.int64],
) -> None: ...
def fill_tiles(
    row_offsets: NDArray[np.int64],
    columns: NDArray[np.int32],
    units: NDArray[np.int64],
    blocks: NDArray[np.int32],
    n_blocks: int,
    first: int,
    last: int,
    unit: int,
    x_max: float,
    alpha: float,
    key: int,
    tile_offsets: NDArray[np.int64],
    records: NDArray[np.void],
) -> None: ...
