"""The implementations of every kernel, and the choice between them.

A backend is a name: ``reference`` (NumPy, readable, slow) or an instruction set for which the Cython kernels
were compiled (``baseline``, ``avx2``, ``avx512``, ``neon``). `get` returns the module that implements one
kernel in one backend. All backends of a kernel share its functions and argument names; the tests hold them to
the same gradients. The fastest backend that this processor runs is used unless the environment variable
``FASTVEC_BACKEND`` names another. There is no silent fallback to the reference.
"""

from __future__ import annotations

import importlib
import os
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fastvec.kernels.instruction_sets import INSTRUCTION_SETS

try:
    from fastvec.kernels.cpu import features
except ModuleNotFoundError as error:
    raise ImportError(
        f"fastvec is not compiled in {Path(__file__).parent}: run `make build` there, or start Python in "
        "another folder to use the fastvec that is installed"
    ) from error

__all__ = [
    "NAMES",
    "CBOWKernel",
    "CooccurrenceKernel",
    "DocumentsKernel",
    "GloVeKernel",
    "HierarchicalSoftmaxKernel",
    "SkipGramKernel",
    "SoftmaxKernel",
    "SubwordKernel",
    "available",
    "get",
    "instruction_sets",
    "selected",
    "status",
]

NAMES = ("reference", *(row.name for row in INSTRUCTION_SETS))


class SkipGramKernel(Protocol):
    """What every implementation of skip-gram offers; its docstrings are in ``kernels/skipgram.pyx``."""

    def step(
        self,
        input_vectors: NDArray[np.float32],
        output_vectors: NDArray[np.float32],
        contexts: NDArray[np.int32],
        center: int,
        negatives: NDArray[np.int32],
        learning_rate: float,
    ) -> float:
        """Take one gradient step for one window."""

    def train(
        self,
        input_vectors: NDArray[np.float32],
        output_vectors: NDArray[np.float32],
        ids: NDArray[np.int32],
        sentence_offsets: NDArray[np.int64],
        start: int,
        stop: int,
        keep: NDArray[np.uint32],
        noise: NDArray[np.uint32],
        window: int,
        negatives: int,
        shared: bool,
        learning_rate: float,
        key: int,
        loss_every: int,
    ) -> tuple[float, int, int]:
        """Train on a chunk of the corpus."""


class CBOWKernel(Protocol):
    """What every implementation of CBOW offers; its docstrings are in ``kernels/cbow.pyx``."""

    def step(
        self,
        input_vectors: NDArray[np.float32],
        output_vectors: NDArray[np.float32],
        position_weights: NDArray[np.float32] | None,
        contexts: NDArray[np.int32],
        positions: NDArray[np.int32],
        center: int,
        negatives: NDArray[np.int32],
        scale_gradient: bool,
        learning_rate: float,
    ) -> float:
        """Take one gradient step for one window."""

    def train(
        self,
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
    ) -> tuple[float, int, int]:
        """Train on a chunk of the corpus."""


class HierarchicalSoftmaxKernel(Protocol):
    """What every implementation offers; its docstrings are in ``kernels/hierarchical_softmax.pyx``."""

    def step(
        self,
        input_vectors: NDArray[np.float32],
        node_vectors: NDArray[np.float32],
        contexts: NDArray[np.int32],
        nodes: NDArray[np.int32],
        codes: NDArray[np.uint8],
        cbow: bool,
        scale_gradient: bool,
        learning_rate: float,
    ) -> float:
        """Take one gradient step for one window."""

    def train(
        self,
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
    ) -> tuple[float, int, int]:
        """Train on a chunk of the corpus."""


class SoftmaxKernel(Protocol):
    """What every implementation of the full softmax offers; its docstrings are in ``kernels/softmax.pyx``."""

    def step(
        self,
        input_vectors: NDArray[np.float32],
        output_vectors: NDArray[np.float32],
        inputs: NDArray[np.int32],
        input_offsets: NDArray[np.int64],
        targets: NDArray[np.int32],
        target_offsets: NDArray[np.int64],
        scale_gradient: bool,
        learning_rate: float,
    ) -> float:
        """Take one gradient step for a batch of windows."""

    def train(
        self,
        input_vectors: NDArray[np.float32],
        output_vectors: NDArray[np.float32],
        ids: NDArray[np.int32],
        sentence_offsets: NDArray[np.int64],
        start: int,
        stop: int,
        keep: NDArray[np.uint32],
        window: int,
        cbow: bool,
        scale_gradient: bool,
        learning_rate: float,
        key: int,
        loss_every: int,
    ) -> tuple[float, int, int]:
        """Train on a chunk of the corpus."""


class DocumentsKernel(Protocol):
    """What every implementation for labelled documents offers; docstrings in ``kernels/documents.pyx``."""

    def train(
        self,
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
    ) -> tuple[float, int, int]:
        """Train on a chunk of labelled documents."""


