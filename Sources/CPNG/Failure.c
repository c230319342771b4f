// Without libpng's header this file is empty, so that the package builds without the trait PNG.
#if __has_include(<png.h>)
#include "Failure.h"

#include <stdio.h>

void cpngDescribe(CPNGFailure failure, const char *reason) {
  if (failure.text != NULL && failure.size > 0) {
    snprintf(failure.text, failure.size, "%s", reason);
  }
}

void cpngFail(png_structp png, png_const_charp reason) {
  CPNGFailure *failure = png_get_error_ptr(png);
  if (failure != NULL) cpngDescribe(*failure, reason);
  png_longjmp(png, 1);
}

void cpngIgnore(png_structp png, png_const_charp reason) {
  (void)png;
  (void)reason;
}

#endif
