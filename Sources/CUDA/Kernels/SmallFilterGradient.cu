// Filter gradients of the convolutions of SmallConvolution.cu: products of dyᵀ and shifted views
// of x, summed over pixels.

#ifdef HAS_MATRIX_UNITS
/// What 16 × 16 channels have of a filter's gradient: 9 taps × 2 × 32 lanes × 4 numbers.
#define PART 2304
/// Pixels of a tile, and with its border.
#define PART_PIXELS 256
#define PART_ROOM 400

struct SmallFilterGradientArguments {
  const Real *x, *dy;
  float* parts;
  Tiling tiling;
  int c, k, tiles, tilesPerImage, tilesPerPart;
};

/// A part of the sum over pixels: `tilesPerPart` tiles (blockIdx.x), 16 of the C and 16 of the K
/// channels (blockIdx.y). The warps of a block share the pixels, and their sums are added in order.
///
/// parts `[X, C/16 · K/16, 9, 2, 32, 4]`: as the lanes hold them.
KERNEL __launch_bounds__(SMALL_THREADS, 2) smallFilterGradient(
  const SmallFilterGradientArguments a
) {
  begin();
  // First the tiles of x and dy, then sums of four warps.
  __shared__ __align__(16) float memory[4 * PART];
  Real* x = reinterpret_cast<Real*>(memory);
  Real* dy = x + PART_ROOM * PIXEL(16);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int c = blockIdx.y % (a.c / 16) * 16, k = blockIdx.y / (a.c / 16) * 16;
  const Real* gradient = dy + (lane % 8 + lane / 16 * 8) * PIXEL(16) + lane / 8 % 2 * 8;

  float sums[18][4] = {};
  const int end = min(a.tiles, static_cast<int>(blockIdx.x + 1) * a.tilesPerPart);
  for (int index = blockIdx.x * a.tilesPerPart; index < end; index++) {
    const int place = index / a.tilesPerImage;
    const Tile tile(
      a.tiling, place * a.tiling.images,
      (index - place * a.tilesPerImage) * a.tiling.rows.value);
    const int count = tile.count();
    tile.copyWithBorder<16>(x, a.x + c, a.c);
    const Real* source = a.dy + static_cast<uint64>(tile.first()) * a.k + k;
    // Pixels that are not there are zeros, up to a whole product.
    for (int i = threadIdx.x; i < (count + 15) / 16 * 32; i += SMALL_THREADS) {
      const int pixel = i / 2, pack = i % 2 * 8;
      const bool isThere = pixel < count;
      beginCopy(
        dy + pixel * PIXEL(16) + pack, source + (isThere ? pixel * a.k + pack : 0), isThere);
    }
    finishCopies();
    __syncthreads();
    for (int start = warp * 16; start < count; start += SMALL_THREADS / 32 * 16) {
      uint32 g[4];
      loadTransposed(g, gradient + start * PIXEL(16));
      const Real* window = x + tile.window(start + lane % 16) * PIXEL(16) + lane / 16 * 8;
#pragma unroll
      for (int tap = 0; tap < 9; tap++) {
        uint32 m[4];
        loadTransposed(m, window + (tap / 3 * a.tiling.width.value + tap % 3) * PIXEL(16));
        multiply(sums[tap * 2], g, m[0], m[1]);
        multiply(sums[tap * 2 + 1], g, m[2], m[3]);
      }
    }
    __syncthreads();
  }

  float4* shared = reinterpret_cast<float4*>(memory);
#pragma unroll
  for (int half = SMALL_THREADS / 64; half > 0; half /= 2) {
    if (warp >= half && warp < 2 * half) {
#pragma unroll
      for (int i = 0; i < 18; i++) {
        shared[((warp - half) * 18 + i) * 32 + lane] =
          make_float4(sums[i][0], sums[i][1], sums[i][2], sums[i][3]);
      }
    }
    __syncthreads();
    if (warp < half) {
#pragma unroll
      for (int i = 0; i < 18; i++) {
        const float4 other = shared[(warp * 18 + i) * 32 + lane];
        sums[i][0] += other.x, sums[i][1] += other.y;
        sums[i][2] += other.z, sums[i][3] += other.w;
      }
    }
    __syncthreads();
  }
  if (warp > 0) return;
  float4* part = reinterpret_cast<float4*>(a.parts)
    + (static_cast<uint64>(blockIdx.x) * gridDim.y + blockIdx.y) * (PART / 4) + lane;
#pragma unroll
  for (int i = 0; i < 18; i++) {
    part[i * 32] = make_float4(sums[i][0], sums[i][1], sums[i][2], sums[i][3]);
  }
}

struct SumFilterGradientArguments {
  const float* parts;
  Real* target;
  int count, c, k;
};

/// Adds `count` parts and writes the filter's gradient `[K, 3, 3, C]`. Eight lanes of a warp take
/// 16 bytes of a part each, its four groups of lanes, and the warps, different parts.
KERNEL __launch_bounds__(SMALL_THREADS) sumFilterGradient(const SumFilterGradientArguments a) {
  begin();
  __shared__ float4 shared[SMALL_THREADS / 32][8];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int place = blockIdx.x * 8 + lane % 8, size = a.c * a.k * 9 / 4;
  const float4* parts = reinterpret_cast<const float4*>(a.parts) + place;
  float4 sum = make_float4(0, 0, 0, 0);
#pragma unroll 4
  for (int part = threadIdx.x / 8; part < a.count; part += blockDim.x / 8) {
    const float4 next = parts[static_cast<uint64>(part) * size];
    sum.x += next.x, sum.y += next.y, sum.z += next.z, sum.w += next.w;
  }
#pragma unroll
  for (int other = 8; other < 32; other *= 2) {
    sum.x += __shfl_xor_sync(0xffffffffu, sum.x, other);
    sum.y += __shfl_xor_sync(0xffffffffu, sum.y, other);
    sum.z += __shfl_xor_sync(0xffffffffu, sum.z, other);
    sum.w += __shfl_xor_sync(0xffffffffu, sum.w, other);
  }
  if (lane < 8) shared[warp][lane] = sum;
  __syncthreads();
  if (threadIdx.x >= 8) return;
  for (int i = 1; i < static_cast<int>(blockDim.x) / 32; i++) {
    const float4 next = shared[i][lane];
    sum.x += next.x, sum.y += next.y, sum.z += next.z, sum.w += next.w;
  }
  // The lane that held these numbers says which they are.
  const int holder = place % 32, product = place / 32 % 18, block = place / (PART / 4);
  const int c = block % (a.c / 16) * 16 + product % 2 * 8 + holder % 4 * 2;
  const int k = block / (a.c / 16) * 16 + holder / 4;
  Real* target = a.target + (k * 9 + product / 2) * a.c + c;
  save<2>(target, {{sum.x, sum.y}});
  save<2>(target + 8 * 9 * a.c, {{sum.z, sum.w}});
}
#endif
