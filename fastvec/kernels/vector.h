/* Vector primitives of the kernels.
 *
 * `lanes` is one register of floats. What differs between instruction sets, its width among it, is in a header for
 * each, named as in ``fastvec/kernels/instruction_sets.py``:
 *
 *     LANES, REGISTERS              floats of a register, and the number of registers
 *     sum_of(v)                     of the floats of a register
 *     add_four(a0, a1, a2, a3)      in every group of four floats the sums of that group in a0..a3
 *     inverse_root(v)               1 / sqrt(v) for v > 0, relative error below 3e-7
 *     equal_lanes(a, b)             a bit for every place where they are equal
 *     look_up(table, index)         table[index] for sixteen floats of a table
 *
 * Rows of the matrices are padded to 16 floats, so that a row is a whole number of registers on every machine.
 */
#ifndef FASTVEC_VECTOR_H
#define FASTVEC_VECTOR_H

#if !defined(__GNUC__) && !defined(__clang__)
#error "fastvec needs GCC or Clang; on Windows clang-cl or the Clang of MinGW-w64"
#endif
#if defined(_WIN32) && defined(__AVX__) && !defined(__clang__)
#error "GCC misaligns AVX registers on the stack of Windows (its bug 54412): take Clang"
#endif

#include <math.h>
#include <stdint.h>

#define QUOTED(name) #name
#define HEADER_OF(set) QUOTED(set.h)
#include HEADER_OF(INSTRUCTION_SET)

/* The result type of functions that hold a loop over registers: inlined into a long function, the loop would
 * have its pointers moved to the stack. Cython declares all functions of a .pxd inline, and GCC remarks on it. */
#define noinline_void __attribute__((noinline)) void
/* That of a function with several callers, of which each wants its own version for constant arguments. */
#define inlined_void __attribute__((always_inline)) void
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wattributes"
#endif

static inline void prefetch_to_read(const void *p) { __builtin_prefetch(p); }
static inline void prefetch_to_write(const float *p) { __builtin_prefetch(p, 1, 3); }
static inline void prefetch_row(const float *row, intptr_t stride) {
    for (intptr_t k = 0; k < stride; k += 16) prefetch_to_write(row + k);
}

