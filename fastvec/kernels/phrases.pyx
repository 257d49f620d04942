"""Pairs of neighbouring words counted and joined, and ids spelled as text, as reference/phrases.py.

What is done otherwise, and why:

- Both keep pairs in one kind of table: open-addressed, with linear probing and at most half full. A slot of
  16 bytes holds both ids of its pair and a number: how often it occurs, or the phrase that it becomes.
- The table of counts outgrows the processor's cache. The slot of a pair is fetched when the pair is seen, and
  used sixteen pairs later.
- A slot is found by the upper bits of the hash. A table that doubles thus keeps its order, and is copied from
  front to back.
- NumPy allocates the table: on Linux it asks for huge pages, without which most look-ups would have to wait
  for the address of their page as well.
- A connector is no end of a pair: the number of a pair that ends with one is negative, and the left half of
  the pairs that go on from there.
- Most neighbours are no phrase, but the slot where a search begins is often another pair's, and the processor
  cannot guess which. Bits, of which one in sixteen or fewer is set, tell most of them apart before.

The GIL is released throughout.
"""

from cpython.bytes cimport PyBytes_AsString, PyBytes_FromStringAndSize
from cpython.ref cimport Py_INCREF, Py_XDECREF, PyObject
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

import numpy as np

from .walk cimport find_sentence

cdef extern from *:
    """
    /* A constant without pattern: the fractional part of the golden ratio. */
    #define HASH_MULTIPLIER 0x9E3779B97F4A7C15ULL
    """
    const uint64_t HASH_MULTIPLIER
    void __builtin_prefetch(const void *address, int for_writing) noexcept nogil

cdef enum:
    FIRST_BITS = 12  # a table starts with 2^12 slots
    AHEAD = 16       # a power of two: pairs between the fetching of a slot and its use

cdef struct Slot:
    uint64_t pair
    int64_t number  # zero marks an empty slot

cdef struct Table:
    PyObject *memory  # the array that has the slots
    Slot *slots
    int bits          # there are 2^bits slots
    int64_t n         # and so many of them are used


cdef inline uint64_t pair_of(int32_t left, int32_t right) noexcept nogil:
    return <uint64_t> left << 32 | <uint32_t> right


cdef inline Slot *home(const Table *table, uint64_t pair) noexcept nogil:
    """The slot where the search for a pair begins."""
    return table.slots + (pair * HASH_MULTIPLIER >> (64 - table.bits))


cdef inline uint64_t mark_of(const Table *table, uint64_t pair) noexcept nogil:
    """The bit, of eight for every slot, that is set if a pair is in the table."""
    return pair * HASH_MULTIPLIER >> (61 - table.bits)


cdef inline Slot *find(const Table *table, uint64_t pair) noexcept nogil:
    """The slot of a pair, or the empty one that is its place."""
    cdef Slot *slot = home(table, pair)
    cdef Slot *end = table.slots + (<uint64_t> 1 << table.bits)
    while slot.number and slot.pair != pair:
        slot += 1
        if slot == end:
            slot = table.slots
    return slot


cdef int allocate(Table *table, int bits) except -1 with gil:
    """Make an empty table."""
    memory = np.zeros(sizeof(Slot) << bits, np.uint8)
    cdef uint8_t[::1] view = memory
    Py_INCREF(memory)
    table.memory = <PyObject *> memory
    table.slots = <Slot *> &view[0]
    table.bits = bits
    table.n = 0
    return 0


cdef void release(Table *table) noexcept with gil:
    Py_XDECREF(table.memory)


cdef inline int add(Table *table, uint64_t pair, int64_t number) except -1 nogil:
    """Add to the number of a pair; that of a pair that is not there yet is zero."""
    cdef Slot *slot = find(table, pair)
    if slot.number == 0:
        slot.pair = pair
        table.n += 1
    slot.number += number
    return enlarge(table) if 2 * table.n > <int64_t> 1 << table.bits else 0


cdef int enlarge(Table *table) except -1 nogil:
    """Move all pairs to a table of twice the size."""
    cdef Table larger
    cdef Slot *slot
    cdef uint64_t i
    allocate(&larger, table.bits + 1)
    for i in range(<uint64_t> 1 << table.bits):
        slot = table.slots + i
        if slot.number:
            find(&larger, slot.pair)[0] = slot[0]
    larger.n = table.n
    release(table)
    table[0] = larger
    return 0


