"""A chunk of the corpus as the models see it: the kept words, each with its window.

Subsampling and window sizes come from the draws that a word owns by its position in the corpus, so that the
ends of a chunk change nothing: windows reach over them, to words that the chunk itself does not train as
centres. They never reach over the ends of a sentence, and count kept words only.
"""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from .copies cimport Rows, row_of
from .sampling cimport draw, is_kept, window_size
from .vector cimport copy_rows, last_distance


cdef struct Walk:
    int32_t *words             # the kept words in order, with up to a window more on either side; renumber()
    int64_t *positions         # theirs in the corpus
    int32_t *begin             # the window of words[i] is words[begin[i]:end[i]] without words[i]
    int32_t *end
    int32_t *distinct          # words[distinct[i]:i + 1] holds no word twice: from find_repeats()
    float **rows               # of the words in a matrix: from find_rows()
    float **contexts           # the rows of the contexts of one word: from copy_contexts()
    Py_ssize_t first           # the chunk's own words: first <= i < last
    Py_ssize_t last
    Py_ssize_t n               # all words
    int32_t *order             # the chunk's own words as they are visited, from `first` on; NULL: as they are
    void *memory               # to be freed by free_walk()


cdef inline Py_ssize_t find_sentence(
    const int64_t *offsets, Py_ssize_t n_sentences, int64_t position
) noexcept nogil:
    """The sentence s with offsets[s] <= position < offsets[s + 1]."""
    cdef Py_ssize_t low = 0, high = n_sentences, middle
    while high - low > 1:
        middle = (low + high) // 2
        if offsets[middle] <= position:
            low = middle
        else:
            high = middle
    return low


cdef inline int walk_chunk(
    Walk *walk, const int32_t[::1] ids, const int64_t[::1] offsets, int64_t start, int64_t stop,
    const uint32_t[::1] keep, uint32_t window, bint dynamic, uint64_t key, uint64_t draws_per_token,
) noexcept nogil:
    """Keep or drop every word of [start, stop), draw the windows if they are dynamic; return 0 on success."""
    cdef Py_ssize_t room = stop - start + 2 * window + 1
    cdef Py_ssize_t n = 0, i, sentence_first
    cdef Py_ssize_t sentence = find_sentence(&offsets[0], offsets.shape[0] - 1, start)
    cdef int64_t t = start, begin = offsets[sentence], end
    cdef int32_t *size
    cdef int32_t id, n_words = <int32_t>keep.shape[0]
    cdef uint32_t smallest = 1 if dynamic else window
    cdef bint known
    cdef uint64_t word
    # copy_contexts() copies up to two windows behind the last word, and a multiple of eight
    cdef Py_ssize_t two_windows = 2 * window + 8
    # last_distance() reads up to a register before the first word
    cdef Py_ssize_t pad = 16
    walk.memory = malloc(
        room * sizeof(int64_t) + (room + 3 * two_windows) * sizeof(float *)
        + (pad + 4 * room) * sizeof(int32_t)
    )
    if walk.memory == NULL:
        return -1
    walk.positions = <int64_t *>walk.memory
    walk.rows = <float **>(walk.positions + room)
    walk.contexts = walk.rows + room + two_windows
    walk.words = <int32_t *>(walk.contexts + 2 * two_windows) + pad
    walk.begin = walk.words + room
    walk.end = size = walk.begin + room
    walk.distinct = walk.end + room
    memset(walk.words - pad, -1, pad * sizeof(int32_t))
    walk.last = -1
    while t > begin and n < window:
        t -= 1
        id = ids[t]
        if id < n_words and is_kept(draw(key, t * draws_per_token), keep[id]):
            n += 1
    walk.first = n
    n = 0
    while t < stop:
        sentence_first = n
        end = offsets[sentence + 1]
        while t < end:
            if t >= stop:
                if t == stop:
                    walk.last = n
                if n - walk.last == window:
                    break
            id = ids[t]
            word = draw(key, t * draws_per_token)
            walk.words[n] = id
            walk.positions[n] = t
            size[n] = window_size(word, smallest, window)
            known = id < n_words
            n += known & is_kept(word, keep[id if known else 0])
            t += 1
        for i in range(sentence_first, n):
            walk.begin[i] = <int32_t>max(sentence_first, i - size[i])
            walk.end[i] = <int32_t>min(n, i + size[i] + 1)
        sentence += 1
    if walk.last < 0:
        walk.last = n
    walk.n = n
    return 0


cdef inline void renumber(Walk *walk, const int32_t *places) noexcept nogil:
    """Let words be known by their places; NULL: by their numbers."""
    cdef Py_ssize_t i
    for i in range(walk.n if places != NULL else 0):
        walk.words[i] = places[walk.words[i]]


cdef inline void free_walk(Walk *walk) noexcept nogil:
    free(walk.memory)
    free(walk.order)


cdef inline int visit_in_lanes(Walk *walk, Py_ssize_t lanes, Py_ssize_t window) noexcept nogil:
    """Visit a word of each of so many parts of the chunk in turn; return 0 on success.

    As reference/together.py: there are fewer parts if these would be shorter than a window.
    """
    cdef Py_ssize_t n = walk.last - walk.first, length, begin, place = walk.first
    walk.order = <int32_t *>malloc((walk.last + 1) * sizeof(int32_t))
    if walk.order == NULL:
        return -1
    lanes = max(<Py_ssize_t>1, min(lanes, n // (2 * window + 1)))
    length = (n + lanes - 1) // lanes
    for begin in range(length):
        while begin < n:
            walk.order[place] = <int32_t>(walk.first + begin)
            place += 1
            begin += length
    return 0


cdef inline Py_ssize_t visited(const Walk *walk, Py_ssize_t number) noexcept nogil:
    """The word that is visited as number first, first + 1, ... up to last."""
    return number if walk.order == NULL else walk.order[number]


cdef inline void find_repeats(Walk *walk, Py_ssize_t window) noexcept nogil:
    """Fill walk.distinct."""
    cdef Py_ssize_t i, distance
    cdef int32_t distinct = 0
    for i in range(walk.n):
        distance = last_distance(walk.words + i, min(i, 2 * window), walk.words[i])
        distinct = max(distinct, <int32_t>(i - distance + 1) if distance else 0)
        walk.distinct[i] = distinct


cdef inline int32_t context_of(const Walk *walk, Py_ssize_t i, Py_ssize_t c) noexcept nogil:
    """Context c of the window of words[i]."""
    cdef Py_ssize_t place = walk.begin[i] + c
    return walk.words[place + (place >= i)]


cdef inline void find_rows(Walk *walk, const Rows *rows, Py_ssize_t window) noexcept nogil:
    """Fill walk.rows; behind them come some that are copied with them, and not used."""
    cdef Py_ssize_t i
    for i in range(walk.n):
        walk.rows[i] = row_of(rows, walk.words[i])
    for i in range(walk.n, walk.n + 2 * window + 8):
        walk.rows[i] = rows.matrix


cdef inline void copy_contexts(const Walk *walk, Py_ssize_t i, Py_ssize_t window) noexcept nogil:
    """Fill walk.contexts with the rows of the contexts of words[i].

    It is as many as there can be always, so that no loop of unknown length is mispredicted.
    """
    copy_rows(walk.contexts, walk.rows + walk.begin[i], 2 * window)
    copy_rows(walk.contexts + i - walk.begin[i], walk.rows + i + 1, 2 * window)
