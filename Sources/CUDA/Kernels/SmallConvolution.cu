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

/// A number to divide by: quotients of small numbers cost a multiplication.
struct Divisor {
  int value;
  /// 2¹⁶ / value, rounded up; exact for n · value < 2¹⁶.
  int reciprocal;
};
__device__ __forceinline__ int operator/(int n, Divisor d) { return n * d.reciprocal >> 16; }

/// How `[N, H, W]` maps are cut into tiles: `rows` of an image, or all rows of some images.
struct Tiling {
  int n, h, images;
  Divisor w, rows;
  /// Of a tile with its border: w + 2 and rows + 2.
  Divisor width, height;
};

struct SmallConvolutionArguments {
  const Real *x, *filter;
  Real* y;
  Tiling tiling;
};

/// A tile from an image and a row on.
struct Tile {
  const Tiling& t;
  int image, row;

  __device__ __forceinline__ Tile(const Tiling& tiling, int image, int row)
    : t(tiling), image(image), row(row) {}

  /// Pixels that are there.
  __device__ __forceinline__ int count() const {
    return min(t.images, t.n - image) * min(t.rows.value, t.h - row) * t.w.value;
  }
  /// The first pixel, which the others follow.
  __device__ __forceinline__ int first() const { return (image * t.h + row) * t.w.value; }

  /// Where the window of a pixel begins, in pixels of the tile with its border; pixels that are
  /// not there have that of the first.
  __device__ __forceinline__ int window(int pixel) const {
    if (pixel >= count()) return 0;
    const int line = pixel / t.w;
    return (line + line / t.rows * 2) * t.width.value + pixel - line * t.w.value;
  }

  /// Begins to copy the pixels with their border, `channels` out of `stride` for each.
  template <int channels>
  __device__ __forceinline__ void copyWithBorder(Real* target, const Real* x, int stride) const {
    const int packs = channels / 8;
    const int all = t.images * t.height.value * t.width.value * packs;
    for (int i = threadIdx.x; i < all; i += SMALL_THREADS) {
      const int pixel = i / packs, pack = i % packs * 8;
      const int line = pixel / t.width, column = pixel - line * t.width.value - 1;
      const int n = line / t.height, h = row + line - n * t.height.value - 1;
      const bool isThere = image + n < t.n && h >= 0 && h < t.h && column >= 0
        && column < t.w.value;
      const uint64 place = isThere ? ((image + n) * t.h + h) * t.w.value + column : 0;
      beginCopy(target + pixel * PIXEL(channels) + pack, x + place * stride + pack, isThere);
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
  const Tile tile(a.tiling, blockIdx.x * a.tiling.images, blockIdx.y * a.tiling.rows.value);
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

  const int count = tile.count(), width = a.tiling.width.value;
  if (start >= count) return;
  float sums[2][2][4] = {};
#pragma unroll
  for (int step = 0; step < steps; step++) {
    const int tap = step / (C / 16);
    const int shift = (tap / 3 * width + tap % 3) * PIXEL(C) + step % (C / 16) * 16;
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
    begin(); \
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
