"""Bytes of text to word ids, in one pass, as reference/tokenizer.py.

What is done otherwise, and why:

- Eight bytes are looked at in one load. Three additions mark the white space among them, so that one load
  both finds the end of most words and is the key they are compared by.
- The hash folds the 128-bit product of the first eight bytes and the next eight, each mixed with a constant,
  and then, once per eight bytes, that of the sum so far and a constant.
- Tables are open-addressed, with linear probing and at most half full. A slot of 16 bytes holds the first
  eight bytes of its word, its length and 24 bits of its hash: words of up to eight bytes are compared without
  looking anywhere else, and longer ones that differ almost never need a look at their other bytes.
- A piece has a table of its own, which stays in the processor's cache. The large one is asked for every word
  of a piece once, and its slots are fetched some words before they are used.
- Strings of arrays, whose ends are known, are hashed some at a time before the first is looked up: no hash
  waits for a table, and their slots are fetched meanwhile. What lies after their ends is masked without a
  branch on their length, which would often be predicted wrong.
- Distinct words lie end to end in one arena, each with a line feed after it; counts are indexed by id.

The GIL is released throughout, so that several threads split pieces at once.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy

import numpy as np

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    /* Constants without pattern: the fractional parts of the golden ratio and of pi. */
    #define HASH_START 0x9E3779B97F4A7C15ULL
    #define HASH_MULTIPLIER 0x243F6A8885A308D3ULL
    /* The byte at p is the lowest of the eight, on every machine. */
    static inline uint64_t load_eight(const uint8_t *p) {
        uint64_t x;
        memcpy(&x, p, 8);
    #if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        x = __builtin_bswap64(x);
    #endif
        return x;
    }
    /* A signed integer of four or eight bytes, in the machine's order, at any place. */
    static inline int64_t number_at(const uint8_t *p, int n_bytes) {
        int32_t four;
        int64_t eight;
        if (n_bytes == 4) {
            memcpy(&four, p, 4);
            return four;
        }
        memcpy(&eight, p, 8);
        return eight;
    }
    /* A mask of the first n of eight bytes, where n is from 0 to 16, and more than 8 are all. */
    static inline uint64_t first_bytes(int64_t n) {
        static const uint8_t set[24] = {
            255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
        return load_eight(set + 16 - n);
    }
    static inline uint64_t fold_product(uint64_t a, uint64_t b) {
        unsigned __int128 product = (unsigned __int128)a * b;
        return (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    """
    const uint64_t HASH_START, HASH_MULTIPLIER
    uint64_t load_eight(const uint8_t *p) noexcept nogil
    int64_t number_at(const uint8_t *p, int n_bytes) noexcept nogil
    uint64_t first_bytes(int64_t n) noexcept nogil
    uint64_t fold_product(uint64_t a, uint64_t b) noexcept nogil
    int __builtin_ctzll(unsigned long long x) noexcept nogil
    void __builtin_prefetch(const void *address) noexcept nogil

cdef enum:
    LINE_FEED = 10
    FIRST_CAPACITY = 1 << 12  # slots of a table at least
    BYTES_PER_SLOT = 32       # of a piece of text, for the first table of its words
    STRINGS_PER_SLOT = 4      # of a piece of strings, for the same
    AHEAD = 8                 # words between the fetching of a slot and its use
    STRINGS_AT_ONCE = 32      # that are hashed before the first is looked up
    VIEW_BYTES = 16           # a string's length and, of up to INLINE_BYTES, the string, or where it is
    INLINE_BYTES = 12

cdef struct Slot:
    uint64_t prefix  # the first eight bytes of the word, zeros after its end
    uint32_t tag     # 24 bits of the hash, and the length, 255 standing for all that are longer
    uint32_t word    # id + 1; zero marks an empty slot

cdef struct SlotOfPiece:
    uint64_t first   # eight bytes of the word
    uint64_t second  # eight more, zeros after its end
    uint32_t tag
    uint32_t word

cdef struct Word:
    uint64_t hashed
    uint64_t first
    uint64_t second
    const uint8_t *start
    int64_t length

cdef struct Buffer:
    const uint8_t *start
    int64_t size

cdef struct Strings:
    Buffer places    # offsets, or views
    int item_bytes   # of one of them
    Buffer *buffers
    int64_t n_buffers


cdef inline bint is_space(uint8_t c) noexcept nogil:
    return c == 32 or 9 <= c <= 13


