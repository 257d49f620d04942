"""Rows of files of vectors, text and binary, as reference/rows.py.

What is done otherwise, and why:

- A number of up to 19 digits is a whole number and a power of ten. Where both are floats of 64 bits without
  rounding, their quotient or product is the number, rounded once; a longer division gives those with more
  digits. Python reads what is left.
- A float of 32 bits is a whole number times a power of two. Its product with a power of five is exact in 128
  bits, and rounds to nine digits as it should. Python writes numbers from 10⁹ on, those below 10⁻¹⁸, and what
  is not finite.

The GIL is released throughout, but for what Python does.
"""

from cpython.bytes cimport PyBytes_AsString, PyBytes_FromStringAndSize
from libc.math cimport ldexp
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memchr, memcpy

import numpy as np

cdef extern from *:
    """
    #include <stdint.h>
    /* Return a * b / 2^shift, rounded half to even; it must be less than 2^64, and shift from 0 to 63. */
    static inline uint64_t rounded_product(uint64_t a, uint64_t b, int shift) {
        unsigned __int128 product = (unsigned __int128)a * b, one = 1;
        uint64_t quotient = (uint64_t)(product >> shift);
        unsigned __int128 twice = 2 * (product & ((one << shift) - 1));
        return quotient + (twice > one << shift || (twice == one << shift && (quotient & 1)));
    }
    """
    uint64_t rounded_product(uint64_t a, uint64_t b, int shift) noexcept nogil
    int __builtin_clzll(unsigned long long x) noexcept nogil

cdef enum:
    LINE_FEED = 10
    SPACE = 32
    MOST_DIGITS = 19        # of a whole number below 2^64
    EXACT_POWER = 22        # the highest power of ten that is a double
    HIGHEST_POWER = 26      # twice that of which a power of five is less than 2^32
    HALF_POWER = 13
    LARGEST_EXPONENT = 9999
    DIGITS = 9              # significant digits that are written
    LONGEST_NUMBER = 16     # bytes of -1.23456789e-38 and the space before it
    LOG_2_AS_WHOLE = 78913  # log10(2) * 2^18
    LOG_2_SHIFT = 18
    LEAST_BINARY = -57      # nine digits of what is less than 2^-57 may take a higher power
    MOST_BINARY = 21

cdef double POWERS_OF_TEN[EXACT_POWER + 1]
cdef uint64_t POWERS_OF_FIVE[HIGHEST_POWER + 1]
cdef uint8_t PAIRS_OF_DIGITS[200]

for power in range(EXACT_POWER + 1):
    POWERS_OF_TEN[power] = 10.0**power
for power in range(HIGHEST_POWER + 1):
    POWERS_OF_FIVE[power] = 5**power
for digit in range(100):
    PAIRS_OF_DIGITS[2 * digit] = 48 + digit // 10
    PAIRS_OF_DIGITS[2 * digit + 1] = 48 + digit % 10


cdef inline bint is_digit(uint8_t c) noexcept nogil:
    return <uint8_t> (c - 48) < 10


cdef inline bint is_space(uint8_t c) noexcept nogil:
    return c == SPACE or 9 <= c <= 13


cdef uint64_t divide(uint64_t *number, uint64_t divisor) noexcept nogil:
    """Divide four digits to the base 2^32, the first the highest, by less than 2^32; return the remainder."""
    cdef uint64_t rest = 0
    for i in range(4):
        rest = rest << 32 | number[i]
        number[i] = rest // divisor
        rest %= divisor
    return rest


cdef double quotient(uint64_t whole, int64_t power) noexcept nogil:
    """Return whole / 10^power, rounded once; whole > 0, and power from 1 to `HIGHEST_POWER`."""
    cdef int shift = __builtin_clzll(whole)
    cdef uint64_t shifted = whole << shift
    cdef uint64_t[4] number
    number[0], number[1], number[2], number[3] = shifted >> 32, <uint32_t> shifted, 0, 0
    cdef uint64_t rest = divide(number, POWERS_OF_FIVE[min(power, HALF_POWER)])
    if power > HALF_POWER:
        rest |= divide(number, POWERS_OF_FIVE[power - HALF_POWER])
    cdef uint64_t high = number[0] << 32 | number[1], low = number[2] << 32 | number[3]
    cdef int more = __builtin_clzll(high)
    if more:
        high = high << more | low >> (64 - more)
        low <<= more
    # The lowest bit says whether anything is left below it, which is all that rounding needs to know.
    return ldexp(<double> (high | (low | rest != 0)), -more - shift - <int> power)


cdef double by_python(const uint8_t *number, int64_t length) except? -1 with gil:
    return float(PyBytes_FromStringAndSize(<const char *> number, length))


