"""Bytes of text to word ids, in one pass, as reference/tokenizer.py.

What is done otherwise, and why:

- Eight bytes are looked at in one load. Three additions mark the white space among them, so that one load
  both finds the end of most words and is the key they are compared by.
- The hash folds the 128-bit product of those eight bytes and a constant, once per eight bytes.
- The table is open-addressed, with linear probing and at most half full. A slot of 16 bytes holds the first
  eight bytes of its word, its length and 24 bits of its hash: words of up to eight bytes are compared without
  looking anywhere else, and longer ones that differ almost never need a look into the arena.
- Distinct words lie end to end in one arena; counts and places of first appearance are indexed by id.

The word that reaches into the next block is carried over in a buffer. The GIL is released throughout.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
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
    static inline uint64_t fold_product(uint64_t a, uint64_t b) {
        unsigned __int128 product = (unsigned __int128)a * b;
        return (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    """
    const uint64_t HASH_START, HASH_MULTIPLIER
    uint64_t load_eight(const uint8_t *p) noexcept nogil
    uint64_t fold_product(uint64_t a, uint64_t b) noexcept nogil
    int __builtin_ctzll(unsigned long long x) noexcept nogil

cdef enum:
    LINE_FEED = 10
    FIRST_CAPACITY = 1 << 12

cdef struct Slot:
    uint64_t prefix  # the first eight bytes of the word, zeros after its end
    uint32_t tag     # 24 bits of the hash, and the length, 255 standing for all that are longer
    uint32_t word    # id + 1; zero marks an empty slot


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


cdef inline uint64_t next_hash(uint64_t running, uint64_t eight) noexcept nogil:
    return fold_product(running ^ eight, HASH_MULTIPLIER)


cdef inline uint64_t last_hash(uint64_t running, uint64_t rest, int64_t length) noexcept nogil:
    """Return the hash of a word: `running` covers its full eights, `rest` are its bytes after them."""
    return fold_product(running ^ rest, HASH_MULTIPLIER + <uint64_t> length)


cdef uint64_t hash_of(const uint8_t *word, int64_t length) noexcept nogil:
    cdef uint64_t running = HASH_START
    cdef int64_t i = 0
    while i + 8 <= length:
        running = next_hash(running, load_eight(word + i))
        i += 8
    return last_hash(running, load_up_to(word + i, word + length), length)


cdef inline uint32_t tag_of(uint64_t hashed, int64_t length) noexcept nogil:
    return <uint32_t> (hashed >> 40 << 8) | <uint32_t> min(length, 255)


