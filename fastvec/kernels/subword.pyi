import numpy as np
from numpy.typing import NDArray

def step(
    input_vectors: NDArray[np.float32],
    output_vectors: NDArray[np.float32],
    inputs: NDArray[np.int32],
    targets: NDArray[np.int32],
    negatives: NDArray[np.int32],
    n_first: int,
    scale_gradient: bool,
    learning_rate: float,
) -> float: ...
def train(
    input_vectors: NDArray[np.float32],
    output_vectors: NDArray[np.float32],
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    start: int,
    stop: int,
    keep: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    subword_offsets: NDArray[np.int64],
    subwords: NDArray[np.int32],
    window: int,
    negatives: int,
    cbow: bool,
    scale_gradient: bool,
    learning_rate: float,
    key: int,
    loss_every: int,
) -> tuple[float, int, int]: ...
