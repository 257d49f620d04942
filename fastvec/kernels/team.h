/* Threads that share the tasks of a phase, and wait for each other at its end.
 *
 * Every thread has a task of its own, which it takes first. One that has nothing left to do waits some microseconds,
 * which is longer than the others take if they are running; then it takes the tasks of those that have not come, since
 * the system may run something else on their processor. So threads never wait for one that does not run, unless it was
 * stopped in the middle of a task. Who does a task makes no difference to what is computed.
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
#define PAUSE() (void)0
#endif

enum { SPINS = 200, MANY_SPINS = 2000 };

/* What all threads of a team share, in zeros at first; numbers that different threads write are on different pairs of
 * cache lines. As in fastvec/training/team.py. */
typedef struct {
    uint64_t abandoned;     /* a thread has gone away: the others are not to wait */
    uint64_t after_abandoned[15];
    uint64_t arrived;       /* threads that have come to the end of their calls */
    uint64_t after_arrived[15];
    double losses[2];       /* of the tasks of a call, by turns */
    uint64_t after_losses[14];
    struct {
        uint64_t taken;     /* the last phase whose task of this number is taken */
        uint64_t done;      /* the last one whose is done */
        uint64_t after_done[14];
    } tasks[];
} Shared;

static inline void abandon(Shared *shared) { __atomic_store_n(&shared->abandoned, 1, __ATOMIC_RELEASE); }

/* Take a task of a phase; whether it was to be taken: the same task of the phase before is done, and nobody else has
 * taken it. Phases count from 1. */
static inline int take_task(Shared *shared, intptr_t task, uint64_t phase) {
    uint64_t before = phase - 1;
    return __atomic_load_n(&shared->tasks[task].done, __ATOMIC_ACQUIRE) == before
        && __atomic_compare_exchange_n(
            &shared->tasks[task].taken, &before, phase, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void finish_task(Shared *shared, intptr_t task, uint64_t phase) {
    __atomic_store_n(&shared->tasks[task].done, phase, __ATOMIC_RELEASE);
}

/* Whether a task of a phase is taken, within some microseconds if `patient`. */
static inline int is_taken(const Shared *shared, intptr_t task, uint64_t phase, int patient) {
    for (int spins = 0; __atomic_load_n(&shared->tasks[task].taken, __ATOMIC_RELAXED) < phase; spins++) {
        if (!patient || spins == SPINS) return 0;
        PAUSE();
    }
    return 1;
}

/* Wait until a number has reached another; return 0, or -1 if a thread has gone away. */
static inline int wait_until(const Shared *shared, const uint64_t *number, uint64_t wanted) {
    for (int spins = 0; __atomic_load_n(number, __ATOMIC_ACQUIRE) < wanted; spins++) {
        if (spins < MANY_SPINS) {
            PAUSE();
        } else {
            if (__atomic_load_n(&shared->abandoned, __ATOMIC_ACQUIRE)) return -1;
            let_others_run();
        }
    }
    return 0;
}

/* Wait until all tasks of a phase are done; return 0, or -1 if a thread has gone away. */
static inline int wait_for_tasks(const Shared *shared, intptr_t n_tasks, uint64_t phase) {
    for (intptr_t task = 0; task < n_tasks; task++) {
        if (wait_until(shared, &shared->tasks[task].done, phase) != 0) return -1;
    }
    return 0;
}

/* Come to the end of call number `call`, from 1 on, and wait for all threads. */
static inline int meet(Shared *shared, uint64_t call, intptr_t n_threads) {
    __atomic_fetch_add(&shared->arrived, 1, __ATOMIC_ACQ_REL);
    return wait_until(shared, &shared->arrived, call * (uint64_t)n_threads);
}

#endif
