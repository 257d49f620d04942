from typing import Any

import numpy as np
from numpy.typing import NDArray

def add_rows(sums: NDArray[Any], places: NDArray[np.int64], values: NDArray[Any]) -> None: ...
