"""GloVe: weighted least squares on the logarithms of counts.

Objective. Of the counts X of words i and contexts j, with the vectors w_i and w̃_j and the biases b_i and b̃_j,
minimize over all entries X_ij > 0

    J = Σ_ij ½ f(X_ij) (w_i · w̃_j + b_i + b̃_j − log X_ij)²,    f(X) = min(1, (X / x_max)^α)

The biases are columns of the rows: with x = (w_i, b_i, 1) and y = (w̃_j, 1, b̃_j) the term in brackets is
x · y − log X_ij. Nothing here knows of that, it trains rows x of words and y of contexts.

Gradient. Of the term of one entry, with g = f(X_ij) (x · y − log X_ij),

    ∂J/∂x = g y        ∂J/∂y = g x

Update. AdaGrad, for every number of its own, with accumulators G_x and G_y (Duchi, Hazan and Singer 2011):

    t = η g y          s = η g x
    x ← x − t / √G_x   y ← y − s / √G_y
    G_x ← G_x + t²     G_y ← G_y + s²

every right-hand side from before the update. Accumulators start at 1; a number whose accumulator is 1e30
stays what it is, as the ones in x and y have to.

Two things are those of the program that the authors first
published, and not of the papers:

- The accumulators sum up (ηg)² and not g², so that η is in the denominator too: it cancels where they are
  large, and its size matters for the first steps most.
- The biases take the learning rate too, in the step and in their accumulators, as any other column does. In
  the program's later versions they do not.

Tiles. Words and contexts are put into blocks, and the entries of one block of words and one of contexts are a
tile. Tiles with no block in common touch no row in common, and so several threads can train at once: each
block's turns say in which order its tiles follow each other, which is that of one thread. The records of a
tile are shuffled once, and each time begin at another one.

References
----------
- J. Pennington, R. Socher and C. D. Manning, "GloVe: Global vectors for word representation", EMNLP 2014.
- J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods for online learning and stochastic
  optimization", Journal of Machine Learning Research 12, 2011.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from .sampling import mix64

__all__ = ["count_tiles", "fill_tiles", "step", "train", "train_tile"]

Matrix = NDArray[np.float32]


def step(
    word_vectors: Matrix,
    context_vectors: Matrix,
    word_squares: Matrix,
    context_squares: Matrix,
    word: int,
    context: int,
    log_count: float,
    weight: float,
    learning_rate: float,
) -> float:
    """Take one step of AdaGrad for one entry of the counts.

    Parameters
    ----------
    word_vectors, context_vectors : IN/OUT, float32 (n_words, stride)
        The matrices of x and y, rows padded with zeros to a multiple of 16.
    word_squares, context_squares : IN/OUT, float32 (n_words, stride)
        Their accumulators G, all > 0.
    word, context : IN, int
        The rows of x and of y.
    log_count : IN, float
        log X.
    weight : IN, float
        f(X).
    learning_rate : IN, float
        η; with 0 nothing changes.

    Returns
    -------
    float
        J before the update.
    """
    x, y = word_vectors[word], context_vectors[context]  # views: the matrices change with them
    x_squares, y_squares = word_squares[word], context_squares[context]
    error = float(x @ y) - log_count

    rate_times_g = x.dtype.type(learning_rate * weight * error)
    t, s = rate_times_g * y, rate_times_g * x
    x -= t / np.sqrt(x_squares)
    y -= s / np.sqrt(y_squares)
    x_squares += t * t
    y_squares += s * s

    return 0.5 * weight * error * error


def train(
    word_vectors: Matrix,
    context_vectors: Matrix,
    word_squares: Matrix,
    context_squares: Matrix,
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
    """Train on some tiles.

    Before a tile it waits until its blocks have had all of their earlier tiles: other threads may be at work
    on other ranges of `order`. As long as each takes its ranges in ascending order, no thread waits for ever,
    and all together compute bit for bit what one thread does.

    Parameters
    ----------
    word_vectors, context_vectors : IN/OUT, float32 (n_words, stride)
        The matrices of x and y, rows padded with zeros to a multiple of 16.
    word_squares, context_squares : IN/OUT, float32 (n_words, stride)
        Their accumulators G, all > 0.
    records : IN, structure of int32 word, int32 context, float32 log_count, float32 weight (n_records,)
        The entries of the counts, one tile after the other.
    tile_offsets : IN, int64 (n_blocks² + 1,)
        Tile t is records[tile_offsets[t]:tile_offsets[t + 1]]; its words are of block t // n_blocks, its
        contexts of block t % n_blocks.
    order : IN, int32 (n_tiles,)
        The tiles in the order of training, none of them empty.
    word_turns, context_turns : IN, int32 (n_tiles,)
        How many tiles before order[i] have the same block of words, and of contexts.
    words_done, contexts_done : IN/OUT, int32 (n_blocks,)
        How many tiles of each block of words, and of contexts, are trained.
    n_blocks : IN, int
        Blocks of words, and of contexts.
    start, stop : IN, int
        The range of `order`.
    learning_rate : IN, float
        η.
    key : IN, uint64
        The records of tile t are taken in their order from record mix64(key + t) modulo their number on,
        those before it at the end.

    Returns
    -------
    loss : float
        Sum of J, each before its own step, in double precision.
    n_records : int
        How many records were trained.
    """
    total, n_records = 0.0, 0
    for i in range(start, stop):
        tile = int(order[i])
        words, contexts = divmod(tile, n_blocks)
        while words_done[words] != word_turns[i] or contexts_done[contexts] != context_turns[i]:
            time.sleep(0)
        tile_records = records[tile_offsets[tile] : tile_offsets[tile + 1]].tolist()
        begin = mixed(key + tile) % len(tile_records)
        for word, context, log_count, weight in tile_records[begin:] + tile_records[:begin]:
            total += step(
                word_vectors,
                context_vectors,
                word_squares,
                context_squares,
                word,
                context,
                log_count,
                weight,
                learning_rate,
            )
        n_records += len(tile_records)
        words_done[words] += 1
        contexts_done[contexts] += 1
    return total, n_records


def train_tile(
    word_vectors: Matrix,
    context_vectors: Matrix,
    word_squares: Matrix,
    context_squares: Matrix,
    records: NDArray[np.void],
    learning_rate: float,
    key: int,
) -> tuple[float, float]:
    """Train on one tile, whose blocks have matrices of their own.

    Parameters
    ----------
    word_vectors, context_vectors : IN/OUT, float32 (n_rows, stride)
        The matrices of x and y, rows padded with zeros to a multiple of 16.
    word_squares, context_squares : IN/OUT, float32 (n_rows, stride)
        Their accumulators G, all > 0.
    records : IN, structure of int32 word, int32 context, float32 log_count, float32 weight (n_records,)
        The entries of the tile, one at least; their words and contexts are rows of these matrices.
    learning_rate : IN, float
        η.
    key : IN, uint64
        The records are taken in their order from record mix64(key) modulo their number on, those before it at
        the end.

    Returns
    -------
    first, last : float
        Sums of J of the records taken until the end of the tile, and of those before them, each before its
        own step, in double precision.
    """
    begin = mixed(key) % len(records)
    losses = []
    for part in (records[begin:], records[:begin]):
        total = 0.0
        for word, context, log_count, weight in part.tolist():
            total += step(
                word_vectors,
                context_vectors,
                word_squares,
                context_squares,
                word,
                context,
                log_count,
                weight,
                learning_rate,
            )
        losses.append(total)
    return losses[0], losses[1]


def mixed(counter: int) -> int:
    """Return SplitMix64's random word for a counter modulo 2⁶⁴."""
    return int(mix64(np.array([counter % 2**64], dtype=np.uint64))[0])


