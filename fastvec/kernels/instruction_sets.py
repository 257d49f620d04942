"""The instruction sets that the kernels are built for, a row each, the slowest first.

``setup.py`` compiles every kernel once for each set of the architecture it builds for, and
`fastvec.kernels` uses the last one that the processor runs. A new set is a row here and a header of its
primitives in ``kernels/``.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["INSTRUCTION_SETS", "InstructionSet"]


class InstructionSet(NamedTuple):
    """One row of the table.

    Attributes
    ----------
    name : str
        The backend's name. ``kernels/<name>.h`` has the set's primitives.
    architecture : str or None
        The processors that it is built for, ``"x86_64"`` or ``"aarch64"``; None for all.
    flags : tuple of str
        What GCC and Clang need to be told.
    needs : frozenset of str
        The features without which a processor cannot run it, named as in `fastvec.kernels.cpu.features`.
    """

    name: str
    architecture: str | None
    flags: tuple[str, ...]
    needs: frozenset[str]


# x86-64-v3 and -v4 are the psABI's levels (Haswell, Skylake-X); -mprfchw lets __builtin_prefetch ask for a
# line in order to write it. Compilers prefer 256-bit vectors at v4 unless told: ours are 512 wide throughout.
V3 = frozenset({"avx2", "bmi1", "bmi2", "f16c", "fma", "lzcnt", "movbe"})
V4 = V3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}

INSTRUCTION_SETS = (
    InstructionSet("baseline", None, (), frozenset()),
    InstructionSet("avx2", "x86_64", ("-march=x86-64-v3", "-mprfchw"), V3),
    InstructionSet("avx512", "x86_64", ("-march=x86-64-v4", "-mprfchw", "-mprefer-vector-width=512"), V4),
    InstructionSet("neon", "aarch64", (), frozenset({"neon"})),
)
