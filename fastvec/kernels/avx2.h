/* The primitives for AVX2: eight floats in each of sixteen registers. */
#define LANES 8
#define REGISTERS 16
#include "lanes.h"
#include "sums.h"

#include <immintrin.h>

static inline float sum_of(lanes v) {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128((__m256)v), _mm256_extractf128_ps((__m256)v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}
static inline lanes inverse_root(lanes v) {
    return improve_inverse_root((lanes)_mm256_rsqrt_ps((__m256)v), v);
}
static inline uint32_t equal_lanes(int_lanes a, int_lanes b) {
    return (uint32_t)_mm256_movemask_ps((__m256)(a == b));
}
static inline lanes look_up(const float *table, int_lanes index) {
    __m256 low = _mm256_permutevar8x32_ps((__m256)load(table), (__m256i)index);
    __m256 high = _mm256_permutevar8x32_ps((__m256)load(table + 8), (__m256i)index);
    return (lanes)_mm256_blendv_ps(low, high, (__m256)(index << 28));
}