cdef inline uint64_t spaces_among(uint64_t x) noexcept nogil:
    """Return 0x80 in every byte of x that is ASCII white space (9 to 13 and 32), and 0 in the others.

    On seven bits no addition carries into the next byte: the high bit of y + (128 - k) says y >= k.
    """
    cdef uint64_t ones = 0x0101010101010101
    cdef uint64_t y = x & (ones * 0x7F)
    cdef uint64_t from_9_to_13 = (y + ones * (128 - 9)) & ~(y + ones * (128 - 14))
    cdef uint64_t is_32 = ~((y ^ (ones * 32)) + ones * 127)
    return (from_9_to_13 | is_32) & ~x & (ones * 0x80)


cdef inline uint64_t load_up_to(const uint8_t *p, const uint8_t *end) noexcept nogil:
    """Return the eight bytes at p, zeros for those that lie at `end` or after it."""
    cdef uint8_t padded[8]
    if end - p >= 8:
        return load_eight(p)
    for i in range(8):
        padded[i] = p[i] if i < end - p else 0
    return load_eight(padded)


cdef inline uint64_t first_hash(uint64_t first, uint64_t second) noexcept nogil:
    """Return the hash of 16 bytes of a word, with zeros after its end."""
    return fold_product(HASH_START ^ first, HASH_MULTIPLIER ^ second)


cdef inline uint64_t last_hash(uint64_t running, int64_t length) noexcept nogil:
    return fold_product(running, HASH_MULTIPLIER + <uint64_t> length)


cdef uint64_t hash_of(const uint8_t *word, int64_t length) noexcept nogil:
    cdef const uint8_t *end = word + length
    cdef uint64_t running = first_hash(load_up_to(word, end), load_up_to(word + 8, end))
    cdef int64_t i
    for i in range(16, length, 8):
        running = fold_product(running ^ load_up_to(word + i, end), HASH_MULTIPLIER)
    return last_hash(running, length)


cdef inline uint32_t tag_of(uint64_t hashed, int64_t length) noexcept nogil:
    return <uint32_t> (hashed >> 40 << 8) | <uint32_t> min(length, 255)


def end_of_words(const uint8_t[::1] text):
    """Return where the last white space of a text ends."""
    cdef int64_t n = text.shape[0]
    with nogil:
        while n and not is_space(text[n - 1]):
            n -= 1
    return n


cdef inline bint find(const Strings *strings, int64_t i, Word *word) noexcept nogil:
    """Say where string i is, and its hash; return whether it lies in its buffer."""
    cdef const uint8_t *place = strings.places.start + i * strings.item_bytes
    cdef int64_t which, begin
    if strings.item_bytes == 4:
        return find_between(strings.buffers, number_at(place, 4), number_at(place + 4, 4), word)
    if strings.item_bytes == 8:
        return find_between(strings.buffers, number_at(place, 8), number_at(place + 8, 8), word)
    if number_at(place, 4) <= INLINE_BYTES:
        begin = i * VIEW_BYTES + 4
        return find_between(&strings.places, begin, begin + number_at(place, 4), word)
    which = number_at(place + 8, 4)
    if not 0 <= which < strings.n_buffers:
        return False
    begin = number_at(place + 12, 4)
    return find_between(&strings.buffers[which], begin, begin + number_at(place, 4), word)


cdef inline bint find_between(const Buffer *buffer, int64_t begin, int64_t end, Word *word) noexcept nogil:
    """Say where a string is, and its hash; return whether it lies in its buffer."""
    if not 0 <= begin <= end <= buffer.size:
        return False
    word.start = buffer.start + begin
    word.length = end - begin
    if buffer.size - begin >= 16:
        word.first, word.second = load_eight(word.start), load_eight(word.start + 8)
    else:
        word.first = load_up_to(word.start, buffer.start + end)
        word.second = load_up_to(word.start + 8, buffer.start + end)
    word.first &= first_bytes(min(word.length, 16))
    word.second &= first_bytes(max(min(word.length, 16) - 8, 0))
    if word.length > 16:
        word.hashed = hash_of(word.start, word.length)
    else:
        word.hashed = last_hash(first_hash(word.first, word.second), word.length)
    return True


def split(bytes text, bint keep_empty=False):
    """Return the words of a piece of text and the ends of sentences in it."""
    cdef Piece piece = Piece()
    piece.take_text(text, keep_empty)
    return piece


