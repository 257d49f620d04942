"""Which instruction sets this processor and its operating system run."""

cdef extern from *:
    """
    #if defined(__x86_64__)
    /* __builtin_cpu_supports asks XGETBV too: a set counts only when the system saves its registers. */
    static int fastvec_runs_avx2(void) {
        __builtin_cpu_init();
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
            && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    }
    static int fastvec_runs_avx512(void) {
        return fastvec_runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512vl");
    }
    #else
    static int fastvec_runs_avx2(void) { return 0; }
    static int fastvec_runs_avx512(void) { return 0; }
    #endif
    """
    bint fastvec_runs_avx2()
    bint fastvec_runs_avx512()


def instruction_sets():
    """Return the names of the sets that run here, slowest first: ``("baseline", "avx2", "avx512")``."""
    names = ["baseline"]
    if fastvec_runs_avx2():
        names.append("avx2")
    if fastvec_runs_avx512():
        names.append("avx512")
    return tuple(names)
