/* Counts allocations: those of the whole process, for tests that claim there are none, and the bytes
   of one thread, for tests of how much is done.

   Linked into an executable, this target's `malloc` and its relatives take the place of the C
   library's, on all threads, and pass every call on. There is nothing to link but glibc: other
   libraries keep their own functions private. */
#ifndef CMALLOCCOUNTER_H
#define CMALLOCCOUNTER_H

#include <stdbool.h>
#include <stdint.h>

/* Sets the count to zero and begins to count. */
void armMallocCounter(void);

/* Stops counting and returns the number of allocations since the counter was armed. */
int64_t disarmMallocCounter(void);

/* With `true`, the first allocation while armed aborts, so that a debugger shows where it is. */
void abortOnMalloc(bool aborts);

/* The bytes that this thread has asked for so far. What it has freed counts, too. */
int64_t bytesAllocatedByThread(void);

/* Whether anything is counted here: with glibc, and without a sanitizer. */
bool isCountingMalloc(void);

#endif