cdef class Tokenizer:
    """Splits a text, fed in blocks, into word ids and sentence ends."""

    cdef readonly int64_t n_words, n_tokens, n_lines, n_bytes
    cdef int64_t sentence_start, line_start
    cdef bint keep_empty
    cdef Slot *table
    cdef uint64_t capacity
    # By id: counts, lines and bytes before the first appearance, and the end in the arena.
    cdef int64_t *counts_
    cdef int64_t *lines_
    cdef int64_t *bytes_
    cdef int64_t *ends_
    cdef int64_t room
    cdef uint8_t *arena
    cdef int64_t arena_size, arena_room
    cdef uint8_t *carry
    cdef int64_t carry_size, carry_room

    def __cinit__(self, bint keep_empty=False):
        self.keep_empty = keep_empty
        self.table = <Slot *> calloc(FIRST_CAPACITY, sizeof(Slot))
        if self.table is NULL:
            raise MemoryError
        self.capacity = FIRST_CAPACITY

    def __dealloc__(self):
        free(self.table)
        free(self.counts_)
        free(self.lines_)
        free(self.bytes_)
        free(self.ends_)
        free(self.arena)
        free(self.carry)

    def feed(self, block):
        """Take the next block of the text."""
        cdef const uint8_t[::1] view = block
        cdef int64_t n = view.shape[0]
        ids = np.empty(n // 2 + 1, np.int32)
        sentence_ends = np.empty(n if self.keep_empty else n // 2 + 1, np.int64)
        if n == 0:
            return ids[:0], sentence_ends[:0]
        cdef int32_t[::1] ids_view = ids
        cdef int64_t[::1] ends_view = sentence_ends
        cdef int64_t n_before = self.n_tokens
        cdef int64_t n_ends
        with nogil:
            n_ends = self.split(&view[0], n, &ids_view[0], &ends_view[0])
        return ids[:self.n_tokens - n_before], sentence_ends[:n_ends].copy()

    def finish(self):
        """End the last word and the last sentence, as at the end of a file; return what `feed` returns."""
        if self.line_start == self.n_bytes:
            return self.feed(b"")
        result = self.feed(b"\n")
        self.n_lines -= 1
        self.n_bytes -= 1
        self.line_start = self.n_bytes
        return result

    def words(self, first=0):
        """Return the distinct words with ids from `first` on, as a list of bytes."""
        cdef int64_t word
        cdef int64_t start
        found = []
        for word in range(first, self.n_words):
            start = self.start_of(word)
            found.append(self.arena[start:self.ends_[word]])
        return found

    def counts(self):
        """Return how often each word occurred, by id, as an int64 array."""
        counts = np.empty(self.n_words, np.int64)
        cdef int64_t[::1] view = counts
        cdef int64_t word
        for word in range(self.n_words):
            view[word] = self.counts_[word]
        return counts

    def first_seen(self, int64_t word):
        """Return how many line feeds and how many bytes came before the first appearance of an id."""
        if not 0 <= word < self.n_words:
            raise IndexError(f"word must be an int from 0 to {self.n_words - 1}, got {word}")
        return self.lines_[word], self.bytes_[word]

    cdef inline int64_t start_of(self, int64_t word) noexcept nogil:
        return self.ends_[word - 1] if word else 0

    cdef int64_t split(
        self, const uint8_t *block, int64_t n, int32_t *ids, int64_t *sentence_ends
    ) except -1 nogil:
        """Split n > 0 bytes into ids [OUT] and sentence_ends [OUT]; return the number of sentence ends."""
        cdef const uint8_t *end = block + n
        cdef const uint8_t *p = block
        cdef const uint8_t *last = end  # behind the last white space: words before it are complete
        cdef const uint8_t *start
        cdef uint64_t x, spaces, running, prefix
        cdef int64_t length, n_ends = 0
        cdef int64_t n_ids = 0
        cdef int64_t n_before = self.n_tokens

        while last > block and not is_space((last - 1)[0]):
            last -= 1
        if last == block:
            self.keep(block, n)
            self.n_bytes += n
            return 0
        if self.carry_size:
            while not is_space(p[0]):
                p += 1
            self.keep(block, p - block)
            length = self.carry_size
            ids[0] = self.id_of(
                self.carry, length, hash_of(self.carry, length),
                load_up_to(self.carry, self.carry + length), self.n_bytes + (p - block) - length
            )
            n_ids = 1
            self.carry_size = 0

        while p < last:
            x = load_up_to(p, end)
            spaces = spaces_among(x)
            if spaces & 0x80:
                if p[0] == LINE_FEED:
                    self.n_lines += 1
                    self.line_start = self.n_bytes + (p - block) + 1
                    if self.keep_empty or n_before + n_ids > self.sentence_start:
                        self.sentence_start = n_before + n_ids
                        sentence_ends[n_ends] = self.sentence_start
                        n_ends += 1
                p += 1
                continue
            start = p
            prefix = x
            running = HASH_START
            while spaces == 0:
                running = next_hash(running, x)
                p += 8
                x = load_up_to(p, end)
                spaces = spaces_among(x)
            x &= ((spaces & -spaces) >> 7) - 1
            p += __builtin_ctzll(spaces) >> 3
            length = p - start
            if length < 8:
                prefix = x
            ids[n_ids] = self.id_of(
                start, length, last_hash(running, x, length), prefix, self.n_bytes + (start - block)
            )
            n_ids += 1

        self.keep(last, end - last)
        self.n_tokens = n_before + n_ids
        self.n_bytes += n
        return n_ends

    cdef inline int32_t id_of(
        self, const uint8_t *word, int64_t length, uint64_t hashed, uint64_t prefix, int64_t place
    ) except -1 nogil:
        """Count a word and return its id; `place` is its first byte in the text."""
        cdef uint32_t tag = tag_of(hashed, length)
        cdef uint64_t at = hashed & (self.capacity - 1)
        cdef Slot *slot = &self.table[at]
        cdef int64_t found
        while slot.word:
            if slot.prefix == prefix and slot.tag == tag:
                found = slot.word - 1
                if length <= 8 or self.is_word(found, word, length):
                    self.counts_[found] += 1
                    return <int32_t> found
            at = (at + 1) & (self.capacity - 1)
            slot = &self.table[at]
        return self.insert(slot, word, length, tag, prefix, place)

    cdef inline bint is_word(self, int64_t word, const uint8_t *other, int64_t length) noexcept nogil:
        cdef int64_t start = self.start_of(word)
        return self.ends_[word] - start == length and memcmp(self.arena + start, other, length) == 0

    cdef int32_t insert(
        self, Slot *slot, const uint8_t *word, int64_t length, uint32_t tag, uint64_t prefix, int64_t place
    ) except -1 nogil:
        """Give a new word the next id and the empty slot; return the id."""
        cdef int64_t new = self.n_words
        if new == 0x7FFFFFFF:
            with gil:
                raise OverflowError("more than 2,147,483,647 distinct words")
        if new == self.room:
            self.room = max(2 * self.room, 1024)
            self.counts_ = <int64_t *> enlarged(self.counts_, self.room * sizeof(int64_t))
            self.lines_ = <int64_t *> enlarged(self.lines_, self.room * sizeof(int64_t))
            self.bytes_ = <int64_t *> enlarged(self.bytes_, self.room * sizeof(int64_t))
            self.ends_ = <int64_t *> enlarged(self.ends_, self.room * sizeof(int64_t))
        if self.arena_size + length > self.arena_room:
            self.arena_room = 2 * self.arena_room + length
            self.arena = <uint8_t *> enlarged(self.arena, self.arena_room)
        memcpy(self.arena + self.arena_size, word, length)
        self.arena_size += length
        self.ends_[new] = self.arena_size
        self.counts_[new] = 1
        self.lines_[new] = self.n_lines
        self.bytes_[new] = place
        slot.prefix = prefix
        slot.tag = tag
        slot.word = <uint32_t> (new + 1)
        self.n_words = new + 1
        if 2 * <uint64_t> self.n_words > self.capacity:
            self.rehash()
        return <int32_t> new

    cdef int rehash(self) except -1 nogil:
        """Double the table."""
        cdef Slot *old = self.table
        cdef uint64_t i, at, mask = 2 * self.capacity - 1
        cdef Slot *table = <Slot *> calloc(2 * self.capacity, sizeof(Slot))
        cdef int64_t word, start
        if table is NULL:
            with gil:
                raise MemoryError
        for i in range(self.capacity):
            if old[i].word:
                word = old[i].word - 1
                start = self.start_of(word)
                at = hash_of(self.arena + start, self.ends_[word] - start) & mask
                while table[at].word:
                    at = (at + 1) & mask
                table[at] = old[i]
        self.table = table
        self.capacity *= 2
        free(old)
        return 0

    cdef int keep(self, const uint8_t *piece, int64_t n) except -1 nogil:
        """Append the piece of a word to what is carried over to the next block."""
        if n == 0:
            return 0
        if self.carry_size + n > self.carry_room:
            self.carry_room = 2 * self.carry_room + n
            self.carry = <uint8_t *> enlarged(self.carry, self.carry_room)
        memcpy(self.carry + self.carry_size, piece, n)
        self.carry_size += n
        return 0


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