class SubwordKernel(Protocol):
    """What every implementation of fastText offers; its docstrings are in ``kernels/subword.pyx``."""

    def step(
        self,
        input_vectors: NDArray[np.float32],
        output_vectors: NDArray[np.float32],
        inputs: NDArray[np.int32],
        targets: NDArray[np.int32],
        negatives: NDArray[np.int32],
        n_first: int,
        scale_gradient: bool,
        learning_rate: float,
    ) -> float:
        """Take one gradient step for one input and its targets."""

    def train(
        self,
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
    ) -> tuple[float, int, int]:
        """Train on a chunk of the corpus."""


class CooccurrenceKernel(Protocol):
    """What every implementation of counting offers; its docstrings are in ``kernels/cooccurrence.pyx``."""

    def count_words(self, ids: NDArray[np.int32], counts: NDArray[np.int64]) -> None:
        """Add up how often every word occurs."""

    def place_words(
        self,
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
    ) -> int:
        """Note where every word stands in some sentences."""

    def count_rows(
        self,
        kept: NDArray[np.int32],
        places: NDArray[np.uint64],
        place_offsets: NDArray[np.int64],
        weights: NDArray[np.int64],
        first: int,
        last: int,
        columns: NDArray[np.int32],
        units: NDArray[np.int64],
        row_sizes: NDArray[np.int64],
    ) -> tuple[int, int]:
        """Count the contexts of some words."""

    def merge_rows(
        self,
        sources: list[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]],
        rows: list[NDArray[np.int32] | None],
        maps: list[NDArray[np.int32] | None],
        n_words: int,
        first: int,
        last: int,
        columns: NDArray[np.int32],
        units: NDArray[np.int64],
        row_sizes: NDArray[np.int64],
    ) -> tuple[int, int]:
        """Add up some rows of several counts."""


class GloVeKernel(Protocol):
    """What every implementation of GloVe offers; its docstrings are in ``kernels/glove.pyx``."""

    def step(
        self,
        word_vectors: NDArray[np.float32],
        context_vectors: NDArray[np.float32],
        word_squares: NDArray[np.float32],
        context_squares: NDArray[np.float32],
        word: int,
        context: int,
        log_count: float,
        weight: float,
        learning_rate: float,
    ) -> float:
        """Take one step of AdaGrad for one entry of the counts."""

    def train(
        self,
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
    ) -> tuple[float, int]:
        """Train on some tiles."""

    def count_tiles(
        self,
        row_offsets: NDArray[np.int64],
        columns: NDArray[np.int32],
        blocks: NDArray[np.int32],
        n_blocks: int,
        first: int,
        last: int,
        sizes: NDArray[np.int64],
    ) -> None:
        """Count the entries of every tile."""

    def fill_tiles(
        self,
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
    ) -> None:
        """Write the records of every entry to its tile."""


@cache
def _module(kernel: str, backend: str) -> ModuleType:
    if backend == "reference":
        return importlib.import_module(f"fastvec.reference.{kernel}")
    return importlib.import_module(f"fastvec.kernels.{backend}.{kernel}")


@cache
def _is_built(backend: str) -> bool:
    try:
        _module("skipgram", backend)
    except ModuleNotFoundError:
        return False
    return True


def instruction_sets() -> tuple[str, ...]:
    """Return the names of the instruction sets that this processor runs, slowest first."""
    has = features()
    return tuple(row.name for row in INSTRUCTION_SETS if row.needs <= has)


def status() -> dict[str, str]:
    """Return for every backend ``usable``, ``not built`` or ``not supported by this processor``."""
    runs = ("reference", *instruction_sets())
    return {
        name: "not supported by this processor"
        if name not in runs
        else ("usable" if _is_built(name) else "not built")
        for name in NAMES
    }


def available() -> tuple[str, ...]:
    """Return the names of the usable backends, slowest first."""
    return tuple(name for name, state in status().items() if state == "usable")


def selected() -> str:
    """Return the name of the backend in use: ``FASTVEC_BACKEND``, or the fastest compiled one.

    Raises
    ------
    ValueError
        If ``FASTVEC_BACKEND`` is not the name of a backend.
    RuntimeError
        If the requested backend is not built or not supported by this processor, or if no kernel is built.
    """
    forced = os.environ.get("FASTVEC_BACKEND")
    states = status()
    usable = [name for name, state in states.items() if state == "usable"]
    if forced:
        if forced not in NAMES:
            raise ValueError(f"FASTVEC_BACKEND must be one of {', '.join(NAMES)}, got {forced!r}")
        if states[forced] != "usable":
            raise RuntimeError(
                f"FASTVEC_BACKEND={forced}: {states[forced]}; usable backends here: {', '.join(usable)}"
            )
        return forced
    if usable == ["reference"]:
        raise RuntimeError(
            "the compiled kernels are missing: reinstall fastvec where a C compiler is available "
            "(pip install --force-reinstall fastvec), or set FASTVEC_BACKEND=reference for the slow one"
        )
    return usable[-1]


def get(kernel: str, backend: str | None = None) -> ModuleType:
    """Return the module that implements `kernel`, in `backend` or in the selected one."""
    return _module(kernel, backend or selected())
