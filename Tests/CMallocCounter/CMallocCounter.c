#include "CMallocCounter.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

static _Atomic bool isArmed;
static _Atomic bool isAborting;
static _Atomic int64_t count;
static _Thread_local int64_t threadBytes;

void armMallocCounter(void) {
  atomic_store(&count, 0);
  atomic_store(&isArmed, true);
}

int64_t disarmMallocCounter(void) {
  atomic_store(&isArmed, false);
  return atomic_load(&count);
}

void abortOnMalloc(bool aborts) { atomic_store(&isAborting, aborts); }

int64_t bytesAllocatedByThread(void) { return threadBytes; }

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER
#endif
#endif

/* Sanitizers take the place of these functions themselves. */
#if defined(__GLIBC__) && !defined(HAS_SANITIZER)

bool isCountingMalloc(void) { return true; }

static inline void countOne(size_t size) {
  threadBytes += (int64_t)size;
  if (!atomic_load_explicit(&isArmed, memory_order_relaxed)) return;
  atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
  if (atomic_load_explicit(&isAborting, memory_order_relaxed)) {
    atomic_store(&isArmed, false);
    abort();
  }
}

/* glibc's own names for its functions; what they return goes to its `free`. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t number, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
  countOne(size);
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  countOne(number * size);
  return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
  countOne(size);
  return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
  countOne(size);
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
  if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) {
    return EINVAL;
  }
  void *memory = memalign(alignment, size);
  if (memory == NULL) return ENOMEM;
  *result = memory;
  return 0;
}

#else

bool isCountingMalloc(void) { return false; }

#endif
