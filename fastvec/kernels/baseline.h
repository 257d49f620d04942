/* The primitives in the compiler's own vectors, for any processor: four floats fit a register everywhere. */
#define LANES 4
#define REGISTERS 16
#include "lanes.h"
#include "sums.h"

#include <math.h>

static inline float sum_of(lanes v) { return (v[0] + v[2]) + (v[1] + v[3]); }
static inline lanes inverse_root(lanes v) {
    lanes y;
    for (int i = 0; i < LANES; i++) y[i] = 1 / sqrtf(v[i]);
    return y;
}
static inline uint32_t equal_lanes(int_lanes a, int_lanes b) {
    uint32_t bits = 0;
    for (int i = 0; i < LANES; i++) bits |= (uint32_t)(a[i] == b[i]) << i;
    return bits;
}
static inline lanes look_up(const float *table, int_lanes index) {
    lanes out;
    for (int i = 0; i < LANES; i++) out[i] = table[index[i]];
    return out;
}
