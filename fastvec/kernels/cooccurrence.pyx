"""How often words stand near each other, as reference/cooccurrence.py.

What is done otherwise, and why:

- The row of a word is one dense array that fits the second-level cache, into which the contexts at its places
  are added; what is not zero in it comes out in order. Nothing is sorted.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc

from .vector cimport prefetch_to_read

cdef enum:
    GROUP = 16            # words that share a mark
    MARKS = 8             # marks that are looked at at once
    AHEAD = 16            # places whose contexts are fetched before they are needed

cdef struct Row:
    int64_t *units        # the sum of every word so far
    uint8_t *marks        # marks[j / GROUP] is 1 if units[j] may not be zero
    Py_ssize_t n_words
    Py_ssize_t n_marks    # a multiple of MARKS

cdef struct Source:
    const int64_t *row_offsets
    Py_ssize_t n_rows
    const int32_t *columns
    const int64_t *units
    const int32_t *rows   # NULL: the same ids
    const int32_t *map


cdef int allocate_row(Row *row, Py_ssize_t n_words) noexcept nogil:
    """Make a row of zeros; return 0 on success."""
    row.n_words = n_words
    row.n_marks = (n_words + GROUP * MARKS - 1) // (GROUP * MARKS) * MARKS
    row.units = <int64_t *>calloc(n_words, sizeof(int64_t))
    row.marks = <uint8_t *>calloc(row.n_marks, 1)
    return 0 if row.units != NULL and row.marks != NULL else -1


cdef void free_row(Row *row) noexcept nogil:
    free(row.units)
    free(row.marks)


cdef inline void add(int64_t *sums, uint8_t *marks, int32_t word, int64_t units) noexcept nogil:
    """Add to the sum of a word; `sums` and `marks` are those of a row, for loops to keep in registers."""
    sums[word] += units
    marks[<uint32_t>word // GROUP] = 1


cdef inline Py_ssize_t take(Row *row, int32_t *columns, int64_t *units) noexcept nogil:
    """Write what is not zero, set the row to zero, and return how much was written."""
    cdef Py_ssize_t n = 0, i, m, j
    for i in range(row.n_marks // MARKS):
        if (<uint64_t *>row.marks)[i] == 0:
            continue
        for m in range(i * MARKS, (i + 1) * MARKS):
            if row.marks[m]:
                row.marks[m] = 0
                for j in range(m * GROUP, min((m + 1) * GROUP, row.n_words)):
                    columns[n] = <int32_t>j
                    units[n] = row.units[j]
                    n += row.units[j] != 0
                    row.units[j] = 0
    return n


def count_words(const int32_t[::1] ids, int64_t[::1] counts):
    """Add up how often every word occurs."""
    cdef Py_ssize_t i, n_words = counts.shape[0]
    with nogil:
        for i in range(ids.shape[0]):
            if ids[i] < n_words:
                counts[ids[i]] += 1


def place_words(
    const int32_t[::1] ids,
    const int64_t[::1] sentence_offsets,
    Py_ssize_t first,
    Py_ssize_t last,
    int32_t n_words,
    Py_ssize_t window,
    bint symmetric,
    Py_ssize_t begin,
    int32_t[::1] kept,
    int64_t[::1] cursors,
    uint64_t[::1] places,
):
    """Write down the kept words of some sentences, and the places of every one of them."""
    cdef Py_ssize_t s, t, i, sentence, left, right, end = begin
    cdef int32_t word
    with nogil:
        for s in range(first, last):
            sentence = end
            for t in range(sentence_offsets[s], sentence_offsets[s + 1]):
                if ids[t] < n_words:
                    kept[end] = ids[t]
                    end += 1
            for i in range(sentence, end):
                word = kept[i]
                left = min(i - sentence, window)
                right = min(end - 1 - i, window) if symmetric else 0
                places[cursors[word]] = <uint64_t>(i << 20 | left << 10 | right)
                cursors[word] += 1
    return end


def count_rows(
    const int32_t[::1] kept,
    const uint64_t[::1] places,
    const int64_t[::1] place_offsets,
    const int64_t[::1] weights,
    Py_ssize_t first,
    Py_ssize_t last,
    int32_t[::1] columns,
    int64_t[::1] units,
    int64_t[::1] row_sizes,
):
    """Count the contexts of some words."""
    cdef Py_ssize_t n_words = place_offsets.shape[0] - 1, room = columns.shape[0]
    cdef Py_ssize_t i = first, p, k, n_left, n_right, written = 0, size
    cdef const int32_t *at
    cdef const int64_t *units_at = &weights[0]
    cdef uint64_t place
    cdef int64_t *sums
    cdef uint8_t *marks
    cdef bint failed
    cdef Row row
    with nogil:
        failed = allocate_row(&row, n_words) != 0
        sums = row.units
        marks = row.marks
        while not failed and i < last and room - written >= n_words:
            for p in range(place_offsets[i], place_offsets[i + 1]):
                if p + AHEAD < place_offsets[n_words]:
                    prefetch_to_read(&kept[places[p + AHEAD] >> 20])
                place = places[p]
                at = &kept[place >> 20]
                n_left = (place >> 10) & 1023
                n_right = place & 1023
                for k in range(n_left):
                    add(sums, marks, at[-1 - k], units_at[k])
                for k in range(n_right):
                    add(sums, marks, at[1 + k], units_at[k])
            size = take(&row, &columns[0] + written, &units[0] + written)
            row_sizes[i - first] = size
            written += size
            i += 1
        free_row(&row)
    if failed:
        raise MemoryError("no memory for a row of counts")
    return i, written


def merge_rows(
    list sources,
    list rows,
    list maps,
    Py_ssize_t n_words,
    Py_ssize_t first,
    Py_ssize_t last,
    int32_t[::1] columns,
    int64_t[::1] units,
    int64_t[::1] row_sizes,
):
    """Add up some rows of several counts."""
    cdef Py_ssize_t n_sources = len(sources), room = columns.shape[0]
    cdef Py_ssize_t i = first, s, k, r, written = 0, size
    cdef Source *all_sources = <Source *>malloc(max(1, n_sources) * sizeof(Source))
    cdef Source *source
    cdef bint failed
    cdef Row row
    if all_sources == NULL:
        raise MemoryError("no memory for the list of counts")
    try:
        for s in range(n_sources):
            describe(all_sources + s, sources[s], rows[s], maps[s])
    except BaseException:
        free(all_sources)
        raise
    with nogil:
        failed = allocate_row(&row, n_words) != 0
        while not failed and i < last and room - written >= n_words:
            for s in range(n_sources):
                source = all_sources + s
                r = i if source.rows == NULL else source.rows[i]
                if 0 <= r < source.n_rows:
                    for k in range(source.row_offsets[r], source.row_offsets[r + 1]):
                        add(
                            row.units,
                            row.marks,
                            source.columns[k] if source.map == NULL else source.map[source.columns[k]],
                            source.units[k],
                        )
            size = take(&row, &columns[0] + written, &units[0] + written)
            row_sizes[i - first] = size
            written += size
            i += 1
        free_row(&row)
        free(all_sources)
    if failed:
        raise MemoryError("no memory for a row of counts")
    return i, written


cdef int describe(
    Source *source, tuple arrays, const int32_t[::1] rows, const int32_t[::1] map
) except -1:
    """Take the addresses of a source's arrays, which the caller keeps alive."""
    cdef const int64_t[::1] row_offsets = arrays[0]
    cdef const int32_t[::1] columns = arrays[1]
    cdef const int64_t[::1] units = arrays[2]
    source.row_offsets = &row_offsets[0]
    source.n_rows = row_offsets.shape[0] - 1
    source.columns = &columns[0] if columns.shape[0] else NULL
    source.units = &units[0] if units.shape[0] else NULL
    source.rows = source.map = NULL
    if rows is not None:
        source.rows = &rows[0]
    if map is not None:
        source.map = &map[0]
    return 0
