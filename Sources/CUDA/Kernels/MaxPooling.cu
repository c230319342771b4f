// Maximum pooling. A thread takes one channel, or 16 bytes of channels, of one pixel of the result; the
// gradients gather, so that no two threads write one number.

struct MaxPoolingArguments {
  const Real *gradient, *x;
  Real* output;
  int images, height, width, channels, rows, columns;
  int windowHeight, windowWidth, strideHeight, strideWidth, top, left;
  int dilationHeight, dilationWidth;
};

/// A place of a tensor of packs: `[images, height, width, channels / pack]`.
struct Pixel { int image, row, column, channel; };
template <int pack>
__device__ __forceinline__ Pixel pixelAt(uint64 index, int height, int width, int channelCount) {
  const int packs = channelCount / pack;
  Pixel pixel;
  pixel.channel = static_cast<int>(index % packs) * pack;
  index /= packs;
  pixel.column = static_cast<int>(index % width);
  index /= width;
  pixel.row = static_cast<int>(index % height);
  pixel.image = static_cast<int>(index / height);
  return pixel;
}

/// Whether a number takes the place of the largest one so far: a NaN does, also after another.
__device__ __forceinline__ bool wins(float x, float best) { return x > best || x != x; }

/// The largest numbers of a window and where they are: row · window width + column of the window.
template <int pack>
__device__ __forceinline__ void largest(
  const MaxPoolingArguments& a, int image, int row, int column, int channel, Pack<pack>& best,
  int (&places)[pack]
) {
#pragma unroll
  for (int k = 0; k < pack; k++) {
    best.values[k] = LEAST;
    places[k] = -1;
  }
  for (int r = 0; r < a.windowHeight; r++) {
    const int h = row * a.strideHeight + r * a.dilationHeight - a.top;
    if (h < 0 || h >= a.height) continue;
    for (int s = 0; s < a.windowWidth; s++) {
      const int w = column * a.strideWidth + s * a.dilationWidth - a.left;
      if (w < 0 || w >= a.width) continue;
      const Pack<pack> x = load<pack>(
        a.x + ((static_cast<uint64>(image) * a.height + h) * a.width + w) * a.channels + channel);
#pragma unroll
      for (int k = 0; k < pack; k++) {
        // The first pixel wins in any case, even if it is -∞.
        if (places[k] < 0 || wins(x.values[k], best.values[k])) {
          best.values[k] = x.values[k];
          places[k] = r * a.windowWidth + s;
        }
      }
    }
  }
}

template <int pack> __device__ __forceinline__ void maxPooling(const MaxPoolingArguments& a) {
  const uint64 count =
    static_cast<uint64>(a.images) * a.rows * a.columns * (a.channels / pack);
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const Pixel p = pixelAt<pack>(i, a.rows, a.columns, a.channels);
    Pack<pack> best;
    int places[pack];
    largest<pack>(a, p.image, p.row, p.column, p.channel, best, places);
    save<pack>(a.output + i * pack, best);
  }
}
KERNEL maxPoolingWide(const MaxPoolingArguments a) { begin(); maxPooling<PACK>(a); }
KERNEL maxPoolingNarrow(const MaxPoolingArguments a) { begin(); maxPooling<1>(a); }

/// Along one axis: the windows that look at a pixel lie among `first...last`.
__device__ __forceinline__ void windowsAt(
  int place, int before, int window, int dilation, int stride, int count, int& first, int& last
) {
  const int reach = place + before - (window - 1) * dilation;
  first = reach <= 0 ? 0 : (reach + stride - 1) / stride;
  last = min((place + before) / stride, count - 1);
}

template <int pack>
__device__ __forceinline__ void maxPoolingGradient(const MaxPoolingArguments& a) {
  const uint64 count =
    static_cast<uint64>(a.images) * a.height * a.width * (a.channels / pack);
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const Pixel p = pixelAt<pack>(i, a.height, a.width, a.channels);
    Pack<pack> sum = {};
    int firstRow, lastRow, firstColumn, lastColumn;
    windowsAt(
      p.row, a.top, a.windowHeight, a.dilationHeight, a.strideHeight, a.rows, firstRow, lastRow);
    windowsAt(
      p.column, a.left, a.windowWidth, a.dilationWidth, a.strideWidth, a.columns, firstColumn,
      lastColumn);
    for (int row = firstRow; row <= lastRow; row++) {
      const int r = p.row + a.top - row * a.strideHeight;
      if (r % a.dilationHeight) continue;
      for (int column = firstColumn; column <= lastColumn; column++) {
        const int s = p.column + a.left - column * a.strideWidth;
        if (s % a.dilationWidth) continue;
        const int own = r / a.dilationHeight * a.windowWidth + s / a.dilationWidth;
        Pack<pack> best;
        int places[pack];
        largest<pack>(a, p.image, row, column, p.channel, best, places);
        const Pack<pack> g = load<pack>(
          a.gradient
          + ((static_cast<uint64>(p.image) * a.rows + row) * a.columns + column) * a.channels
          + p.channel);
#pragma unroll
        for (int k = 0; k < pack; k++) sum.values[k] += places[k] == own ? g.values[k] : 0.0f;
      }
    }
    save<pack>(a.output + i * pack, sum);
  }
}
KERNEL maxPoolingGradientWide(const MaxPoolingArguments a) { begin(); maxPoolingGradient<PACK>(a); }
KERNEL maxPoolingGradientNarrow(const MaxPoolingArguments a) { begin(); maxPoolingGradient<1>(a); }

