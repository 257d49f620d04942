"""Damaging the contents of files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

NUMBERS = (-1, 0, 1, 2, 255, 2**15, 2**31 - 1, 2**31, 2**32, 2**62, 2**63 - 1, 2**63, 2**64, 10**30)
TEXTS = [str(number).encode() for number in NUMBERS]
TEXTS += [b"nan", b"-inf", b"1e999", b"1e-999", b"0x10", b"1_000", b".5", b"--1", "٣".encode(), b""]
PIECES = [b"\0", b"\n", b"\r\n", b"\t", b" ", b"  ", b"\v", b"\xff", b"\xc3", b"\xed\xa0\x80", b'"', b"\\"]
PIECES += [
    "\ufeff".encode(),
    "\u2028\x85\u00a0".encode(),
    "\ufeffa".encode("utf-16-le"),
    b"__label__",
    b"[" * 3000,
]
LONGEST = 1 << 17


def mutated(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """Return a content with one to four kinds of damage; `others` are spliced in."""
    data = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        random.choice(DAMAGES)(data, random, others)
    return bytes(data[:LONGEST])


def _flip_bit(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _set_byte(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] = random.randrange(256)


def _truncate(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    del data[random.randrange(len(data) + 1) :]


def _remove(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    begin, end = _range(data, random)
    del data[begin:end]


def _repeat(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    begin, end = _range(data, random)
    data[begin:begin] = data[begin:end] * random.choice((1, 1, 2, 20))


def _move(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    begin, end = _range(data, random)
    piece = data[begin:end]
    del data[begin:end]
    place = random.randrange(len(data) + 1)
    data[place:place] = piece


def _fill(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    begin, end = _range(data, random)
    data[begin:end] = bytes([random.choice((0, 255, random.randrange(256)))]) * (end - begin)


def _insert(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    place = random.randrange(len(data) + 1)
    data[place:place] = random.choice(PIECES)


def _splice(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    other = random.choice(others)
    begin, end = _range(other, random)
    place = random.randrange(len(data) + 1)
    data[place : place + random.choice((0, end - begin))] = other[begin:end]


def _edit_text_number(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    numbers = list(re.finditer(rb"-?\d+(\.\d+)?", data))
    if numbers:
        found = random.choice(numbers)
        data[found.start() : found.end()] = random.choice(TEXTS)


def _edit_binary_number(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    size = random.choice((1, 2, 4, 8))
    if len(data) >= size:
        place = random.choice((random.randrange(len(data) - size + 1), random.randrange(min(len(data), 64))))
        number = random.choice(NUMBERS) % 2 ** (8 * size)
        data[place : place + size] = number.to_bytes(size, "little")


def _range(data: bytes | bytearray, random: Random) -> tuple[int, int]:
    begin = random.randrange(len(data) + 1)
    return begin, min(len(data), begin + random.choice((1, 2, 4, 8, 16, 64, 512)))


IN_PLACE = (_flip_bit, _set_byte, _edit_binary_number)
DAMAGES = (
    *(3 * IN_PLACE),  # which leave all else where it was
    _truncate,
    _remove,
    _repeat,
    _move,
    _fill,
    _insert,
    _splice,
    _edit_text_number,
)
