// Convolutions with 3×3 filters, stride 1 and padding 1 of few channels, for which libraries take
// many times as long as their data take to move.
//
// A block computes a tile: some rows of an image, or some whole images, so that its pixels lie
// together in y. Its part of x lies in shared memory with a border of one pixel, and the nine taps
// of the filter are shifted views of it.

#ifdef HAS_MATRIX_UNITS
#define SMALL_THREADS 256

/// Numbers from one pixel to the next in shared memory: 8 more than there are, so that rows of
/// matrices lie in different banks.
#define PIXEL(channels) ((channels) + 8)

struct SmallConvolutionArguments {
  const Real *x, *filter;
  Real* y;
  int n, h, w, rows, images;
};

/// A tile of an `[N, H, W]` map: `rows` of an image, or all rows of some images.
struct Tile {
  int n, h, w, rows, images;
  /// The first image and row.
  int image, row;

  __device__ __forceinline__ Tile(int index, int n, int h, int w, int rows, int images)
    : n(n), h(h), w(w), rows(rows), images(images) {
    const int parts = (h + rows - 1) / rows;
    image = index / parts * images;
    row = index % parts * rows;
  }

  /// Pixels that are there.
  __device__ __forceinline__ int count() const {
    return min(images, n - image) * min(rows, h - row) * w;
  }
  /// The first pixel, which the others follow.
  __device__ __forceinline__ int first() const { return (image * h + row) * w; }

  /// Where the window of a pixel begins, in pixels of the tile with its border; pixels that are
  /// not there have that of the first.
  __device__ __forceinline__ int window(uint32 pixel) const {
    if (pixel >= count()) return 0;
    const uint32 line = pixel / w;
    return (line + line / rows * 2) * (w + 2) + pixel % w;
  }

  /// Begins to copy the pixels with their border, `channels` out of `stride` for each.
  template <int channels>
  __device__ __forceinline__ void copyWithBorder(Real* target, const Real* x, int stride) const {
    const int packs = channels / 8;
    const uint32 width = w + 2, height = rows + 2, all = images * height * width * packs;
    for (uint32 i = threadIdx.x; i < all; i += SMALL_THREADS) {
      const uint32 pixel = i / packs, pack = i % packs, line = pixel / width;
      const int column = pixel % width - 1, r = row + line % height - 1, n = image + line / height;
      const bool isThere = n < this->n && r >= 0 && r < h && column >= 0 && column < w;
      const uint64 place = isThere ? static_cast<uint64>(n * h + r) * w + column : 0;
      beginCopy(
        target + pixel * PIXEL(channels) + pack * 8, x + place * stride + pack * 8, isThere);
    }
  }
};

/// Pixels of a tile with its border, for 4096 / K pixels without: what the host cuts tiles for.
#define TILE_ROOM(C, K) \
  (4096 / (K) + 144 < 24576 / PIXEL(C) ? 4096 / (K) + 144 : 24576 / PIXEL(C))

/// y `[N, H, W, K]` of x `[N, H, W, C]`. A warp computes 32 pixels × 16 output channels.
///
/// The filter lies in fragments (packFilters), which come by 16 bytes a lane, some steps ahead. Its
/// output channels are dealt to the columns of two products so that a lane has four neighbours.
template <int C, int K> __device__ __forceinline__ void smallConvolution(
  const SmallConvolutionArguments& a
) {
  const int room = TILE_ROOM(C, K);
  const int steps = 9 * C / 16, ahead = C == 64 ? 8 : 4;
  __shared__ __align__(16) Real input[room * PIXEL(C)];

  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int start = warp / (K / 16) * 32, group = warp % (K / 16);
  const Tile tile(blockIdx.x, a.n, a.h, a.w, a.rows, a.images);
  tile.copyWithBorder<C>(input, a.x, C);

  const uint4* filter = reinterpret_cast<const uint4*>(a.filter) + group * 32 + lane;
  uint4 fragments[ahead];
#pragma unroll
  for (int step = 0; step < ahead; step++) fragments[step] = __ldg(filter + step * (K * 2));
  const Real* pixels[2];
#pragma unroll
  for (int m = 0; m < 2; m++) {
    pixels[m] = input + tile.window(start + m * 16 + lane % 16) * PIXEL(C) + lane / 16 * 8;
  }
  finishCopies();
  __syncthreads();

  const int count = tile.count();
  if (start >= count) return;
  float sums[2][2][4] = {};
#pragma unroll
  for (int step = 0; step < steps; step++) {
    const int tap = step / (C / 16);
    const int shift = (tap / 3 * (a.w + 2) + tap % 3) * PIXEL(C) + step % (C / 16) * 16;
    const uint4 b = fragments[step % ahead];
    if (step + ahead < steps) fragments[step % ahead] = __ldg(filter + (step + ahead) * (K * 2));
#pragma unroll
    for (int m = 0; m < 2; m++) {
      uint32 x[4];
      loadMatrices(x, pixels[m] + shift);
      multiply(sums[m][0], x, b.x, b.y);
      multiply(sums[m][1], x, b.z, b.w);
    }
  }

  Real* y = a.y + static_cast<uint64>(tile.first()) * K + group * 16 + lane % 4 * 4;
#pragma unroll
  for (int m = 0; m < 2; m++) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const int pixel = start + m * 16 + half * 8 + lane / 4;
      const Pack<4> pack = {
        {sums[m][0][half * 2], sums[m][0][half * 2 + 1], sums[m][1][half * 2],
         sums[m][1][half * 2 + 1]}};
      if (pixel < count) save<4>(y + pixel * K, pack);
    }
  }
}

#define DEFINE_SMALL_CONVOLUTION(C, K) \
  KERNEL __launch_bounds__(SMALL_THREADS) smallConvolution##C##x##K( \
    const SmallConvolutionArguments a \
  ) { \
    smallConvolution<C, K>(a); \
  }
DEFINE_SMALL_CONVOLUTION(16, 16)
DEFINE_SMALL_CONVOLUTION(16, 32)
DEFINE_SMALL_CONVOLUTION(16, 64)
DEFINE_SMALL_CONVOLUTION(32, 16)
DEFINE_SMALL_CONVOLUTION(32, 32)
DEFINE_SMALL_CONVOLUTION(32, 64)
DEFINE_SMALL_CONVOLUTION(64, 16)
DEFINE_SMALL_CONVOLUTION(64, 32)
DEFINE_SMALL_CONVOLUTION(64, 64)
#endif