// Where windows overlap, each pixel would look for the largest of each window again. A block of this
// kernel takes 16 × 16 pixels of an image and eight packs of channels: it finds the largest of each
// window that touches them once, and notes its place in shared memory.

#define TILE 16
#define TILE_WINDOWS 400
#define TILE_PACKS 8

KERNEL __launch_bounds__(256, 3) maxPoolingGradientTiled(const MaxPoolingArguments a) {
  begin();
  __shared__ unsigned char places[TILE_WINDOWS * TILE_PACKS][PACK];
  const int packs = a.channels / PACK;
  const int groups = (packs + TILE_PACKS - 1) / TILE_PACKS;
  const int image = blockIdx.z / groups;
  const int firstPack = blockIdx.z % groups * TILE_PACKS;
  const int usedPacks = min(TILE_PACKS, packs - firstPack);
  const int top = blockIdx.y * TILE, left = blockIdx.x * TILE;
  int firstRow, lastRow, firstColumn, lastColumn, unused;
  windowsAt(top, a.top, a.windowHeight, 1, a.strideHeight, a.rows, firstRow, unused);
  windowsAt(
    min(top + TILE, a.height) - 1, a.top, a.windowHeight, 1, a.strideHeight, a.rows, unused,
    lastRow);
  windowsAt(left, a.left, a.windowWidth, 1, a.strideWidth, a.columns, firstColumn, unused);
  windowsAt(
    min(left + TILE, a.width) - 1, a.left, a.windowWidth, 1, a.strideWidth, a.columns, unused,
    lastColumn);
  const int columns = max(lastColumn - firstColumn + 1, 0);
  const int windows = max(lastRow - firstRow + 1, 0) * columns;

  for (int i = threadIdx.x; i < windows * usedPacks; i += 256) {
    const int window = i / usedPacks, pack = i % usedPacks;
    Pack<PACK> best;
    int found[PACK];
    largest<PACK>(
      a, image, firstRow + window / columns, firstColumn + window % columns,
      (firstPack + pack) * PACK, best, found);
#pragma unroll
    for (int k = 0; k < PACK; k++) places[window * TILE_PACKS + pack][k] = found[k];
  }
  __syncthreads();

  for (int i = threadIdx.x; i < TILE * TILE * usedPacks; i += 256) {
    const int pixel = i / usedPacks, pack = i % usedPacks;
    const int h = top + pixel / TILE, w = left + pixel % TILE;
    if (h >= a.height || w >= a.width) continue;
    const int channel = (firstPack + pack) * PACK;
    Pack<PACK> sum = {};
    int rowBegin, rowEnd, columnBegin, columnEnd;
    windowsAt(h, a.top, a.windowHeight, 1, a.strideHeight, a.rows, rowBegin, rowEnd);
    windowsAt(w, a.left, a.windowWidth, 1, a.strideWidth, a.columns, columnBegin, columnEnd);
    for (int row = rowBegin; row <= rowEnd; row++) {
      for (int column = columnBegin; column <= columnEnd; column++) {
        const int own = (h + a.top - row * a.strideHeight) * a.windowWidth
          + (w + a.left - column * a.strideWidth);
        const unsigned char* found =
          places[((row - firstRow) * columns + column - firstColumn) * TILE_PACKS + pack];
        const Pack<PACK> g = load<PACK>(
          a.gradient
          + ((static_cast<uint64>(image) * a.rows + row) * a.columns + column) * a.channels
          + channel);
#pragma unroll
        for (int k = 0; k < PACK; k++) sum.values[k] += found[k] == own ? g.values[k] : 0.0f;
      }
    }
    save<PACK>(
      a.output + ((static_cast<uint64>(image) * a.height + h) * a.width + w) * a.channels
      + channel, sum);
  }
}
