"""Graphs in text files: a line for every edge, with two nodes and perhaps a weight, between white space.

The tokenizer of texts reads them: nodes are words, and so are weights, until all lines are read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastvec._params import shortened
from fastvec.corpus.ids import Encoded, encode_pieces, whole_words
from fastvec.corpus.reading import File, check_readable, name_of, read_blocks
from fastvec.formats.spool import Spool
from fastvec.graphs.graph import Edges
from fastvec.training.progress import Progress

__all__ = ["read_edges"]

# What lines at the beginning of a file are comments: those of SNAP and NetworkX, and those of KONECT.
COMMENTS = (b"#", b"%")
COLUMNS = "two nodes, or two nodes and a weight, between white space"


def read_edges(files: list[File], weighted: bool, directed: bool, memory_limit: int, progress: bool) -> Edges:
    """Read edges from files; their nodes are str, in the order in which they first appear.

    Raises
    ------
    OSError
        If a file cannot be read.
    ValueError
        If a line is no edge, or a file is not UTF-8.
    """
    n_lines: list[int] = []  # of every file
    with Progress("reading", check_readable(files), "B", progress) as bar:

        def pieces() -> Iterator[tuple[str, bytes | None]]:
            for file in files:
                n_lines.append(0)
                blocks = _without_comments(read_blocks(file, None, bar.update))
                for text in whole_words(blocks):
                    n_lines[-1] += text.count(b"\n")
                    yield name_of(file), text
                n_lines[-1] += not text.endswith(b"\n")  # the last line need not end
                yield name_of(file), None

        encoded = encode_pieces(pieces(), True, Spool(np.int32, memory_limit))
    begins = np.cumsum([0, *n_lines])

    def place(line: int) -> str:
        number = int(np.searchsorted(begins, line, side="right")) - 1
        return f"{name_of(files[number])}, line {line - begins[number] + 1}"

    names = [Path(name_of(file)).name for file in files]
    return _edges_of(encoded, weighted, directed, place, names)


def _without_comments(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the text of a file, the comments at its beginning as empty lines."""
    text, is_beginning = b"", True
    for block in blocks:
        if not is_beginning:
            yield block
            continue
        text += block
        while text.startswith(COMMENTS) and b"\n" in text:
            text = text[text.index(b"\n") + 1 :]
            yield b"\n"
        if text and not text.startswith(COMMENTS):
            yield text
            is_beginning = False


def _edges_of(
    encoded: Encoded, weighted: bool, directed: bool, place: Callable[[int], str], names: list[str]
) -> Edges:
    ids, offsets, words, _ = encoded.first_met()
    sizes = np.diff(offsets)
    lines = np.flatnonzero(sizes)
    n_columns = int(sizes[lines[0]]) if len(lines) else 2
    wrong = lines if n_columns not in (2, 3) else lines[sizes[lines] != n_columns]
    if len(wrong):
        line = int(wrong[0])
        shown = [words[word] for word in ids[offsets[line] : offsets[line + 1]][:4].tolist()]
        others = f" (the first line has {n_columns})" if n_columns in (2, 3) else ""
        raise ValueError(
            f"{place(line)}: an edge is {COLUMNS}, got {sizes[line]} columns{others}: "
            f"{shortened(' '.join(shown))}; other tables can be passed as arrays, (sources, targets)"
        )
    columns = ids.reshape(-1, n_columns)
    weights = None
    if weighted and n_columns == 3:
        weights = _numbers(columns[:, 2], words, lambda edge: place(int(lines[edge])))
    is_node = np.zeros(len(words), np.bool_)
    is_node[columns[:, 0]] = is_node[columns[:, 1]] = True
    new_ids = (np.cumsum(is_node) - 1).astype(np.int32)
    nodes = [words[word] for word in np.flatnonzero(is_node).tolist()]
    sources, targets = new_ids[columns[:, 0]], new_ids[columns[:, 1]]
    return Edges(nodes, sources, targets, weights, directed, {"files": names})


def _numbers(column: NDArray[np.int32], words: list[str], place: Callable[[int], str]) -> NDArray[np.float64]:
    """Return the weights that words of a column are."""
    values = np.full(len(words), math.nan)
    for word in np.unique(column).tolist():
        try:
            values[word] = float(words[word])
        except ValueError:
            edge = int(np.argmax(column == word))
            raise ValueError(
                f"{place(edge)}: the third column is the weight, a number, got {words[word]!r}; "
                "weight=None ignores it"
            ) from None
    return values[column]
