/* What Swift cannot say itself: prefetch, the denormal mode, the processor's instruction sets.

   Functions are `static inline` and always inlined where they become a few instructions in their
   Swift caller; so they leave no symbol behind. */
#ifndef CINTRINSICS_H
#define CINTRINSICS_H

#include <stdbool.h>
#include <stdint.h>

#define CINTRINSICS_INLINE static inline __attribute__((always_inline))

/* Asks for the cache line at `address`, which will be read, in the second-level cache. A hint: any
   address is harmless. */
CINTRINSICS_INLINE void prefetchToL2(const void *_Nullable address) {
  __builtin_prefetch(address, 0, 2);
}

/* The same, in the first-level cache. */
CINTRINSICS_INLINE void prefetchToL1(const void *_Nullable address) {
  __builtin_prefetch(address, 0, 3);
}

/* Tells the processor that this thread waits for another one's write. */
CINTRINSICS_INLINE void spinPause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* The calling thread's floating-point control register: MXCSR (x86-64) or FPCR (arm64). */
CINTRINSICS_INLINE uint64_t readFloatingPointMode(void) {
#if defined(__x86_64__)
  return __builtin_ia32_stmxcsr();
#elif defined(__aarch64__)
  uint64_t mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
#else
  return 0;
#endif
}

/* Sets the calling thread's floating-point control register. */
CINTRINSICS_INLINE void setFloatingPointMode(uint64_t mode) {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr((unsigned)mode);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(mode));
#else
  (void)mode;
#endif
}

/* `mode` with denormal results flushed to zero and denormal inputs read as zero. */
CINTRINSICS_INLINE uint64_t flushingDenormals(uint64_t mode) {
#if defined(__x86_64__)
  return mode | 0x8040; /* flush to zero, denormals are zero */
#elif defined(__aarch64__)
  return mode | ((uint64_t)1 << 24); /* FZ: both */
#else
  return mode;
#endif
}

/* Whether processor and operating system run code for x86-64-v3 (AVX2, FMA). */
CINTRINSICS_INLINE bool supportsAVX2(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("lzcnt") && __builtin_cpu_supports("movbe") &&
         __builtin_cpu_supports("f16c");
#else
  return false;
#endif
}

/* Whether processor and operating system run code for x86-64-v4 (AVX-512 F, BW, CD, DQ, VL). */
CINTRINSICS_INLINE bool supportsAVX512(void) {
#if defined(__x86_64__)
  return supportsAVX2() && __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

/* The processors that this process may use, which may be fewer than are online. */
int availableProcessors(void);

#endif
