"""Count the instructions of the kernels' inner loops, in what a compiler made of them for arm64.

python bench/count_instructions.py                # of the modules that make test-arm64 has built
python bench/count_instructions.py skipgram.*.so  # of any for Linux on arm64
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from capstone import CS_ARCH_ARM64, CS_GRP_JUMP, CS_MODE_ARM, Cs, CsInsn
from elftools.elf.elffile import ELFFile

MODULES = Path(__file__).parents[1] / ".arm64"
BUILT = "*/lib/python3*/site-packages/fastvec/kernels/neon/skipgram.*.so"
COLUMNS = ("multiply-adds", "loads", "stores", "others", "all")
FUNCTION = re.compile(r"__pyx_f_\w+\d(?:step|tiles)_(compute_coefficients|update|update_in_turn|update_one)")
# Kinds of instructions by how their names begin.
KINDS = {"fml": "multiply-adds", "ld": "loads", "st": "stores", "prfm": "prefetches"}
SIGMOID = "fcvtzs"  # once for every register: the segment of its table


def functions(elf: ELFFile) -> Iterator[tuple[str, list[CsInsn]]]:
    """Yield the name and the instructions of the functions that hold the loops."""
    disassembler = Cs(CS_ARCH_ARM64, CS_MODE_ARM)
    disassembler.detail = True
    text = elf.get_section_by_name(".text")
    for symbol in elf.get_section_by_name(".symtab").iter_symbols():
        if match := FUNCTION.fullmatch(symbol.name):
            address = symbol["st_value"]
            first = address - text["sh_addr"]
            yield match[1], list(disassembler.disasm(text.data()[first : first + symbol["st_size"]], address))


def loops(instructions: list[CsInsn]) -> Iterator[list[CsInsn]]:
    """Yield the innermost loops, from the target of a jump to the last one back, less prefetching ones."""
    places = {instruction.address: place for place, instruction in enumerate(instructions)}
    stops: dict[int, int] = {}
    for place, instruction in enumerate(instructions):
        if instruction.group(CS_GRP_JUMP) and instruction.operands:
            target = places.get(instruction.operands[-1].imm)
            if target is not None and target <= place:
                stops[target] = place + 1
    bodies = {start: instructions[start:stop] for start, stop in stops.items()}
    kinds = {start: set(map(kind, body)) for start, body in bodies.items()}
    multiplying = {start for start in bodies if "multiply-adds" in kinds[start]}
    prefetching = {start for start in bodies if "prefetches" in kinds[start]} - multiplying
    for start, body in sorted(bodies.items()):
        inner = {first for first in bodies if start < first < stops[start]}
        if start in multiplying and inner <= prefetching:
            left_out = {instruction.address for first in inner for instruction in bodies[first]}
            yield [instruction for instruction in body if instruction.address not in left_out]


def kind(instruction: CsInsn) -> str:
    return next((name for begin, name in KINDS.items() if instruction.mnemonic.startswith(begin)), "others")


def describe(function: str, loop: list[CsInsn], multiply_adds: int) -> str:
    if sigmoids := sum(instruction.mnemonic == SIGMOID for instruction in loop):
        return f"errors of {4 * sigmoids} scores"
    if function == "compute_coefficients":
        return f"products of {multiply_adds // 6} by six rows"
    if function == "update_one":
        return "update of 1 row by six"
    return f"update of any rows by six, {multiply_adds // 12} wide"


def table(path: Path) -> str:
    """Return the counts of a module's loops as a Markdown table."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        if elf["e_machine"] != "EM_AARCH64":
            raise SystemExit(f"modules must be built for arm64, got {path} for {elf.get_machine_arch()}")
        compilers = sorted({*elf.get_section_by_name(".comment").data().decode().split("\0")} - {""})
        rows = [f"| {', '.join(compilers)} | {' | '.join(COLUMNS)} |", f"|---|{'--:|' * len(COLUMNS)}"]
        for function, loop in ((function, loop) for function, code in functions(elf) for loop in loops(code)):
            kinds = [kind(instruction) for instruction in loop]
            counts = [*map(kinds.count, COLUMNS[:-1]), len(kinds)]
            rows.append(f"| {describe(function, loop, counts[0])} | {' | '.join(map(str, counts))} |")
    return "\n".join(dict.fromkeys(rows)) + "\n"


if __name__ == "__main__":
    modules = list(map(Path, sys.argv[1:])) or sorted(MODULES.glob(BUILT))
    if not modules:
        sys.exit(f"{MODULES} holds no modules: run `make test-arm64`, or name some")
    print("\n".join(map(table, modules)))
