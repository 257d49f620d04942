/* Products of two small matrices by blocks held in registers: X Yᵀ, and Zᵀ X.
 *
 * Rows are `stride` floats apart, a whole number of registers. A block is a number of accumulators that the
 * compiler has to know, so that it unrolls the loops over it: every function here is one for constant N and M.
 */
#ifndef FASTVEC_PRODUCTS_H
#define FASTVEC_PRODUCTS_H

#include "vector.h"

/* Four accumulators for each row of y, and four or five registers besides. */
#define DOT_ROWS (REGISTERS == 32 ? 6 : 2)
/* Registers of x, each of which is added to every row of a sum. */
#define SUM_ROWS (REGISTERS == 32 ? 6 : 4)
#define SUM_COLUMNS (REGISTERS == 32 ? 4 : 2)
#define MOST_ROWS 6
#define MOST_COLUMNS 4

typedef float four_floats __attribute__((vector_size(16)));
typedef float four_in_memory __attribute__((vector_size(16), aligned(4), may_alias));

/* out[0..3] = the sums of a0..a3 */
static inline void store_four_sums(lanes a0, lanes a1, lanes a2, lanes a3, float *out) {
    union { lanes all; four_floats groups[LANES / 4]; } sums = {add_four(a0, a1, a2, a3)};
    four_floats total = sums.groups[0];
    for (int i = 1; i < LANES / 4; i++) total += sums.groups[i];
    *(four_in_memory *)out = total;
}

/* out[n * out_stride + c] = x_c · y_n for four rows of x and N rows of y */
static inline inlined_void dot_block(const float *x, const float *y, intptr_t stride, float *out,
                                     intptr_t out_stride, const int N) {
    lanes a[MOST_ROWS][4];
#pragma GCC unroll 6
    for (int n = 0; n < N; n++) a[n][0] = a[n][1] = a[n][2] = a[n][3] = broadcast(0);
    for (intptr_t k = 0; k < stride; k += LANES) {
        const lanes x0 = load(x + k), x1 = load(x + stride + k);
        const lanes x2 = load(x + 2 * stride + k), x3 = load(x + 3 * stride + k);
#pragma GCC unroll 6
        for (int n = 0; n < N; n++) {
            const lanes v = load_once(y + n * stride + k);
            a[n][0] += x0 * v;
            a[n][1] += x1 * v;
            a[n][2] += x2 * v;
            a[n][3] += x3 * v;
        }
    }
#pragma GCC unroll 6
    for (int n = 0; n < N; n++) store_four_sums(a[n][0], a[n][1], a[n][2], a[n][3], out + n * out_stride);
}

/* out[n * out_stride + c] = x_c · y_n for n_x rows of x, a multiple of four, and n_y rows of y */
static inline noinline_void dot_rows(const float *x, intptr_t n_x, const float *y, intptr_t n_y, intptr_t stride,
                                     float *out, intptr_t out_stride) {
    intptr_t n = 0;
    for (; n + DOT_ROWS <= n_y; n += DOT_ROWS)
        for (intptr_t c = 0; c < n_x; c += 4)
            dot_block(x + c * stride, y + n * stride, stride, out + n * out_stride + c, out_stride, DOT_ROWS);
    for (; n + 2 <= n_y; n += 2)
        for (intptr_t c = 0; c < n_x; c += 4)
            dot_block(x + c * stride, y + n * stride, stride, out + n * out_stride + c, out_stride, 2);
    for (; n < n_y; n++)
        for (intptr_t c = 0; c < n_x; c += 4)
            dot_block(x + c * stride, y + n * stride, stride, out + n * out_stride + c, out_stride, 1);
}

/* sums_n += Σ_c z[n * z_stride + c] x_c for N rows of sums and M registers of columns */
static inline inlined_void sum_block(const float *x, intptr_t n_x, intptr_t stride, const float *z,
                                     intptr_t z_stride, float *sums, const int N, const int M) {
    lanes a[MOST_ROWS][MOST_COLUMNS];
#pragma GCC unroll 6
    for (int n = 0; n < N; n++) {
#pragma GCC unroll 4
        for (int m = 0; m < M; m++) a[n][m] = load(sums + n * stride + m * LANES);
    }
    for (intptr_t c = 0; c < n_x; c++) {
        lanes v[MOST_COLUMNS];
#pragma GCC unroll 4
        for (int m = 0; m < M; m++) v[m] = load(x + c * stride + m * LANES);
#pragma GCC unroll 6
        for (int n = 0; n < N; n++) {
            const lanes factor = broadcast(z[n * z_stride + c]);
#pragma GCC unroll 4
            for (int m = 0; m < M; m++) a[n][m] += factor * v[m];
        }
    }
#pragma GCC unroll 6
    for (int n = 0; n < N; n++) {
#pragma GCC unroll 4
        for (int m = 0; m < M; m++) store(sums + n * stride + m * LANES, a[n][m]);
    }
}

/* The same for all of n_sums rows, and M registers of columns */
static inline inlined_void sum_columns(const float *x, intptr_t n_x, intptr_t stride, const float *z,
                                       intptr_t z_stride, float *sums, intptr_t n_sums, const int M) {
    intptr_t n = 0;
    for (; n + SUM_ROWS <= n_sums; n += SUM_ROWS)
        sum_block(x, n_x, stride, z + n * z_stride, z_stride, sums + n * stride, SUM_ROWS, M);
    for (; n + 2 <= n_sums; n += 2)
        sum_block(x, n_x, stride, z + n * z_stride, z_stride, sums + n * stride, 2, M);
    for (; n < n_sums; n++)
        sum_block(x, n_x, stride, z + n * z_stride, z_stride, sums + n * stride, 1, M);
}

/* sums_n += Σ_c z[n * z_stride + c] x_c for n_x rows of x and n_sums rows of sums */
static inline noinline_void add_weighted_rows(const float *x, intptr_t n_x, intptr_t stride, const float *z,
                                              intptr_t z_stride, float *sums, intptr_t n_sums) {
    intptr_t k = 0;
    for (; k + SUM_COLUMNS * LANES <= stride; k += SUM_COLUMNS * LANES)
        sum_columns(x + k, n_x, stride, z, z_stride, sums + k, n_sums, SUM_COLUMNS);
    if (stride - k == 3 * LANES) {
        sum_columns(x + k, n_x, stride, z, z_stride, sums + k, n_sums, 3);
    } else if (stride - k == 2 * LANES) {
        sum_columns(x + k, n_x, stride, z, z_stride, sums + k, n_sums, 2);
    } else if (stride - k == LANES) {
        sum_columns(x + k, n_x, stride, z, z_stride, sums + k, n_sums, 1);
    }
}

#endif