cdef const uint8_t *parse(const uint8_t *p, float *value) except? NULL nogil:
    """Parse the number at p; return where it ends, p if there is none."""
    cdef const uint8_t *start = p
    cdef const uint8_t *digits
    cdef uint64_t whole = 0
    cdef int64_t n_digits, exponent = 0, given = 0
    cdef bint falling
    cdef double result
    if p[0] == c"-" or p[0] == c"+":
        p += 1
    digits = p
    while is_digit(p[0]):
        whole = 10 * whole + (p[0] - 48)
        p += 1
    n_digits = p - digits
    if p[0] == c".":
        p += 1
        digits = p
        while is_digit(p[0]):
            whole = 10 * whole + (p[0] - 48)
            p += 1
        exponent = digits - p
        n_digits -= exponent
    if n_digits == 0:
        return start
    if p[0] == c"e" or p[0] == c"E":
        p += 1
        falling = p[0] == c"-"
        if falling or p[0] == c"+":
            p += 1
        digits = p
        while is_digit(p[0]):
            given = min(10 * given + (p[0] - 48), LARGEST_EXPONENT)
            p += 1
        if p == digits:
            return start
        exponent += -given if falling else given
    if not is_space(p[0]):
        return start
    if n_digits <= MOST_DIGITS and whole < <uint64_t> 1 << 53 and -EXACT_POWER <= exponent <= EXACT_POWER:
        if exponent < 0:
            result = <double> whole / POWERS_OF_TEN[-exponent]
        else:
            result = <double> whole * POWERS_OF_TEN[exponent]
    elif n_digits <= MOST_DIGITS and whole and -HIGHEST_POWER <= exponent < 0:
        result = quotient(whole, -exponent)
    else:
        value[0] = <float> by_python(start, p - start)
        return p
    value[0] = <float> (-result if start[0] == c"-" else result)
    return p


cdef const uint8_t *parse_line(
    const uint8_t *line, float *values, int64_t d, const uint8_t **name_end
) except? NULL nogil:
    """Parse a word and d numbers; return where the next line begins, `line` if this one is not regular."""
    cdef const uint8_t *p = line
    cdef const uint8_t *number
    cdef int64_t column
    while not is_space(p[0]):
        p += 1
    if p == line:
        return line
    name_end[0] = p
    for column in range(d):
        if p[0] != SPACE:
            return line
        while p[0] == SPACE:
            p += 1
        number = p
        p = parse(p, values + column)
        if p == number:
            return line
    while p[0] != LINE_FEED and is_space(p[0]):
        p += 1
    return p + 1 if p[0] == LINE_FEED else line


def read_text(const uint8_t[::1] text, float[:, ::1] values, int64_t[:, ::1] names):
    """Parse the first lines of a text, and return whether all are regular."""
    cdef int64_t n = values.shape[0], d = values.shape[1], row
    cdef const uint8_t *start
    cdef const uint8_t *line
    cdef const uint8_t *next_line
    cdef const uint8_t *name_end
    cdef bint regular = True
    check_shapes(n, d, names)
    if n == 0:
        return True
    if text.shape[0] == 0 or text[text.shape[0] - 1] != LINE_FEED:
        raise ValueError("text must end with a line feed")
    with nogil:
        start = line = &text[0]
        for row in range(n):
            if line == start + text.shape[0]:
                regular = False
                break
            next_line = parse_line(line, &values[row, 0], d, &name_end)
            if next_line == line:
                regular = False
                break
            names[row, 0] = line - start
            names[row, 1] = name_end - start
            line = next_line
    return regular


cdef uint8_t *put_by_python(uint8_t *p, float value) except NULL with gil:
    written = b"%.9g" % value
    memcpy(p, PyBytes_AsString(written), len(written))
    return p + len(written)


