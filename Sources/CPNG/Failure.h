/// Where libpng's errors go: the caller's buffer, then back to the last setjmp.
#ifndef CPNG_FAILURE_H
#define CPNG_FAILURE_H

#include <png.h>
#include <stddef.h>

typedef struct {
  char *text;
  size_t size;
} CPNGFailure;

/// Copies `reason` to the failure's buffer, cut to its size.
void cpngDescribe(CPNGFailure failure, const char *reason);
/// libpng's error callback: the error pointer is a `CPNGFailure`. Does not return.
void cpngFail(png_structp png, png_const_charp reason);
/// libpng's warning callback: damage that libpng repairs is not reported.
void cpngIgnore(png_structp png, png_const_charp reason);

#endif
