import numpy as np
from numpy.typing import NDArray

def train(
    input_vectors: NDArray[np.float32],
    output_vectors: NDArray[np.float32],
    inputs: NDArray[np.int32],
    input_offsets: NDArray[np.int64],
    labels: NDArray[np.int32],
    order: NDArray[np.int32],
    start: int,
    stop: int,
    learning_rate: float,
    loss_every: int,
) -> tuple[float, int, int]: ...