def count_tiles(
    row_offsets: NDArray[np.int64],
    columns: NDArray[np.int32],
    blocks: NDArray[np.int32],
    n_blocks: int,
    first: int,
    last: int,
    sizes: NDArray[np.int64],
) -> None:
    """Count the entries of every tile.

    Parameters
    ----------
    row_offsets, columns : IN, int64 (n_words + 1,) and int32 (n_entries,)
        The columns of row i are columns[row_offsets[i]:row_offsets[i + 1]].
    blocks : IN, int32 (n_words,)
        The block of every word, which is also its block as a context.
    n_blocks : IN, int
        Blocks of words, and of contexts.
    first, last : IN, int
        The blocks of words whose entries are counted, the last one excluded.
    sizes : IN/OUT, int64 (n_blocks²,)
        Raised by one for every entry: sizes[block of its word · n_blocks + block of its context].
    """
    for word in np.flatnonzero((first <= blocks) & (blocks < last)):
        contexts = columns[row_offsets[word] : row_offsets[word + 1]]
        np.add.at(sizes, blocks[word] * n_blocks + blocks[contexts], 1)


def fill_tiles(
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
    """Write the records of every entry to its tile.

    A tile's records are first in the order of rows and columns, then shuffled (Fisher and Yates).

    Parameters
    ----------
    row_offsets, columns, units : IN, int64 (n_words + 1,), int32 (n_entries,) and int64 (n_entries,)
        The columns of row i are columns[row_offsets[i]:row_offsets[i + 1]], and X = units / unit >= 1 / unit.
    blocks : IN, int32 (n_words,)
        The block of every word, which is also its block as a context.
    n_blocks : IN, int
        Blocks of words, and of contexts.
    first, last : IN, int
        The blocks of words whose tiles are filled, the last one excluded.
    unit : IN, int
        Units of a count of 1.
    x_max, alpha : IN, float
        The parameters of f.
    key : IN, uint64
        Start of the random sequence of the shuffles.
    tile_offsets : IN, int64 (n_blocks² + 1,)
        Tile t is records[tile_offsets[t]:tile_offsets[t + 1]].
    records : OUT, structure of int32 word, int32 context, float32 log_count, float32 weight (n_records,)
        The entries of these tiles; the others are left alone.
    """
    ends = tile_offsets[:-1].copy()
    for word in np.flatnonzero((first <= blocks) & (blocks < last)):
        for entry in range(row_offsets[word], row_offsets[word + 1]):
            context = columns[entry]
            count = float(units[entry]) / unit
            tile = blocks[word] * n_blocks + blocks[context]
            records[ends[tile]] = word, context, np.log(count), min(1.0, (count / x_max) ** alpha)
            ends[tile] += 1
    for tile in range(first * n_blocks, last * n_blocks):
        begin, end = int(tile_offsets[tile]), int(tile_offsets[tile + 1])
        for k in range(end - begin - 1, 0, -1):
            other = mixed(key + begin + k) % (k + 1)
            records[[begin + k, begin + other]] = records[[begin + other, begin + k]]
