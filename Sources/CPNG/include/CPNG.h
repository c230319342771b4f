/// PNG through libpng, for callers that cannot use its error handling by setjmp and longjmp.
///
/// No function keeps a global. A function that can fail takes `error`, a buffer of `errorSize`
/// bytes (at least 1), and leaves there the reason as a terminated string.
#ifndef CPNG_H
#define CPNG_H

#include <stddef.h>
#include <stdint.h>

/// A PNG file that is being read. It refers to the caller's bytes and does not copy them.
typedef struct CPNGReader CPNGReader;

/// Reads the header of the `count` bytes at `bytes`, which must outlive the reader, and writes the
/// extents of the image, in pixels, to `width` and `height`.
///
/// Chunks that do not change pixels are skipped unread; libpng's limits on extents (1,000,000) and
/// on the memory of a chunk (8,000,000 bytes) are set.
///
/// Returns a reader to be closed by `cpngClose`, or null if the header is damaged.
CPNGReader *cpngOpen(const uint8_t *bytes, size_t count, uint32_t *width, uint32_t *height,
                     char *error, size_t errorSize);

/// Decodes the image, once, to `width * height * 3` bytes at `pixels`: rows from top to bottom,
/// red, green and blue of 8 bits each. Palettes and grey are expanded, 16 bits are scaled to 8 with
/// rounding, and transparency is dropped.
///
/// Returns 0, or -1 if the file is damaged or ends before its end chunk.
int cpngRead(CPNGReader *reader, uint8_t *pixels, char *error, size_t errorSize);

/// Frees a reader; null is allowed.
void cpngClose(CPNGReader *reader);

/// Encodes `width * height * 3` bytes of red, green and blue as a PNG file of 8 bits a channel.
///
/// Returns the file's bytes and their count in `count`, to be freed by `cpngFree`, or null.
uint8_t *cpngEncode(const uint8_t *pixels, uint32_t width, uint32_t height, size_t *count,
                    char *error, size_t errorSize);

/// Frees what `cpngEncode` has returned; null is allowed.
void cpngFree(uint8_t *bytes);

#endif
