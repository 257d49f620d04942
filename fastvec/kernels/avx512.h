/* The primitives for AVX-512: sixteen floats in each of 32 registers. */
#define LANES 16
#define REGISTERS 32
#include "lanes.h"
#include "sums.h"

#include <immintrin.h>

static inline float sum_of(lanes v) { return _mm512_reduce_add_ps((__m512)v); }
static inline lanes inverse_root(lanes v) {
    return improve_inverse_root((lanes)_mm512_rsqrt14_ps((__m512)v), v);
}
static inline uint32_t equal_lanes(int_lanes a, int_lanes b) {
    return (uint32_t)_mm512_cmpeq_epi32_mask((__m512i)a, (__m512i)b);
}
static inline lanes look_up(const float *table, int_lanes index) {
    return (lanes)_mm512_permutexvar_ps((__m512i)index, (__m512)load(table));
}
