// Without libpng's header this file is empty, so that the package builds without the trait PNG.
#if __has_include(<png.h>)
#include "CPNG.h"

#include <stdlib.h>
#include <string.h>

#include "Failure.h"

enum { maximumExtent = 1000000, maximumChunkBytes = 8000000, maximumCachedChunks = 1000 };

struct CPNGReader {
  png_structp png;
  png_infop info;
  const uint8_t *bytes;
  size_t count;
  size_t position;
  CPNGFailure failure;
};

static void supply(png_structp png, png_bytep destination, size_t count) {
  CPNGReader *reader = png_get_io_ptr(png);
  if (count > reader->count - reader->position) png_error(png, "the file ends too early");
  memcpy(destination, reader->bytes + reader->position, count);
  reader->position += count;
}

CPNGReader *cpngOpen(const uint8_t *bytes, size_t count, uint32_t *width, uint32_t *height,
                     char *error, size_t errorSize) {
  CPNGFailure failure = {error, errorSize};
  CPNGReader *reader = calloc(1, sizeof *reader);
  if (reader == NULL) {
    cpngDescribe(failure, "out of memory");
    return NULL;
  }
  reader->bytes = bytes;
  reader->count = count;
  reader->failure = failure;
  reader->png =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader->failure, cpngFail, cpngIgnore);
  if (reader->png != NULL) reader->info = png_create_info_struct(reader->png);
  if (reader->info == NULL) {
    cpngDescribe(failure, "libpng cannot start: out of memory, or another version than built for");
    cpngClose(reader);
    return NULL;
  }
  if (setjmp(png_jmpbuf(reader->png))) {
    cpngClose(reader);
    return NULL;
  }
  png_set_read_fn(reader->png, reader, supply);
  png_set_user_limits(reader->png, maximumExtent, maximumExtent);
  png_set_chunk_malloc_max(reader->png, maximumChunkBytes);
  png_set_chunk_cache_max(reader->png, maximumCachedChunks);
  // Texts, profiles and the like: what is never parsed cannot do harm.
  png_set_keep_unknown_chunks(reader->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_read_info(reader->png, reader->info);
  *width = png_get_image_width(reader->png, reader->info);
  *height = png_get_image_height(reader->png, reader->info);
  return reader;
}

int cpngRead(CPNGReader *reader, uint8_t *pixels, char *error, size_t errorSize) {
  png_structp png = reader->png;
  reader->failure = (CPNGFailure){error, errorSize};
  if (setjmp(png_jmpbuf(png))) return -1;

  int color = png_get_color_type(png, reader->info);
  if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (png_get_bit_depth(png, reader->info) == 16) png_set_scale_16(png);
  if ((color & PNG_COLOR_MASK_COLOR) == 0) {
    png_set_expand_gray_1_2_4_to_8(png);
    png_set_gray_to_rgb(png);
  }
  png_set_strip_alpha(png);
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, reader->info);

  size_t rowBytes = (size_t)png_get_image_width(png, reader->info) * 3;
  uint32_t height = png_get_image_height(png, reader->info);
  if (png_get_rowbytes(png, reader->info) != rowBytes) {
    png_error(png, "its rows cannot be converted to red, green and blue");
  }
  for (int pass = 0; pass < passes; pass++) {
    for (uint32_t y = 0; y < height; y++) png_read_row(png, pixels + y * rowBytes, NULL);
  }
  png_read_end(png, NULL);
  return 0;
}

void cpngClose(CPNGReader *reader) {
  if (reader == NULL) return;
  png_destroy_read_struct(&reader->png, &reader->info, NULL);
  free(reader);
}

#endif
