"""Vectors as a layer of PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastvec._params import check_bool
from fastvec.exports import library
from fastvec.formats.common import Contents

__all__ = ["to_torch"]


def to_torch(contents: Contents, *, freeze: bool, padding: bool) -> Any:
    """Return an ``nn.Embedding`` with a copy of the matrix, and perhaps one more row, of zeros."""
    freeze, padding = check_bool("freeze", freeze), check_bool("padding", padding)
    torch = library("torch", "to_torch", "torch")
    n, d = contents.vectors.shape
    weights = torch.zeros(n + padding, d, dtype=torch.float32)
    weights.numpy()[:n] = np.asarray(contents.vectors)
    return torch.nn.Embedding.from_pretrained(weights, freeze=freeze, padding_idx=n if padding else None)
