/* Threads that meet: a barrier on numbers that they share, each on a cache line of its own.
 *
 * Those who wait spin for some microseconds, which is how long the others usually take, and then let other threads
 * have the processor.
 */
#ifndef FASTVEC_TEAM_H
#define FASTVEC_TEAM_H

#include <stdint.h>
#if defined(_WIN32)
#include <windows.h>
static inline void let_others_run(void) { SwitchToThread(); }
#else
#include <sched.h>
static inline void let_others_run(void) { sched_yield(); }
#endif

#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("yield")
#else
#define PAUSE()
#endif

/* Places in the shared numbers, as in fastvec/training/team.py. */
enum { ARRIVED = 0, MEETING = 16, ABANDONED = 32, SHARED = 48 };

/* Wait for all of `n` threads; return 0, or -1 if one has gone away. */
static inline int wait_for_all(uint64_t *shared, intptr_t n) {
    if (n == 1) return 0;
    const uint64_t meeting = __atomic_load_n(shared + MEETING, __ATOMIC_RELAXED);
    if (__atomic_add_fetch(shared + ARRIVED, 1, __ATOMIC_ACQ_REL) == (uint64_t)n) {
        __atomic_store_n(shared + ARRIVED, 0, __ATOMIC_RELAXED);
        __atomic_store_n(shared + MEETING, meeting + 1, __ATOMIC_RELEASE);
        return 0;
    }
    for (intptr_t spins = 0; __atomic_load_n(shared + MEETING, __ATOMIC_ACQUIRE) == meeting; spins++) {
        if (spins < 2000) {
            PAUSE();
        } else {
            if (__atomic_load_n(shared + ABANDONED, __ATOMIC_ACQUIRE)) return -1;
            let_others_run();
        }
    }
    return 0;
}

#endif
