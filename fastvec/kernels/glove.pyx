"""GloVe by AdaGrad, as reference/glove.py.

What is done otherwise, and why:

- 1/√G is the processor's estimate and one step of Newton's method, relative error below 3e-7.
- A block's rows fit the second-level cache together with those of another. The entries do not come in one
  random order of all: tiles do, in a new one every epoch, and the entries of a tile in one that stays, from a
  new first one on.
- Threads work on tiles with neither words nor contexts in common (Gemulla, Nijkamp, Haas and Sismanis 2011).
"""

from libc.math cimport exp, log
from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport free, malloc

from .vector cimport LANES, broadcast, inverse_root, lanes, load, mix64, prefetch_row, store, sum_of

cdef extern from *:
    """
    #ifdef _WIN32
    #define WIN32_LEAN_AND_MEAN
    #define NOMINMAX
    #include <windows.h>
    #define let_others_run SwitchToThread
    #else
    #include <sched.h>
    #define let_others_run sched_yield
    #endif

    /* Wait until a counter that other threads raise has come to a number. */
    static inline void wait_for(const int32_t *counter, int32_t number) {
        for (int tries = 0; __atomic_load_n(counter, __ATOMIC_ACQUIRE) != number; tries++)
            if (tries > 100) let_others_run();
    }
    static inline void raise_by_one(int32_t *counter) {
        __atomic_store_n(counter, *counter + 1, __ATOMIC_RELEASE);
    }
    """
    void wait_for(const int32_t *counter, int32_t number) noexcept nogil
    void raise_by_one(int32_t *counter) noexcept nogil

cdef packed struct Record:
    int32_t word
    int32_t context
    float log_count
    float weight

cdef enum:
    AHEAD = 4     # records whose rows are fetched before they are needed

cdef struct Parameters:
    float *words
    float *contexts
    float *word_squares
    float *context_squares
    Py_ssize_t stride


cdef inline Parameters parameters(
    float[:, ::1] word_vectors,
    float[:, ::1] context_vectors,
    float[:, ::1] word_squares,
    float[:, ::1] context_squares,
):
    cdef Parameters all
    all.words = &word_vectors[0, 0]
    all.contexts = &context_vectors[0, 0]
    all.word_squares = &word_squares[0, 0]
    all.context_squares = &context_squares[0, 0]
    all.stride = word_vectors.shape[1]
    return all


cdef inline double update(Parameters *all, const Record *record, float learning_rate) noexcept nogil:
    """Take the step of one entry and return its J before."""
    cdef Py_ssize_t stride = all.stride, k = 0
    cdef float *x = all.words + record.word * stride
    cdef float *y = all.contexts + record.context * stride
    cdef float *x_squares = all.word_squares + record.word * stride
    cdef float *y_squares = all.context_squares + record.context * stride
    cdef lanes even = broadcast(0), odd = even, a, b, p, q, s, t, rate
    cdef float error, weighted
    while k < stride:
        even += load(x + k) * load(y + k)
        k += LANES
        if k < stride:
            odd += load(x + k) * load(y + k)
            k += LANES
    error = sum_of(even + odd) - record.log_count
    weighted = record.weight * error
    rate = broadcast(learning_rate * weighted)
    k = 0
    while k < stride:
        a = load(x + k)
        b = load(y + k)
        p = load(x_squares + k)
        q = load(y_squares + k)
        t = rate * b
        s = rate * a
        store(x + k, a - t * inverse_root(p))
        store(y + k, b - s * inverse_root(q))
        store(x_squares + k, p + t * t)
        store(y_squares + k, q + s * s)
        k += LANES
    return 0.5 * weighted * error


cdef inline void fetch(const Parameters *all, const Record *record) noexcept nogil:
    cdef Py_ssize_t word = record.word * all.stride, context = record.context * all.stride
    prefetch_row(all.words + word, all.stride)
    prefetch_row(all.word_squares + word, all.stride)
    prefetch_row(all.contexts + context, all.stride)
    prefetch_row(all.context_squares + context, all.stride)


cdef inline double train_records(
    Parameters *all, const Record *records, int64_t first, int64_t last, int64_t end, float learning_rate
) noexcept nogil:
    """Train on the records [first, last) of a tile that ends at `end`, and return the sum of J."""
    cdef double loss = 0
    cdef int64_t k
    for k in range(first, last):
        fetch(all, records + min(k + AHEAD, end - 1))
        loss += update(all, records + k, learning_rate)
    return loss


def step(
    float[:, ::1] word_vectors,
    float[:, ::1] context_vectors,
    float[:, ::1] word_squares,
    float[:, ::1] context_squares,
    int32_t word,
    int32_t context,
    float log_count,
    float weight,
    float learning_rate,
):
    """Take one step of AdaGrad for one entry of the counts."""
    cdef Record record
    cdef Parameters all = parameters(word_vectors, context_vectors, word_squares, context_squares)
    cdef double loss
    record.word = word
    record.context = context
    record.log_count = log_count
    record.weight = weight
    with nogil:
        loss = update(&all, &record, learning_rate)
    return loss


