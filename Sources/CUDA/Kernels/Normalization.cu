// Batch normalisation: statistics, the normalisation with what follows it, and the backward pass.
//
// All of it is bound by memory. Goals, in order: read and write each number once; 16 bytes a
// thread; sums that keep their digits when means are large (deviations from a pixel of the block,
// then Chan, Golub and LeVeque's merging in double precision); few launches, since small networks
// wait for launches.
//
// Numbers of several pixels are asked for before the first is used (`BATCH`): a compiler may not move
// a read past a write that it cannot tell apart.
//
// A block has 256 threads: `lanes` of them side by side on the channels of a pixel, the others on
// further pixels (rows). blockIdx.x counts parts of the pixels, blockIdx.y tiles of the channels.
// A thread keeps its channels, so what belongs to a channel is read once.

#define BATCH 4
/// At least so many blocks share a multiprocessor, which bounds the registers of a thread.
#define BLOCKS(count) __launch_bounds__(256, count)

/// The numbers of one thread for some pixels, `rows` apart, as they are stored.
template <int width, int count = BATCH> struct Batch {
  Stored<width> stored[count];
  __device__ __forceinline__ void read(
    const Real* source, int pixel, int rows, int end, int channelCount
  ) {
#pragma unroll
    for (int u = 0; u < count; u++) {
      const int place = pixel + u * rows;
      if (place < end) {
        stored[u] = *reinterpret_cast<const Stored<width>*>(
          source + static_cast<uint64>(place) * channelCount);
      }
    }
  }
  __device__ __forceinline__ Pack<width> operator[](int u) const { return unpacked(stored[u]); }
};

/// Where a thread works.
struct Place {
  int row, rows, channel, first, end;
  bool inside;
};

template <int width>
__device__ __forceinline__ Place place(int lanes, int channelCount, int pixels, int chunk) {
  Place place;
  const int lane = threadIdx.x % lanes;
  place.row = threadIdx.x / lanes;
  place.rows = blockDim.x / lanes;
  place.channel = (blockIdx.y * lanes + lane) * width;
  place.first = blockIdx.x * chunk;
  place.end = min(place.first + chunk, pixels);
  place.inside = place.channel < channelCount;
  return place;
}

/// Adds up two sums of each channel over a block's rows, and writes them to the block's partials
/// `[parts, 2, channels]`. `finish` makes of them what is written.
///
/// Rows of one warp are added up by shuffles, those of different warps in the order of the warps.
template <int width, typename Finish>
__device__ __forceinline__ void reduceRows(
  float* partials, const Place& at, int lanes, int channelCount, Pack<width> first,
  Pack<width> second, Finish finish
) {
  __shared__ float sums[2][8][32 * PACK];
  for (int distance = lanes; distance < 32; distance *= 2) {
#pragma unroll
    for (int i = 0; i < width; i++) {
      first.values[i] += __shfl_xor_sync(0xffffffffu, first.values[i], distance);
      second.values[i] += __shfl_xor_sync(0xffffffffu, second.values[i], distance);
    }
  }
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  if (lane < lanes) {
#pragma unroll
    for (int i = 0; i < width; i++) {
      sums[0][warp][lane * width + i] = first.values[i];
      sums[1][warp][lane * width + i] = second.values[i];
    }
  }
  __syncthreads();
  for (int c = threadIdx.x; c < lanes * width; c += blockDim.x) {
    const int channel = blockIdx.y * lanes * width + c;
    if (channel >= channelCount) continue;
    float a = 0, b = 0;
#pragma unroll
    for (int w = 0; w < 8; w++) {
      a += sums[0][w][c];
      b += sums[1][w][c];
    }
    float* target = partials + static_cast<uint64>(blockIdx.x) * 2 * channelCount + channel;
    finish(channel, a, b);
    target[0] = a;
    target[channelCount] = b;
  }
}

/// Whether a block is the last of its tile to be done, so that it sees what all have written. The
/// counter is 0 again afterwards.
__device__ __forceinline__ bool isLastBlock(uint32* counters) {
  __shared__ bool isLast;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) {
    isLast = atomicInc(counters + blockIdx.y, gridDim.x - 1) == gridDim.x - 1;
  }
  __syncthreads();
  __threadfence();
  return isLast;
}

