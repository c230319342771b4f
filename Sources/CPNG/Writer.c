// Without libpng's header this file is empty, so that the package builds without the trait PNG.
#if __has_include(<png.h>)
#include "CPNG.h"

#include <stdlib.h>
#include <string.h>

#include "Failure.h"

typedef struct {
  uint8_t *bytes;
  size_t count;
  size_t capacity;
} Output;

static void append(png_structp png, png_bytep source, size_t count) {
  Output *output = png_get_io_ptr(png);
  if (count > SIZE_MAX / 2 - output->count) png_error(png, "the file becomes too large");
  if (output->count + count > output->capacity) {
    size_t capacity = 2 * (output->count + count);
    uint8_t *bytes = realloc(output->bytes, capacity);
    if (bytes == NULL) png_error(png, "out of memory");
    output->bytes = bytes;
    output->capacity = capacity;
  }
  memcpy(output->bytes + output->count, source, count);
  output->count += count;
}

static void flush(png_structp png) { (void)png; }

uint8_t *cpngEncode(const uint8_t *pixels, uint32_t width, uint32_t height, size_t *count,
                    char *error, size_t errorSize) {
  CPNGFailure failure = {error, errorSize};
  // Changed after setjmp and read after longjmp, so both live in memory.
  Output *output = calloc(1, sizeof *output);
  png_structp png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, &failure, cpngFail, cpngIgnore);
  png_infop info = png == NULL ? NULL : png_create_info_struct(png);
  if (output == NULL || info == NULL) {
    cpngDescribe(failure, "libpng cannot start: out of memory, or another version than built for");
    png_destroy_write_struct(&png, &info);
    free(output);
    return NULL;
  }
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_write_struct(&png, &info);
    free(output->bytes);
    free(output);
    return NULL;
  }
  png_set_write_fn(png, output, append, flush);
  png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  for (uint32_t y = 0; y < height; y++) png_write_row(png, pixels + (size_t)y * width * 3);
  png_write_end(png, NULL);
  png_destroy_write_struct(&png, &info);

  uint8_t *bytes = output->bytes;
  *count = output->count;
  free(output);
  return bytes;
}

void cpngFree(uint8_t *bytes) { free(bytes); }

#endif