cdef uint8_t *put(uint8_t *p, float value) except NULL nogil:
    """Write a number as %.9g does; return where it ends."""
    cdef uint32_t bits
    cdef uint64_t whole, rounded
    cdef int64_t binary, power, exponent, n_digits, i
    cdef uint8_t[DIGITS + 1] digits  # after a first that is 0
    memcpy(&bits, &value, 4)
    binary = <int64_t> (bits >> 23 & 0xFF) - 127
    if bits << 1 and not LEAST_BINARY <= binary <= MOST_BINARY:
        return put_by_python(p, value)
    if bits >> 31:
        p[0] = c"-"
        p += 1
    if bits << 1 == 0:
        p[0] = c"0"
        return p + 1

    # The number is whole * 2^(binary - 23), and nine digits of it are the whole part of that times 10^power.
    whole = bits & 0x7FFFFF | 0x800000
    power = DIGITS - 1 - (binary * LOG_2_AS_WHOLE >> LOG_2_SHIFT)
    rounded = rounded_product(whole, POWERS_OF_FIVE[power], <int> (23 - binary - power))
    if rounded >= 1000000000:
        power -= 1
        rounded = rounded_product(whole, POWERS_OF_FIVE[power], <int> (23 - binary - power))
    for i in range(DIGITS - 1, 0, -2):
        memcpy(digits + i, &PAIRS_OF_DIGITS[2 * (rounded % 100)], 2)
        rounded //= 100
    digits[1] = <uint8_t> (48 + rounded)
    n_digits = DIGITS
    while digits[n_digits] == c"0":
        n_digits -= 1

    exponent = DIGITS - 1 - power
    if 0 <= exponent < DIGITS:
        memcpy(p, digits + 1, DIGITS)
        if n_digits <= exponent + 1:
            return p + exponent + 1
        p[exponent + 1] = c"."
        memcpy(p + exponent + 2, digits + 2 + exponent, DIGITS - 1 - exponent)
        return p + n_digits + 1
    if -4 <= exponent < 0:
        memcpy(p, b"0.000", 5)
        p += 1 - exponent
        memcpy(p, digits + 1, DIGITS)
        return p + n_digits
    p[0] = digits[1]
    p[1] = c"."
    memcpy(p + 2, digits + 2, DIGITS - 1)
    p += n_digits + 1 if n_digits > 1 else 1
    p[0] = c"e"
    p[1] = c"-"
    memcpy(p + 2, &PAIRS_OF_DIGITS[-2 * exponent], 2)
    return p + 4


def write_text(const uint8_t[::1] names, const int64_t[::1] offsets, const float[:, ::1] values):
    """Return rows as lines of text."""
    cdef int64_t n = values.shape[0], d = values.shape[1], row, column
    check_offsets(names, offsets, n, d)
    text = np.empty(names.shape[0] + n * (1 + d * LONGEST_NUMBER), np.uint8)
    if n == 0:
        return text
    cdef uint8_t[::1] view = text
    cdef uint8_t *start = &view[0]
    cdef uint8_t *p = start
    with nogil:
        for row in range(n):
            p = put_name(p, names, offsets, row)
            for column in range(d):
                p[0] = SPACE
                p = put(p + 1, values[row, column])
            p[0] = LINE_FEED
            p += 1
    return text[:p - start]


def read_records(const uint8_t[::1] content, bytes separator, uint8_t[:, ::1] values, int64_t[:, ::1] names):
    """Copy the first records that are there as a whole; return how many, and where they end."""
    cdef int64_t n = values.shape[0], size = values.shape[1], row = 0, at = 0
    cdef uint8_t mark = separator[0]
    cdef const uint8_t *start
    cdef const uint8_t *found
    check_shapes(n, size, names)
    if n and content.shape[0]:
        with nogil:
            start = &content[0]
            while row < n:
                found = <const uint8_t *> memchr(start + at, mark, content.shape[0] - at)
                if found is NULL or found + 1 + size > start + content.shape[0]:
                    break
                names[row, 0] = at
                names[row, 1] = found - start
                memcpy(&values[row, 0], found + 1, size)
                at = found + 1 + size - start
                row += 1
    return row, at


def write_records(
    const uint8_t[::1] names, const int64_t[::1] offsets, bytes separator, const uint8_t[:, ::1] values,
    bytes end
):
    """Return records as bytes."""
    cdef int64_t n = values.shape[0], size = values.shape[1], n_end = len(end), row
    cdef uint8_t mark = separator[0]
    cdef const char *ending = PyBytes_AsString(end)
    check_offsets(names, offsets, n, size)
    content = np.empty(names.shape[0] + n * (1 + size + n_end), np.uint8)
    if n == 0:
        return content
    cdef uint8_t[::1] view = content
    cdef uint8_t *p = &view[0]
    with nogil:
        for row in range(n):
            p = put_name(p, names, offsets, row)
            p[0] = mark
            memcpy(p + 1, &values[row, 0], size)
            memcpy(p + 1 + size, ending, n_end)
            p += 1 + size + n_end
    return content


cdef inline uint8_t *put_name(
    uint8_t *p, const uint8_t[::1] names, const int64_t[::1] offsets, int64_t row
) noexcept nogil:
    cdef int64_t length = offsets[row + 1] - offsets[row]
    if length:
        memcpy(p, &names[offsets[row]], length)
    return p + length


cdef int check_offsets(
    const uint8_t[::1] names, const int64_t[::1] offsets, int64_t n, int64_t n_columns
) except -1:
    if n_columns < 1:
        raise ValueError("values must have one column or more")
    if offsets.shape[0] != n + 1 or offsets[0] != 0 or offsets[n] != names.shape[0]:
        raise ValueError(f"offsets must be {n + 1} from 0 to {names.shape[0]}")
    return 0


cdef int check_shapes(int64_t n, int64_t n_columns, const int64_t[:, ::1] names) except -1:
    if n_columns < 1:
        raise ValueError("values must have one column or more")
    if names.shape[0] != n or names.shape[1] != 2:
        raise ValueError(f"names must have {n} rows of 2")
    return 0