/// Adds up numbers of the parts for each of `width` channels, in double precision and in the order of
/// the parts: a block has so many channels, side by side, on rows of parts.
///
/// - `read(part, channel, a, b)` adds the part's two numbers; `finish(channel, a, b)` takes the sums.
template <int threads, typename Read, typename Finish>
__device__ __forceinline__ void mergeParts(
  int firstChannel, int width, int channelCount, int parts, Read read, Finish finish
) {
  __shared__ double sums[2][threads];
  const int lane = threadIdx.x % width, row = threadIdx.x / width, rows = threads / width;
  const int channel = firstChannel + lane;
  double first = 0, second = 0;
  if (channel < channelCount) {
    // Asked for all at once: a block waits for memory once.
#pragma unroll 16
    for (int part = row; part < parts; part += rows) read(part, channel, first, second);
  }
  sums[0][threadIdx.x] = first;
  sums[1][threadIdx.x] = second;
  __syncthreads();
  if (channel >= channelCount || row > 0) return;
  first = second = 0;
  for (int r = 0; r < rows; r++) {
    first += sums[0][r * width + lane];
    second += sums[1][r * width + lane];
  }
  finish(channel, first, second);
}

/// What is made of merged statistics; what is not asked for is null.
struct StatisticsResults {
  float *count, *mean, *m2, *variance, *unbiased;
  const float *oldMean, *oldVariance;
  float *newMean, *newVariance;
};

struct StatisticsArguments {
  const Real* x;
  float* partials;
  /// Null where another launch merges the parts.
  uint32* counters;
  StatisticsResults results;
  int pixels, channels, chunk, lanes, parts;
  float meanWeight, varianceWeight;
};

/// Merges the parts' statistics of some channels; writes variances and moving averages where they are
/// asked for. In double precision, the difference of squares below keeps all digits of a float32.
template <int threads>
__device__ __forceinline__ void mergeStatistics(
  const StatisticsArguments& a, int firstChannel, int width
) {
  mergeParts<threads>(
    firstChannel, width, a.channels, a.parts,
    [&](int part, int channel, double& sum, double& squares) {
      const float* own = a.partials + static_cast<uint64>(part) * 2 * a.channels + channel;
      const double count = min(a.chunk, a.pixels - part * a.chunk), mean = own[0];
      sum += count * mean;
      squares += own[a.channels] + count * mean * mean;
    },
    [&](int channel, double sum, double squares) {
      const StatisticsResults& r = a.results;
      const double m2 = max(squares - sum * (sum / a.pixels), 0.0);
      const float mean = static_cast<float>(sum / a.pixels);
      const float unbiased = static_cast<float>(m2 / max(a.pixels - 1, 1));
      if (r.count && channel == 0) *r.count = a.pixels;
      if (r.mean) r.mean[channel] = mean;
      if (r.m2) r.m2[channel] = static_cast<float>(m2);
      if (r.variance) r.variance[channel] = static_cast<float>(m2 / max(a.pixels, 1));
      if (r.unbiased) r.unbiased[channel] = unbiased;
      if (r.newMean) {
        const float old = r.oldMean[channel];
        r.newMean[channel] = old + a.meanWeight * (mean - old);
      }
      if (r.newVariance) {
        const float old = r.oldVariance[channel];
        r.newVariance[channel] = old + a.varianceWeight * (unbiased - old);
      }
    });
}
KERNEL mergeStatistics(const StatisticsArguments a) {
  begin();
  mergeStatistics<1024>(a, blockIdx.x * 32, 32);
}

