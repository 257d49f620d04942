"""Parts of a file that are read each on its own, and that are the file together, wherever it is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Part", "is_beginning"]

LINE_FEED = b"\n"


@dataclass(frozen=True)
class Part:
    """The lines of a text that begin in a range of its bytes, or a range of the row groups of a Parquet file.

    Attributes
    ----------
    name : str
        The path or address of the file.
    begin, end : int
        The first byte or row group, and the one after the last.
    """

    name: str
    begin: int
    end: int

    def __str__(self) -> str:
        return f"{self.name}, {self.begin} to {self.end}"

    def blocks(self, text: Any, size: int, report: Callable[[int], object]) -> Iterator[bytes]:
        """Yield the lines of this part in blocks that are not empty.

        A line that is longer than a part is in the one where it begins; others may have none.

        Parameters
        ----------
        text : object
            The whole file, open and not compressed, with `read` and `seek`.
        size : int
            How many bytes are read at a time.
        report : callable
            Called with the number of bytes of every block.
        """
        place = _line_from(text, self.begin, size, self.end)
        last = _line_from(text, self.end, size) if place < self.end else place
        text.seek(place)
        while block := text.read(min(size, last - place)):
            report(len(block))
            place += len(block)
            yield block


def is_beginning(file: Any) -> bool:
    """Return whether a file is a whole one, or the first part."""
    return not isinstance(file, Part) or file.begin == 0


def _line_from(text: Any, place: int, size: int, stop: float = float("inf")) -> int:
    """Return where the first line begins that does so at `place` or behind it, or where the text ends.

    If none begins before `stop`, any place from there on may be returned.
    """
    if place == 0:
        return 0
    place -= 1  # a line feed there ends the line before
    text.seek(place)
    while place < stop and (block := text.read(size)):
        found = block.find(LINE_FEED)
        if found >= 0:
            return int(place + found + 1)
        place += len(block)
    return place