cdef class PairCounter:
    """Counts pairs of words that are neighbours but for connectors."""

    cdef Table table
    cdef Table links_  # a word or link and a connector -> the number of the link that they are, from 1
    cdef const uint8_t[::1] connectors

    def __cinit__(self, const uint8_t[::1] connectors):
        allocate(&self.table, FIRST_BITS)
        allocate(&self.links_, FIRST_BITS)
        self.connectors = connectors

    def __dealloc__(self):
        release(&self.table)
        release(&self.links_)

    def add(
        self, const int32_t[::1] ids, const int64_t[::1] sentence_offsets, int64_t start, int64_t stop,
        int32_t n_known
    ):
        """Count the pairs that begin in a chunk of the corpus."""
        check_chunk(ids, sentence_offsets, start, stop)
        if start == stop:
            return
        with nogil:
            self.count(&ids[0], &sentence_offsets[0], sentence_offsets.shape[0] - 1, start, stop, n_known)

    cdef int count(
        self, const int32_t *ids, const int64_t *offsets, int64_t n_sentences, int64_t start, int64_t stop,
        int32_t n_known
    ) except -1 nogil:
        cdef uint64_t[AHEAD] waiting
        cdef int64_t n_seen = 0, sentence = find_sentence(offsets, n_sentences, start), i = start, last, right
        cdef int32_t left
        while i < stop:
            last = min(offsets[sentence + 1] - 1, stop)  # the last word of a sentence begins no pair
            while i < last:
                left, right = ids[i], i + 1
                if self.connectors.shape[0] and left < n_known:
                    left = n_known if self.connectors[left] else left
                    while (
                        left < n_known and self.connectors[ids[right]]
                        and right < offsets[sentence + 1] - 1
                    ):
                        left = self.link(left, ids[right])
                        right += 1
                    if self.connectors[ids[right]]:
                        left = n_known
                if left < n_known and ids[right] < n_known:
                    if n_seen >= AHEAD:
                        add(&self.table, waiting[n_seen % AHEAD], 1)
                    waiting[n_seen % AHEAD] = pair_of(left, ids[right])
                    __builtin_prefetch(home(&self.table, waiting[n_seen % AHEAD]), 1)
                    n_seen += 1
                i += 1
            sentence += 1
            i = max(i, offsets[sentence])
        for i in range(max(n_seen - AHEAD, <int64_t> 0), n_seen):
            add(&self.table, waiting[i % AHEAD], 1)
        return 0

    cdef inline int32_t link(self, int32_t left, int32_t connector) except 0 nogil:
        """Return the negative number that stands for a word or link with a connector behind it."""
        cdef Slot *slot = find(&self.links_, pair_of(left, connector))
        cdef int64_t n = slot.number
        if n == 0:
            n = self.links_.n + 1
            add(&self.links_, pair_of(left, connector), n)
        return <int32_t> -n

    def links(self):
        """Return the words or links, and the connectors, of which the links -1, -2, ... are made."""
        cdef int64_t i, n = self.links_.n
        pairs = np.empty(n, np.uint64)
        cdef uint64_t[::1] view = pairs
        for i in range(<int64_t> 1 << self.links_.bits):
            if self.links_.slots[i].number:
                view[self.links_.slots[i].number - 1] = self.links_.slots[i].pair
        return halves(pairs)

    def pairs(self, int64_t min_count):
        """Return the pairs that were counted at least `min_count` times."""
        cdef int64_t i, n = 0, n_slots = <int64_t> 1 << self.table.bits
        cdef Slot *slots = self.table.slots
        for i in range(n_slots):
            n += slots[i].number >= min_count and slots[i].number > 0
        pairs = np.empty(n, np.uint64)
        counts = np.empty(n, np.int64)
        cdef uint64_t[::1] pairs_view = pairs
        cdef int64_t[::1] counts_view = counts
        n = 0
        for i in range(n_slots):
            if slots[i].number >= min_count and slots[i].number > 0:
                pairs_view[n] = slots[i].pair
                counts_view[n] = slots[i].number
                n += 1
        return (*halves(pairs), counts)


cdef tuple halves(object pairs):
    return (pairs >> 32).astype(np.uint32).view(np.int32), pairs.astype(np.uint32).view(np.int32)


