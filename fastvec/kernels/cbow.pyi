import numpy as np
from numpy.typing import NDArray

def step(
    input_vectors: NDArray[np.float32],
    output_vectors: NDArray[np.float32],
    position_weights: NDArray[np.float32] | None,
    contexts: NDArray[np.int32],
    positions: NDArray[np.int32],
    center: int,
    negatives: NDArray[np.int32],
    scale_gradient: bool,
    learning_rate: float,
) -> float: ...
def train(
    input_vectors: NDArray[np.float32],
    output_vectors: NDArray[np.float32],
    position_weights: NDArray[np.float32] | None,
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    start: int,
    stop: int,
    keep: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    window: int,
    negatives: int,
    scale_gradient: bool,
    learning_rate: float,
    key: int,
    loss_every: int,
) -> tuple[float, int, int]: ...
