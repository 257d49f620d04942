import numpy as np
from numpy.typing import NDArray

def ngram_buckets(
    text: NDArray[np.uint8], word_offsets: NDArray[np.int64], min_n: int, max_n: int, buckets: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]: ...
def put_repeats_behind(offsets: NDArray[np.int64], rows: NDArray[np.int32]) -> NDArray[np.int64]: ...
def row_means(
    vectors: NDArray[np.float32],
    offsets: NDArray[np.int64],
    rows: NDArray[np.int32],
    means: NDArray[np.float32],
) -> None: ...
