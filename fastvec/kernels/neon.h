/* The primitives for AArch64's Advanced SIMD (NEON): four floats in each of 32 registers. */
#define LANES 4
#define REGISTERS 32
#include "lanes.h"

#include <arm_neon.h>

static inline float sum_of(lanes v) { return vaddvq_f32((float32x4_t)v); }
static inline lanes add_four(lanes a0, lanes a1, lanes a2, lanes a3) {
    float32x4_t low = vpaddq_f32((float32x4_t)a0, (float32x4_t)a1);
    float32x4_t high = vpaddq_f32((float32x4_t)a2, (float32x4_t)a3);
    return (lanes)vpaddq_f32(low, high);
}
/* The processor's estimate has 8 bits, and each of the steps of Newton's method twice as many. */
static inline lanes inverse_root(lanes v) {
    float32x4_t x = (float32x4_t)v, y = vrsqrteq_f32(x);
    y = vmulq_f32(y, vrsqrtsq_f32(vmulq_f32(x, y), y));
    return (lanes)vmulq_f32(y, vrsqrtsq_f32(vmulq_f32(x, y), y));
}
static inline uint32_t equal_lanes(int_lanes a, int_lanes b) {
    const uint32x4_t place = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(vceqq_s32((int32x4_t)a, (int32x4_t)b), place));
}
/* Sixteen floats are the 64 bytes that one look-up of bytes reaches. */
static inline lanes look_up(const float *table, int_lanes index) {
    const int_lanes first_byte = index * 0x04040404 + 0x03020100;
    return (lanes)vqtbl4q_u8(vld1q_u8_x4((const uint8_t *)table), (uint8x16_t)first_byte);
}