/* One finalizer of SplitMix64 (Steele, Lea and Flood 2014): a random 64-bit word for every counter. */
static inline uint64_t mix64(uint64_t z) {
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Copy n pointers, and up to 7 more behind them: eight at a time, so that their number is no branch to guess. */
static inline void copy_rows(float **to, float *const *from, intptr_t n) {
    for (intptr_t i = 0; i < n; i += 8) __builtin_memcpy(to + i, from + i, 8 * sizeof(float *));
}

/* How far before `end` the word stands last among the n words there, or 0. Up to LANES - 1 words before them
 * are read. */
static inline intptr_t last_distance(const int32_t *end, intptr_t n, int32_t word) {
    const int_lanes wanted = (int_lanes){0} + word;
    for (intptr_t i = 0; i < n; i += LANES) {
        uint32_t bits = equal_lanes((int_lanes)load((const float *)(end - i - LANES)), wanted);
        if (bits) {
            intptr_t distance = i + LANES - (31 - __builtin_clz(bits));
            return distance <= n ? distance : 0;
        }
    }
    return 0;
}

/* Whether one of n words occurs twice. Up to a register before and behind them is read. */
static inline int has_repeats(const int32_t *words, intptr_t n) {
    if (n <= LANES) {
        const int_lanes all = (int_lanes)load((const float *)words);
        const uint32_t theirs = ((uint32_t)1 << n) - 1;
        uint32_t repeats = 0;
        for (intptr_t i = 0; i < n; i++) {
            uint32_t bits = equal_lanes(all, (int_lanes){0} + words[i]) & theirs;
            repeats |= bits & (bits - 1);
        }
        return repeats != 0;
    }
    for (intptr_t i = 1; i < n; i++)
        if (last_distance(words + i, i, words[i])) return 1;
    return 0;
}

/* out[0..5] = the sums of a0..a5; out[6..7], and up to out[15], become anything */
static inline void store_six_sums(lanes a0, lanes a1, lanes a2, lanes a3, lanes a4, lanes a5, float *out) {
    lanes low = add_four(a0, a1, a2, a3), high = add_four(a4, a5, a4, a5);
#if LANES == 16
    lanes half = add_group_pairs(low, high);
    store(out, SHUFFLE(half, half, 0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11)
             + SHUFFLE(half, half, 4, 5, 6, 7, 12, 13, 14, 15, 4, 5, 6, 7, 12, 13, 14, 15));
#elif LANES == 8
    store(out, add_group_neighbours(low, high));
#else
    store(out, low);
    store(out + 4, high);
#endif
}

/* out[0..5] = the sums of a0..a5, out[8..13] = those of b0..b5; out[6..7] and out[14..15] become anything */
static inline void store_twelve_sums(lanes a0, lanes a1, lanes a2, lanes a3, lanes a4, lanes a5,
                                     lanes b0, lanes b1, lanes b2, lanes b3, lanes b4, lanes b5, float *out) {
#if LANES == 16
    lanes a_low = add_four(a0, a1, a2, a3), a_high = add_four(a4, a5, a4, a5);
    lanes b_low = add_four(b0, b1, b2, b3), b_high = add_four(b4, b5, b4, b5);
    store(out, add_group_neighbours(add_group_pairs(a_low, b_low), add_group_pairs(a_high, b_high)));
#else
    store_six_sums(a0, a1, a2, a3, a4, a5, out);
    store_six_sums(b0, b1, b2, b3, b4, b5, out + 8);
#endif
}

/* ---- The sigmoid's table ------------------------------------------------------------------------------
 *
 * sigma(z) - 1/2 is odd. On [0, 8) it is tabulated as 16 cubics in u = 2|z| - segment - 1/2, coefficient by
 * coefficient: sixteen floats are one AVX-512 register, so that a look-up is one permutation of it. The absolute
 * error is below 3e-6; an exponential would cost more than the products. Outside, the value at the edge is kept: the
 * gradient saturates, it does not vanish.
 */
#define SEGMENTS 16
#define SIGMOID_RANGE 8.0f

static float sigmoid_table[4 * SEGMENTS] __attribute__((aligned(64)));

/* Interpolate at the four Chebyshev points of every segment, in Newton's form multiplied out. */
static inline void fill_sigmoid_table(void) {
    const double width = SIGMOID_RANGE / SEGMENTS;
    for (int segment = 0; segment < SEGMENTS; segment++) {
        double u[4], difference[4], power[4] = {0};
        for (int i = 0; i < 4; i++) {
            u[i] = 0.5 * cos((2 * i + 1) * 3.14159265358979323846 / 8);
            difference[i] = 0.5 * tanh((segment + 0.5 + u[i]) * width / 2);
        }
        for (int order = 1; order < 4; order++)
            for (int i = 3; i >= order; i--)
                difference[i] = (difference[i] - difference[i - 1]) / (u[i] - u[i - order]);
        for (int i = 3; i >= 0; i--) { /* power(u) = power(u) * (u - u[i]) + difference[i] */
            for (int degree = 3; degree > 0; degree--) power[degree] = power[degree - 1] - u[i] * power[degree];
            power[0] = difference[i] - u[i] * power[0];
        }
        for (int degree = 0; degree < 4; degree++) sigmoid_table[degree * SEGMENTS + segment] = (float)power[degree];
    }
}

static inline lanes sigmoid(lanes z) {
    const float *table = sigmoid_table;
    const int_lanes sign_bit = (int_lanes){0} + INT32_MIN;
    const lanes last = broadcast(SEGMENTS - 0.0001f);
    int_lanes sign = (int_lanes)z & sign_bit;
    lanes scaled = (lanes)((int_lanes)z & ~sign_bit) * (SEGMENTS / SIGMOID_RANGE);
    int_lanes below = scaled < last;
    scaled = (lanes)(((int_lanes)scaled & below) | ((int_lanes)last & ~below));
    int_lanes segment = __builtin_convertvector(scaled, int_lanes);
    lanes u = scaled - __builtin_convertvector(segment, lanes) - 0.5f;
    lanes half = look_up(table + 3 * SEGMENTS, segment);
    half = half * u + look_up(table + 2 * SEGMENTS, segment);
    half = half * u + look_up(table + SEGMENTS, segment);
    half = half * u + look_up(table, segment);
    return (lanes)((int_lanes)half | sign) + 0.5f;
}

/* e^z for z <= 0, relative error below 2e-7, and at least e^-87: 2^n times a polynomial, |z - n log 2| <= log 2 / 2 */
static inline lanes exp_of_negative(lanes z) {
    const float shift = 12582912.0f; /* 1.5 * 2^23: what is added to it is rounded to a whole number */
    z = larger(z, broadcast(-87.0f));
    lanes shifted = z * 1.44269504f + shift;
    lanes n = shifted - shift;
    lanes r = z - n * 0.693359375f;
    r = r + n * 2.12194440e-4f; /* 0.693359375 - log 2 */
    lanes p = broadcast(1.0f / 720);
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    return (lanes)((int_lanes)p + ((int_lanes)shifted << 23));
}

#endif