def train(
    float[:, ::1] word_vectors,
    float[:, ::1] context_vectors,
    float[:, ::1] word_squares,
    float[:, ::1] context_squares,
    const Record[::1] records,
    const int64_t[::1] tile_offsets,
    const int32_t[::1] order,
    const int32_t[::1] word_turns,
    const int32_t[::1] context_turns,
    int32_t[::1] words_done,
    int32_t[::1] contexts_done,
    Py_ssize_t n_blocks,
    Py_ssize_t start,
    Py_ssize_t stop,
    float learning_rate,
    uint64_t key,
):
    """Train on the tiles order[start:stop], one after the other."""
    cdef Parameters all = parameters(word_vectors, context_vectors, word_squares, context_squares)
    cdef Py_ssize_t i, tile
    cdef int64_t n, begin, trained = 0
    cdef double loss = 0
    with nogil:
        for i in range(start, stop):
            tile = order[i]
            n = tile_offsets[tile + 1] - tile_offsets[tile]
            wait_for(&words_done[tile // n_blocks], word_turns[i])
            wait_for(&contexts_done[tile % n_blocks], context_turns[i])
            begin = mix64(key + tile) % <uint64_t>n
            loss += train_records(&all, &records[0] + tile_offsets[tile], begin, n, n, learning_rate)
            loss += train_records(&all, &records[0] + tile_offsets[tile], 0, begin, n, learning_rate)
            raise_by_one(&words_done[tile // n_blocks])
            raise_by_one(&contexts_done[tile % n_blocks])
            trained += n
    return loss, trained


def train_tile(
    float[:, ::1] word_vectors,
    float[:, ::1] context_vectors,
    float[:, ::1] word_squares,
    float[:, ::1] context_squares,
    const Record[::1] records,
    float learning_rate,
    uint64_t key,
):
    """Train on a tile whose blocks have matrices of their own."""
    cdef Parameters all = parameters(word_vectors, context_vectors, word_squares, context_squares)
    cdef int64_t n = records.shape[0], begin = mix64(key) % <uint64_t>n
    cdef double first, last
    with nogil:
        first = train_records(&all, &records[0], begin, n, n, learning_rate)
        last = train_records(&all, &records[0], 0, begin, n, learning_rate)
    return first, last


def count_tiles(
    const int64_t[::1] row_offsets,
    const int32_t[::1] columns,
    const int32_t[::1] blocks,
    Py_ssize_t n_blocks,
    int32_t first,
    int32_t last,
    int64_t[::1] sizes,
):
    """Count the entries of every tile whose words are of some blocks."""
    cdef Py_ssize_t i, k
    with nogil:
        for i in range(blocks.shape[0]):
            if first <= blocks[i] < last:
                for k in range(row_offsets[i], row_offsets[i + 1]):
                    sizes[blocks[i] * n_blocks + blocks[columns[k]]] += 1


def fill_tiles(
    const int64_t[::1] row_offsets,
    const int32_t[::1] columns,
    const int64_t[::1] units,
    const int32_t[::1] blocks,
    Py_ssize_t n_blocks,
    int32_t first,
    int32_t last,
    int64_t unit,
    double x_max,
    double alpha,
    uint64_t key,
    const int64_t[::1] tile_offsets,
    Record[::1] records,
):
    """Write the entries of some blocks of words to their tiles, in a random order."""
    cdef Py_ssize_t i, k, t, first_tile = first * n_blocks, n_tiles = (last - first) * n_blocks
    cdef int64_t begin, other
    cdef double log_x_max = log(x_max), log_unit = log(<double>unit), log_count
    cdef Record *record
    cdef Record kept
    cdef int64_t *cursors = <int64_t *>malloc(max(1, n_tiles) * sizeof(int64_t))
    if cursors == NULL:
        raise MemoryError("no memory for the places of tiles")
    with nogil:
        for t in range(n_tiles):
            cursors[t] = tile_offsets[first_tile + t]
        for i in range(blocks.shape[0]):
            if first <= blocks[i] < last:
                for k in range(row_offsets[i], row_offsets[i + 1]):
                    t = (blocks[i] - first) * n_blocks + blocks[columns[k]]
                    record = &records[cursors[t]]
                    cursors[t] += 1
                    log_count = log(<double>units[k]) - log_unit
                    record.word = <int32_t>i
                    record.context = columns[k]
                    record.log_count = <float>log_count
                    record.weight = <float>exp(alpha * min(0.0, log_count - log_x_max))
        for t in range(first_tile, first_tile + n_tiles):
            begin = tile_offsets[t]
            k = tile_offsets[t + 1] - 1
            while k > begin:
                other = begin + <int64_t>(mix64(key + k) % <uint64_t>(k - begin + 1))
                kept = records[k]
                records[k] = records[other]
                records[other] = kept
                k -= 1
        free(cursors)
