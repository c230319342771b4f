/* Counts the allocations of the whole process, for tests that claim there are none.

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

#endif
