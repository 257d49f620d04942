/* Sums of four registers at once, by shuffles: for instruction sets that do not add neighbours in one instruction.
 *
 * Each step adds two halves of two registers into one, so that 16 registers need 15 steps of one blend, one
 * shuffle and one addition, instead of 16 times 4 steps. The order of arguments makes the sums come out in order.
 */
#ifndef FASTVEC_SUMS_H
#define FASTVEC_SUMS_H

#include "lanes.h"

#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (int_lanes){__VA_ARGS__})
#endif

#if LANES == 16
/* [a0+a2, a1+a3, b0+b2, b1+b3] in every group of four */
static inline lanes add_pairs(lanes a, lanes b) {
    return SHUFFLE(a, b, 0, 1, 18, 19, 4, 5, 22, 23, 8, 9, 26, 27, 12, 13, 30, 31)
         + SHUFFLE(a, b, 2, 3, 16, 17, 6, 7, 20, 21, 10, 11, 24, 25, 14, 15, 28, 29);
}
/* [a0+a1, b0+b1, a2+a3, b2+b3] in every group of four */
static inline lanes add_neighbours(lanes a, lanes b) {
    return SHUFFLE(a, b, 0, 17, 2, 19, 4, 21, 6, 23, 8, 25, 10, 27, 12, 29, 14, 31)
         + SHUFFLE(a, b, 1, 16, 3, 18, 5, 20, 7, 22, 9, 24, 11, 26, 13, 28, 15, 30);
}
/* groups of four [a0+a2, a1+a3, b0+b2, b1+b3] */
static inline lanes add_group_pairs(lanes a, lanes b) {
    return SHUFFLE(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31)
         + SHUFFLE(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23);
}
/* groups of four [a0+a1, b0+b1, a2+a3, b2+b3] */
static inline lanes add_group_neighbours(lanes a, lanes b) {
    return SHUFFLE(a, b, 0, 1, 2, 3, 20, 21, 22, 23, 8, 9, 10, 11, 28, 29, 30, 31)
         + SHUFFLE(a, b, 4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15, 24, 25, 26, 27);
}
#elif LANES == 8
static inline lanes add_pairs(lanes a, lanes b) {
    return SHUFFLE(a, b, 0, 1, 10, 11, 4, 5, 14, 15) + SHUFFLE(a, b, 2, 3, 8, 9, 6, 7, 12, 13);
}
static inline lanes add_neighbours(lanes a, lanes b) {
    return SHUFFLE(a, b, 0, 9, 2, 11, 4, 13, 6, 15) + SHUFFLE(a, b, 1, 8, 3, 10, 5, 12, 7, 14);
}
/* groups of four [a0+a1, b0+b1] */
static inline lanes add_group_neighbours(lanes a, lanes b) {
    return SHUFFLE(a, b, 0, 1, 2, 3, 12, 13, 14, 15) + SHUFFLE(a, b, 4, 5, 6, 7, 8, 9, 10, 11);
}
#elif LANES == 4
/* [a0+a2, a1+a3, b0+b2, b1+b3] */
static inline lanes add_pairs(lanes a, lanes b) { return SHUFFLE(a, b, 0, 1, 6, 7) + SHUFFLE(a, b, 2, 3, 4, 5); }
/* [a0+a1, b0+b1, a2+a3, b2+b3] */
static inline lanes add_neighbours(lanes a, lanes b) {
    return SHUFFLE(a, b, 0, 5, 2, 7) + SHUFFLE(a, b, 1, 4, 3, 6);
}
#else
#error "the shuffles of registers with this number of floats are not written"
#endif

static inline lanes add_four(lanes a0, lanes a1, lanes a2, lanes a3) {
    return add_neighbours(add_pairs(a0, a2), add_pairs(a1, a3));
}

#endif