cdef class Joiner:
    """Replaces pairs of words by phrases."""

    cdef Table table
    cdef uint8_t[::1] marks  # a byte for each slot; the next three bits of a pair's hash say which bit is set

    def __cinit__(self, const int32_t[::1] lefts, const int32_t[::1] rights, const int32_t[::1] phrases):
        cdef int64_t i
        cdef uint64_t mark
        allocate(&self.table, FIRST_BITS)
        if not lefts.shape[0] == rights.shape[0] == phrases.shape[0]:
            raise ValueError(
                f"rights and phrases must have {lefts.shape[0]} items like lefts, "
                f"got {rights.shape[0]} and {phrases.shape[0]}"
            )
        for i in range(lefts.shape[0]):
            add(
                &self.table, pair_of(lefts[i], rights[i]),
                phrases[i] + <int64_t> 1 if phrases[i] >= 0 else phrases[i],
            )
        self.marks = np.zeros(1 << self.table.bits, np.uint8)
        for i in range(lefts.shape[0]):
            mark = mark_of(&self.table, pair_of(lefts[i], rights[i]))
            self.marks[mark >> 3] |= 1 << (mark & 7)

    def __dealloc__(self):
        release(&self.table)

    def join(
        self, const int32_t[::1] ids, const int64_t[::1] sentence_offsets, int64_t start, int64_t stop,
        int32_t[::1] new_ids, int64_t[::1] new_offsets, int64_t n_before
    ):
        """Join the pairs that begin in a chunk of the corpus, each as soon as its first word is met."""
        check_chunk(ids, sentence_offsets, start, stop)
        if new_ids.shape[0] < stop - start:
            raise ValueError(f"new_ids must have at least {stop - start} items, got {new_ids.shape[0]}")
        if new_offsets.shape[0] != sentence_offsets.shape[0]:
            raise ValueError(
                f"new_offsets must have {sentence_offsets.shape[0]} items like sentence_offsets, "
                f"got {new_offsets.shape[0]}"
            )
        cdef int64_t i = start, n = 0, sentence, end, right
        cdef uint64_t mark
        cdef const uint8_t *marks = &self.marks[0]
        cdef Slot *slot
        if start == stop:
            return start, 0
        with nogil:
            sentence = find_sentence(&sentence_offsets[0], sentence_offsets.shape[0] - 1, start)
            while i < stop:
                if i == sentence_offsets[sentence]:
                    new_offsets[sentence] = n_before + n
                sentence += 1
                end = sentence_offsets[sentence]
                while i < min(end, stop):
                    new_ids[n] = ids[i]
                    i += 1
                    if i < end:
                        mark = mark_of(&self.table, pair_of(ids[i - 1], ids[i]))
                        if marks[mark >> 3] >> (mark & 7) & 1:
                            slot = find(&self.table, pair_of(ids[i - 1], ids[i]))
                            right = i
                            while slot.number < 0 and right + 1 < end:
                                right += 1
                                slot = find(&self.table, pair_of(<int32_t> slot.number, ids[right]))
                            if slot.number > 0:
                                new_ids[n] = <int32_t> (slot.number - 1)
                                i = right + 1
                    n += 1
        return i, n


cdef int check_chunk(
    const int32_t[::1] ids, const int64_t[::1] sentence_offsets, int64_t start, int64_t stop
) except -1:
    if sentence_offsets.shape[0] < 1 or sentence_offsets[sentence_offsets.shape[0] - 1] != ids.shape[0]:
        raise ValueError(f"sentence_offsets must end with {ids.shape[0]}, the number of ids")
    if not 0 <= start <= stop <= ids.shape[0]:
        raise ValueError(
            f"start and stop must be a chunk of the {ids.shape[0]} ids, got {start} and {stop}"
        )
    return 0


def renumber(int32_t[::1] ids, int32_t[::1] numbers, int64_t[::1] counts, int64_t n):
    """Replace words by numbers in the order of their first appearance, and count them."""
    cdef int64_t i
    cdef int32_t word
    if counts.shape[0] != numbers.shape[0]:
        raise ValueError(f"counts must have {numbers.shape[0]} items like numbers, got {counts.shape[0]}")
    with nogil:
        for i in range(ids.shape[0]):
            word = ids[i]
            if numbers[word] < 0:
                numbers[word] = <int32_t> n
                n += 1
            ids[i] = numbers[word]
            counts[ids[i]] += 1
    return n


def spell(
    const int32_t[::1] ids, const int64_t[::1] sentence_offsets, int64_t start, int64_t stop,
    const uint8_t[::1] text, const int64_t[::1] word_offsets
):
    """Return a chunk of the corpus as text: a line feed after every sentence, a space after other words."""
    check_chunk(ids, sentence_offsets, start, stop)
    cdef int64_t i, begin, length, sentence, size = stop - start
    if start == stop:
        return b""
    with nogil:
        for i in range(start, stop):
            size += word_offsets[ids[i] + 1] - word_offsets[ids[i]]
    cdef bytes spelled = PyBytes_FromStringAndSize(NULL, size)
    cdef char *p = PyBytes_AsString(spelled)
    with nogil:
        sentence = find_sentence(&sentence_offsets[0], sentence_offsets.shape[0] - 1, start)
        for i in range(start, stop):
            begin = word_offsets[ids[i]]
            length = word_offsets[ids[i] + 1] - begin
            memcpy(p, &text[begin], length)
            p += length
            if i + 1 == sentence_offsets[sentence + 1]:
                p[0] = c"\n"
                sentence += 1
            else:
                p[0] = c" "
            p += 1
    return spelled
