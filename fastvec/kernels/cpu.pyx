"""Which features this processor has, as far as the operating system lets them be used."""

cdef extern from *:
    """
    #if defined(__x86_64__)
    #include <cpuid.h>

    enum { SSE_STATE = 1 << 1, AVX_STATE = 1 << 2, AVX512_STATE = 7 << 5 };

    /* The registers that the system saves when it switches threads: XCR0. */
    static unsigned int fastvec_saved_state(void) {
        unsigned int a, b, c, d;
        if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return 0;
        __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    #if defined(__APPLE__)
        a |= AVX512_STATE; /* macOS saves these from a thread's first use on, and tells so only then */
    #endif
        return a;
    }
    static int fastvec_saves(unsigned int state) { return (fastvec_saved_state() & state) == state; }

    /* Register eax, ebx, ecx or edx (0 to 3) as CPUID fills it for a leaf; 0 where there is no such leaf. */
    static unsigned int fastvec_cpuid(unsigned int leaf, int place) {
        unsigned int out[4] = {0, 0, 0, 0};
        if (!__get_cpuid_count(leaf, 0, &out[0], &out[1], &out[2], &out[3])) return 0;
        return out[place];
    }
    #define FASTVEC_X86_64 1
    #define FASTVEC_AARCH64 0
    #else
    enum { SSE_STATE, AVX_STATE, AVX512_STATE };
    static int fastvec_saves(unsigned int state) { (void)state; return 0; }
    static unsigned int fastvec_cpuid(unsigned int leaf, int place) { (void)leaf; (void)place; return 0; }
    #define FASTVEC_X86_64 0
    #if defined(__aarch64__) || defined(_M_ARM64)
    #define FASTVEC_AARCH64 1
    #else
    #define FASTVEC_AARCH64 0
    #endif
    #endif
    """
    const unsigned int SSE_STATE, AVX_STATE, AVX512_STATE
    const bint FASTVEC_X86_64, FASTVEC_AARCH64
    bint fastvec_saves(unsigned int state)
    unsigned int fastvec_cpuid(unsigned int leaf, int place)

EBX, ECX = 1, 2
# name: leaf of CPUID, register, bit (Intel's and AMD's manuals, under CPUID)
GENERAL = {"bmi1": (7, EBX, 3), "bmi2": (7, EBX, 8), "lzcnt": (0x80000001, ECX, 5), "movbe": (1, ECX, 22)}
AVX = {"avx2": (7, EBX, 5), "f16c": (1, ECX, 29), "fma": (1, ECX, 12)}
AVX512 = {
    "avx512f": (7, EBX, 16),
    "avx512dq": (7, EBX, 17),
    "avx512cd": (7, EBX, 28),
    "avx512bw": (7, EBX, 30),
    "avx512vl": (7, EBX, 31),
}


def architecture():
    """Return the architecture that this was compiled for, if it is one of the table's: ``""`` if not."""
    return "x86_64" if FASTVEC_X86_64 else "aarch64" if FASTVEC_AARCH64 else ""


def features():
    """Return the names of the features that can be used here, of those that `INSTRUCTION_SETS` needs."""
    if FASTVEC_AARCH64:
        return frozenset({"neon"})  # a part of every AArch64 processor
    usable = dict(GENERAL) if FASTVEC_X86_64 else {}
    if fastvec_saves(SSE_STATE | AVX_STATE):
        usable |= AVX
    if fastvec_saves(SSE_STATE | AVX_STATE | AVX512_STATE):
        usable |= AVX512
    return frozenset(
        name for name, (leaf, register, bit) in usable.items() if fastvec_cpuid(leaf, register) >> bit & 1
    )
