import numpy as np
from numpy.typing import NDArray

def step(
    input_vectors: NDArray[np.float32],
    node_vectors: NDArray[np.float32],
    contexts: NDArray[np.int32],
    nodes: NDArray[np.int32],
    codes: NDArray[np.uint8],
    cbow: bool,
    scale_gradient: bool,
    learning_rate: float,
) -> float: ...
def train(
    input_vectors: NDArray[np.float32],
    node_vectors: NDArray[np.float32],
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    start: int,
    stop: int,
    keep: NDArray[np.uint32],
    path_offsets: NDArray[np.int64],
    path_nodes: NDArray[np.int32],
    path_codes: NDArray[np.uint8],
    window: int,
    cbow: bool,
    scale_gradient: bool,
    learning_rate: float,
    key: int,
    loss_every: int,
) -> tuple[float, int, int]: ...
