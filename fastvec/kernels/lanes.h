/* A register of floats, in GCC's and Clang's vector extension: what depends on its width alone.
 *
 * Included by the header of an instruction set, which has said how many floats a register holds: LANES.
 */
#ifndef FASTVEC_LANES_H
#define FASTVEC_LANES_H

#include <stdint.h>

typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t int_lanes __attribute__((vector_size(4 * LANES)));
typedef float memory_lanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

static inline lanes load(const float *p) { return *(const memory_lanes *)p; }
/* Into a register, where the compiler would rather read memory again at each of several uses; in this order, where
 * it would rather load all rows of a tile first, for which there are not enough registers. */
static inline lanes load_once(const float *p) {
    lanes v = load(p);
#if defined(__x86_64__)
    __asm__("" : "+v"(v));
#elif defined(__aarch64__)
    __asm__ volatile("" : "+w"(v));
#endif
    return v;
}
static inline void store(float *p, lanes v) { *(memory_lanes *)p = v; }
static inline lanes broadcast(float s) { return s - (lanes){0}; }
/* p[n], one of the eight numbers that start at p */
static inline lanes broadcast_one_of(const float *p, int n) {
#if defined(__aarch64__) /* multiply-adds take it from its place in a register: two loads bring all eight */
    lanes v = load(p + n / LANES * LANES);
    __asm__("" : "+w"(v));
    return broadcast(v[n % LANES]);
#else
    return broadcast(p[n]);
#endif
}
static inline lanes larger(lanes a, lanes b) {
    int_lanes above = a > b;
    return (lanes)(((int_lanes)a & above) | ((int_lanes)b & ~above));
}
/* One step of Newton's method from an estimate y of 1 / sqrt(v). It squares the relative error. */
static inline lanes improve_inverse_root(lanes y, lanes v) { return y * (1.5f - (0.5f * v * y) * y); }

#endif