def collect(places, buffers, codes=None):
    """Return strings of arrays as the words of a piece."""
    cdef Piece piece = Piece()
    piece.take_strings(places, buffers, codes)
    return piece


cdef Buffer buffer_of(const uint8_t[::1] view):
    cdef Buffer buffer
    buffer.size = view.shape[0]
    buffer.start = &view[0] if buffer.size else NULL
    return buffer


cdef class Piece:
    """Words and ends of sentences of a piece of text."""

    cdef readonly object text, ids, sentence_ends
    cdef object held  # the arrays that words are in
    cdef readonly int64_t n_lines, n_words
    cdef Word *words
    cdef int32_t *counts
    cdef int64_t room
    cdef SlotOfPiece *table
    cdef uint64_t capacity

    def __cinit__(self):
        self.text = b""
        self.ids, self.sentence_ends = np.empty(0, np.int32), np.empty(0, np.int64)

    cdef int take_text(self, bytes text, bint keep_empty) except -1:
        cdef const uint8_t[::1] view = text
        cdef int64_t n = view.shape[0]
        cdef int64_t n_ids = 0, n_ends = 0
        self.text = text
        self.n_lines = text.count(b"\n")
        if n == 0:
            return 0
        ids = np.empty(n // 2 + 1, np.int32)
        sentence_ends = np.empty(self.n_lines + 1, np.int64)
        cdef int32_t[::1] ids_view = ids
        cdef int64_t[::1] ends_view = sentence_ends
        with nogil:
            self.begin(n // BYTES_PER_SLOT)
            self.split(&view[0], &view[0] + n, keep_empty, &ids_view[0], &n_ids, &ends_view[0], &n_ends)
            self.end(&ids_view[0], n_ids)
        self.ids = ids[:n_ids].copy()
        self.sentence_ends = sentence_ends[:n_ends]
        return 0

    cdef int take_strings(self, places, buffers, codes) except -1:
        cdef Strings strings
        cdef const int32_t[::1] codes_view = codes
        cdef int64_t n_strings = len(places) - (places.ndim == 1)
        cdef int64_t n = n_strings if codes is None else codes_view.shape[0]
        if n <= 0:
            return 0
        strings.item_bytes = VIEW_BYTES if places.ndim == 2 else places.itemsize
        places = places.reshape(-1).view(np.uint8)
        strings.places = buffer_of(places)
        strings.n_buffers = len(buffers)
        self.held = places, buffers
        ids = np.empty(n, np.int32)
        cdef int32_t[::1] ids_view = ids
        cdef int32_t *seen = NULL
        strings.buffers = <Buffer *> allocated((strings.n_buffers + 1) * sizeof(Buffer))
        try:
            for i in range(strings.n_buffers):
                strings.buffers[i] = buffer_of(memoryview(buffers[i]).cast("B"))
            with nogil:
                self.begin(n // STRINGS_PER_SLOT)
                if codes is None:
                    self.number(&strings, n, &ids_view[0])
                else:
                    seen = <int32_t *> allocated((n_strings + 1) * sizeof(int32_t))
                    self.number_codes(&strings, n_strings, &codes_view[0], n, seen, &ids_view[0])
                self.end(&ids_view[0], n)
        finally:
            free(strings.buffers)
            free(seen)
        self.ids = ids
        return 0

    cdef int begin(self, uint64_t n_slots) except -1 nogil:
        """Make a table of at least so many slots."""
        self.capacity = FIRST_CAPACITY
        while self.capacity < n_slots:
            self.capacity *= 2
        self.table = <SlotOfPiece *> allocated(self.capacity * sizeof(SlotOfPiece))
        return 0

    cdef int end(self, const int32_t *ids, int64_t n) except -1 nogil:
        """Count the words, and let the table go."""
        cdef int64_t i
        cdef int32_t *counts = <int32_t *> allocated((self.n_words + 1) * sizeof(int32_t))
        self.counts = counts
        for i in range(n):
            counts[ids[i]] += 1
        free(self.table)
        self.table = NULL
        return 0

    def __dealloc__(self):
        free(self.table)
        free(self.words)
        free(self.counts)

    cdef int split(
        self, const uint8_t *p, const uint8_t *end, bint keep_empty,
        int32_t *ids, int64_t *n_ids, int64_t *sentence_ends, int64_t *n_ends
    ) except -1 nogil:
        cdef Word word
        cdef const uint8_t *stop
        cdef uint64_t spaces, more_spaces, eight, top = <uint64_t> 1 << 63
        cdef int64_t n = 0  # words so far
        cdef int64_t m = 0  # ends so far
        while p < end:
            word.first = load_up_to(p, end)
            spaces = spaces_among(word.first)
            if spaces & 0x80:
                if p[0] == LINE_FEED and (keep_empty or m == 0 or n > sentence_ends[m - 1]):
                    sentence_ends[m] = n
                    m += 1
                p += 1
                continue
            word.start = p
            word.second = load_up_to(p + 8, end)
            more_spaces = spaces_among(word.second)
            # Most words end within 16 bytes: whether within eight is not left to a branch.
            word.first &= ((spaces & -spaces) >> 7) - 1
            word.second &= 0 if spaces else ((more_spaces & -more_spaces) >> 7) - 1
            word.hashed = first_hash(word.first, word.second)
            if spaces | more_spaces:
                word.length = __builtin_ctzll(spaces | top) >> 3
                word.length = word.length if spaces else 8 + (__builtin_ctzll(more_spaces | top) >> 3)
                p += word.length
            else:
                p = min(p + 16, end)
                while p < end:
                    eight = load_up_to(p, end)
                    spaces = spaces_among(eight)
                    eight &= ((spaces & -spaces) >> 7) - 1
                    stop = p + (__builtin_ctzll(spaces) >> 3) if spaces else min(p + 8, end)
                    if stop > p:
                        word.hashed = fold_product(word.hashed ^ eight, HASH_MULTIPLIER)
                    p = stop
                    if spaces:
                        break
                word.length = p - word.start
            word.hashed = last_hash(word.hashed, word.length)
            ids[n] = self.id_of(&word)
            n += 1
            p += p < end and p[0] == c" "
        n_ids[0] = n
        n_ends[0] = m
        return 0

    cdef int number(self, const Strings *strings, int64_t n, int32_t *ids) except -1 nogil:
        """Write the ids of the first n strings."""
        cdef Word words[STRINGS_AT_ONCE]
        cdef int64_t i, some, begin = 0
        while begin < n:
            some = min(<int64_t> STRINGS_AT_ONCE, n - begin)
            for i in range(some):
                if not find(strings, begin + i, &words[i]):
                    raise_outside()
                __builtin_prefetch(&self.table[words[i].hashed & (self.capacity - 1)])
            for i in range(some):
                ids[begin + i] = self.id_of(&words[i])
            begin += some
        return 0

    cdef int number_codes(
        self, const Strings *strings, int64_t n_strings, const int32_t *codes, int64_t n, int32_t *seen,
        int32_t *ids
    ) except -1 nogil:
        """Write the ids of strings by their positions; `seen` is zeros, and has their ids + 1 afterwards."""
        cdef Word word
        cdef int64_t i
        cdef int32_t code
        for i in range(n):
            code = codes[i]
            if not 0 <= code < n_strings:
                raise_outside()
            if seen[code] == 0:
                if not find(strings, code, &word):
                    raise_outside()
                seen[code] = self.id_of(&word) + 1
            ids[i] = seen[code] - 1
        return 0

    cdef inline int32_t id_of(self, const Word *word) except -1 nogil:
        """Return the id of a word in this piece."""
        cdef uint32_t tag = tag_of(word.hashed, word.length)
        cdef uint64_t at = word.hashed & (self.capacity - 1)
        cdef SlotOfPiece *slot = &self.table[at]
        while slot.word:
            if (slot.first ^ word.first) | (slot.second ^ word.second) | (slot.tag ^ tag) == 0:
                if word.length <= 16 or self.is_word(slot.word - 1, word):
                    return <int32_t> (slot.word - 1)
            at = (at + 1) & (self.capacity - 1)
            slot = &self.table[at]
        return self.insert(slot, word)

    cdef inline bint is_word(self, int64_t found, const Word *word) noexcept nogil:
        cdef int64_t length = self.words[found].length
        return length == word.length and memcmp(self.words[found].start, word.start, length) == 0

    cdef int32_t insert(self, SlotOfPiece *slot, const Word *word) except -1 nogil:
        """Give a new word the next id and the empty slot; return the id."""
        cdef int64_t new = self.n_words
        if new == self.room:
            self.room = max(2 * self.room, 1024)
            self.words = <Word *> enlarged(self.words, self.room * sizeof(Word))
        self.words[new] = word[0]
        self.n_words = new + 1
        self.fill(slot, new)
        if 2 * <uint64_t> self.n_words > self.capacity:
            self.rehash()
        return <int32_t> new

    cdef inline void fill(self, SlotOfPiece *slot, int64_t word) noexcept nogil:
        slot.first = self.words[word].first
        slot.second = self.words[word].second
        slot.tag = tag_of(self.words[word].hashed, self.words[word].length)
        slot.word = <uint32_t> (word + 1)

    cdef int rehash(self) except -1 nogil:
        """Double the table."""
        cdef int64_t word
        cdef uint64_t at
        free(self.table)
        self.table = NULL
        self.table = <SlotOfPiece *> allocated(2 * self.capacity * sizeof(SlotOfPiece))
        self.capacity *= 2
        for word in range(self.n_words):
            at = self.words[word].hashed & (self.capacity - 1)
            while self.table[at].word:
                at = (at + 1) & (self.capacity - 1)
            self.fill(&self.table[at], word)
        return 0


cdef class Tokenizer:
    """Gives words ids, in the order in which they first appear in the pieces of a text."""

    cdef readonly int64_t n_words, n_tokens
    cdef int64_t sentence_start
    cdef bint keep_empty, in_line
    cdef Slot *table
    cdef uint64_t capacity
    # By id: counts, and where the word's line feed ends in the arena.
    cdef int64_t *counts_
    cdef int64_t *ends_
    cdef int64_t room
    cdef uint8_t *arena
    cdef int64_t arena_size, arena_room

    def __cinit__(self, bint keep_empty=False):
        self.keep_empty = keep_empty
        self.table = <Slot *> allocated(FIRST_CAPACITY * sizeof(Slot))
        self.capacity = FIRST_CAPACITY

    def __dealloc__(self):
        free(self.table)
        free(self.counts_)
        free(self.ends_)
        free(self.arena)

    def add(self, Piece piece):
        """Take the next piece of the text."""
        cdef int64_t i, n = piece.ids.shape[0]
        cdef int32_t[::1] ids = piece.ids
        cdef int32_t *new_ids = <int32_t *> malloc(max(1, piece.n_words) * sizeof(int32_t))
        if new_ids is NULL:
            raise MemoryError
        try:
            with nogil:
                for i in range(piece.n_words):
                    if i + AHEAD < piece.n_words:
                        __builtin_prefetch(&self.table[piece.words[i + AHEAD].hashed & (self.capacity - 1)])
                    new_ids[i] = self.id_of(&piece.words[i], piece.counts[i])
                for i in range(n):
                    ids[i] = new_ids[ids[i]]
        finally:
            free(new_ids)
        sentence_ends = piece.sentence_ends + self.n_tokens
        cdef int64_t n_ends = len(sentence_ends), n_bytes = len(piece.text)
        if n_ends and not self.keep_empty and sentence_ends[0] == self.sentence_start:
            sentence_ends = sentence_ends[1:]
            n_ends -= 1
        if n_ends:
            self.sentence_start = sentence_ends[n_ends - 1]
        if n_bytes:
            self.in_line = piece.text[n_bytes - 1] != LINE_FEED
        self.n_tokens += n
        return piece.ids, sentence_ends

    def finish(self):
        """End the last sentence, as at the end of a file; return its end in an array, or an empty one."""
        cdef bint ended = self.in_line and (self.keep_empty or self.n_tokens > self.sentence_start)
        self.in_line = False
        if not ended:
            return np.empty(0, np.int64)
        self.sentence_start = self.n_tokens
        return np.array([self.n_tokens], np.int64)

    def words(self, int64_t first=0):
        """Return the distinct words with ids from `first` on, each with a line feed after it."""
        if not 0 <= first <= self.n_words:
            raise IndexError(f"first must be an int from 0 to {self.n_words}, got {first}")
        cdef int64_t start = self.start_of(first)
        return PyBytes_FromStringAndSize(<const char *> self.arena + start, self.arena_size - start)

    def ends(self):
        """Return where each distinct word, with its line feed, ends in those of `words`."""
        ends = np.empty(self.n_words, np.int64)
        cdef int64_t[::1] view = ends
        cdef int64_t word
        for word in range(self.n_words):
            view[word] = self.ends_[word]
        return ends

    def counts(self):
        """Return how often each word occurred, by id, as an int64 array."""
        counts = np.empty(self.n_words, np.int64)
        cdef int64_t[::1] view = counts
        cdef int64_t word
        for word in range(self.n_words):
            view[word] = self.counts_[word]
        return counts

    cdef inline int64_t start_of(self, int64_t word) noexcept nogil:
        return self.ends_[word - 1] if word else 0

    cdef inline int32_t id_of(self, const Word *word, int64_t count) except -1 nogil:
        """Add to the count of a word and return its id."""
        cdef uint32_t tag = tag_of(word.hashed, word.length)
        cdef uint64_t at = word.hashed & (self.capacity - 1)
        cdef Slot *slot = &self.table[at]
        cdef int64_t found
        while slot.word:
            if slot.prefix == word.first and slot.tag == tag:
                found = slot.word - 1
                if word.length <= 8 or self.is_word(found, word):
                    self.counts_[found] += count
                    return <int32_t> found
            at = (at + 1) & (self.capacity - 1)
            slot = &self.table[at]
        return self.insert(slot, word, count)

    cdef inline bint is_word(self, int64_t found, const Word *word) noexcept nogil:
        cdef int64_t start = self.start_of(found)
        return (
            self.ends_[found] - start - 1 == word.length
            and memcmp(self.arena + start, word.start, word.length) == 0
        )

    cdef int32_t insert(self, Slot *slot, const Word *word, int64_t count) except -1 nogil:
        """Give a new word the next id and the empty slot; return the id."""
        cdef int64_t new = self.n_words
        if new == 0x7FFFFFFF:
            with gil:
                raise OverflowError("more than 2,147,483,647 distinct words")
        if new == self.room:
            self.room = max(2 * self.room, 1024)
            self.counts_ = <int64_t *> enlarged(self.counts_, self.room * sizeof(int64_t))
            self.ends_ = <int64_t *> enlarged(self.ends_, self.room * sizeof(int64_t))
        if self.arena_size + word.length + 1 > self.arena_room:
            self.arena_room = 2 * self.arena_room + word.length + 1
            self.arena = <uint8_t *> enlarged(self.arena, self.arena_room)
        memcpy(self.arena + self.arena_size, word.start, word.length)
        self.arena[self.arena_size + word.length] = LINE_FEED
        self.arena_size += word.length + 1
        self.ends_[new] = self.arena_size
        self.counts_[new] = count
        fill(slot, word.hashed, word.first, word.length, new)
        self.n_words = new + 1
        if 2 * <uint64_t> self.n_words > self.capacity:
            self.rehash()
        return <int32_t> new

    cdef int rehash(self) except -1 nogil:
        """Double the table."""
        cdef int64_t word, length
        cdef const uint8_t *start
        cdef uint64_t at, hashed
        free(self.table)
        self.table = NULL
        self.table = <Slot *> allocated(2 * self.capacity * sizeof(Slot))
        self.capacity *= 2
        for word in range(self.n_words):
            start = self.arena + self.start_of(word)
            length = self.ends_[word] - 1 - self.start_of(word)
            hashed = hash_of(start, length)
            at = hashed & (self.capacity - 1)
            while self.table[at].word:
                at = (at + 1) & (self.capacity - 1)
            fill(&self.table[at], hashed, load_up_to(start, start + length), length, word)
        return 0


cdef inline void fill(
    Slot *slot, uint64_t hashed, uint64_t prefix, int64_t length, int64_t word
) noexcept nogil:
    slot.prefix = prefix
    slot.tag = tag_of(hashed, length)
    slot.word = <uint32_t> (word + 1)


cdef int raise_outside() except -1 nogil:
    with gil:
        raise ValueError("a string lies outside its buffer")


cdef void *allocated(int64_t n) except NULL nogil:
    """Return n > 0 bytes of zeros."""
    cdef void *memory = calloc(n, 1)
    if memory is NULL:
        with gil:
            raise MemoryError
    return memory


cdef void *enlarged(void *memory, int64_t n) except NULL nogil:
    """Return `memory` moved to where n > 0 bytes have room."""
    cdef void *moved = realloc(memory, n)
    if moved is NULL:
        with gil:
            raise MemoryError
    return moved


def remap(const int32_t[::1] ids, const int32_t[::1] new_ids, int32_t[::1] out):
    """Write new_ids[ids] into `out`."""
    cdef int64_t i
    if out.shape[0] != ids.shape[0]:
        raise ValueError(f"out must have {ids.shape[0]} items like ids, got {out.shape[0]}")
    with nogil:
        for i in range(ids.shape[0]):
            out[i] = new_ids[ids[i]]
