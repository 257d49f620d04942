"""The implementations of every kernel, and the choice between them.

A backend is a name: ``reference`` (NumPy, readable, slow) or an instruction set for which the Cython kernels
were compiled (``baseline``, ``avx2``, ``avx512``, ``neon``). `get` returns the module that implements one
kernel in one backend. All backends of a kernel share its functions and argument names; the tests hold them to
the same gradients. The fastest backend that this processor runs is used unless the environment variable
``FASTVEC_BACKEND`` names another. There is no silent fallback to the reference.

``kernels.skipgram`` is the implementation in the selected backend. Its arguments are documented in the
reference, which type checkers take for it.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from fastvec.kernels.instruction_sets import INSTRUCTION_SETS

try:
    from fastvec.kernels.cpu import features as features_of_cpu
except ModuleNotFoundError as error:
    raise ImportError(
        f"fastvec is not compiled in {Path(__file__).parent}: run `make build` there, or start Python in "
        "another folder to use the fastvec that is installed"
    ) from error

if TYPE_CHECKING:
    from fastvec.reference import cbow as cbow
    from fastvec.reference import cooccurrence as cooccurrence
    from fastvec.reference import documents as documents
    from fastvec.reference import glove as glove
    from fastvec.reference import hierarchical_softmax as hierarchical_softmax
    from fastvec.reference import ngrams as ngrams
    from fastvec.reference import optimizers as optimizers
    from fastvec.reference import phrases as phrases
    from fastvec.reference import regression as regression
    from fastvec.reference import rounds as rounds
    from fastvec.reference import rows as rows
    from fastvec.reference import scatter as scatter
    from fastvec.reference import skipgram as skipgram
    from fastvec.reference import softmax as softmax
    from fastvec.reference import subword as subword
    from fastvec.reference import tokenizer as tokenizer
    from fastvec.reference import tree_search as tree_search
    from fastvec.reference import walks as walks
    from fastvec.reference import word_ngrams as word_ngrams

# In a virtual machine the processor takes up to 0.1 ms to answer, which is longer than a mini-batch.
features = cache(features_of_cpu)

__all__ = [
    "NAMES",
    "available",
    "get",
    "instruction_sets",
    "selected",
    "status",
]

NAMES = ("reference", *(row.name for row in INSTRUCTION_SETS))


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
    return _sets_with(features())


@cache
def _sets_with(has: frozenset[str]) -> tuple[str, ...]:
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


if not TYPE_CHECKING:  # they are to know the names

    def __getattr__(name: str) -> ModuleType:
        if not name.startswith("_"):  # tools look for such names in every module
            with contextlib.suppress(ModuleNotFoundError):
                return get(name)
        raise AttributeError(f"fastvec has no kernel {name}")