/// Mean and sum of squared deviations of each channel over each part of the pixels.
template <int width> __device__ __forceinline__ void statistics(const StatisticsArguments& a) {
  const Place at = place<width>(a.lanes, a.channels, a.pixels, a.chunk);
  Pack<width> shift = {}, sum = {}, squares = {};
  if (at.inside) {
    const Real* x = a.x + at.channel;
    shift = load<width>(x + static_cast<uint64>(at.first) * a.channels);
    for (int pixel = at.first + at.row; pixel < at.end; pixel += at.rows * BATCH) {
      Batch<width> batch;
      batch.read(x, pixel, at.rows, at.end, a.channels);
#pragma unroll
      for (int u = 0; u < BATCH; u++) {
        if (pixel + u * at.rows >= at.end) break;
        const Pack<width> values = batch[u];
#pragma unroll
        for (int i = 0; i < width; i++) {
          const float deviation = values.values[i] - shift.values[i];
          sum.values[i] += deviation;
          squares.values[i] += deviation * deviation;
        }
      }
    }
  }
  const float count = at.end - at.first;
  const Real* origin = a.x + static_cast<uint64>(at.first) * a.channels;
  reduceRows<width>(
    a.partials, at, a.lanes, a.channels, sum, squares,
    [&](int channel, float& mean, float& m2) {
      const float deviation = mean / count;
      m2 = fmaxf(m2 - mean * deviation, 0.0f);
      mean = real(origin[channel]) + deviation;
    });
  if (a.counters && isLastBlock(a.counters)) {
    mergeStatistics<256>(a, blockIdx.y * a.lanes * width, a.lanes * width);
  }
}
KERNEL BLOCKS(4) statisticsWide(const StatisticsArguments a) { begin(); statistics<PACK>(a); }
KERNEL statisticsNarrow(const StatisticsArguments a) { begin(); statistics<1>(a); }

struct NormalizeArguments {
  const Real *x, *residual;
  Real* y;
  const float *mean, *variance, *scale, *shift;
  int pixels, channels, chunk, lanes, rectifies;
  float epsilon;
};

/// The coefficients of y = factor · (x − mean) + shift for a thread's channels.
template <int width> struct Coefficients {
  Pack<width> mean, factor, shift;
  __device__ __forceinline__ Coefficients(
    const float* means, const float* variances, const float* scales, const float* shifts,
    float epsilon, int channel, bool inside
  ) {
    if (!inside) return;
    mean = channels<width>(means + channel);
    const Pack<width> variance = channels<width>(variances + channel);
    factor = channels<width>(scales + channel);
    shift = channels<width>(shifts + channel);
#pragma unroll
    for (int i = 0; i < width; i++) factor.values[i] *= rsqrtf(variance.values[i] + epsilon);
  }
  __device__ __forceinline__ float operator()(float x, int i) const {
    return (x - mean.values[i]) * factor.values[i] + shift.values[i];
  }
};

/// Normalisation, perhaps an addition, perhaps a rectifier. A NaN stays a NaN.
template <int width> __device__ __forceinline__ void normalize(const NormalizeArguments& a) {
  const Place at = place<width>(a.lanes, a.channels, a.pixels, a.chunk);
  if (!at.inside) return;
  const Coefficients<width> normalized(
    a.mean, a.variance, a.scale, a.shift, a.epsilon, at.channel, true);
  for (int pixel = at.first + at.row; pixel < at.end; pixel += at.rows * BATCH) {
    Batch<width> x, residuals;
    x.read(a.x + at.channel, pixel, at.rows, at.end, a.channels);
    if (a.residual) residuals.read(a.residual + at.channel, pixel, at.rows, at.end, a.channels);
#pragma unroll
    for (int u = 0; u < BATCH; u++) {
      const int place = pixel + u * at.rows;
      if (place >= at.end) break;
      Pack<width> values = x[u], residual = {};
      if (a.residual) residual = residuals[u];
#pragma unroll
      for (int i = 0; i < width; i++) {
        const float y = normalized(values.values[i], i) + residual.values[i];
        values.values[i] = a.rectifies && y < 0 ? 0.0f : y;
      }
      save<width>(a.y + static_cast<uint64>(place) * a.channels + at.channel, values);
    }
  }
}
KERNEL BLOCKS(2) normalizeWide(const NormalizeArguments a) { begin(); normalize<PACK>(a); }
KERNEL normalizeNarrow(const NormalizeArguments a) { begin(); normalize<1>(a); }
