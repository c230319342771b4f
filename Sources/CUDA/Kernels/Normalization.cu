// Batch normalisation: statistics, the normalisation with what follows it, and the backward pass.
//
// All of it is bound by memory. Goals, in order: read and write each number once; 16 bytes a
// thread; sums that keep their digits when means are large (deviations from a pixel of the block,
// then Chan, Golub and LeVeque's merging in double precision); few launches, since small networks
// wait for launches.
//
// A block has 256 threads: `lanes` of them side by side on the channels of a pixel, the others on
// further pixels (rows). blockIdx.x counts parts of the pixels, blockIdx.y tiles of the channels.
// A thread keeps its channels, so what belongs to a channel is read once.

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
template <int width, typename Finish>
__device__ __forceinline__ void reduceRows(
  float* partials, const Place& at, int lanes, int channelCount, const Pack<width>& first,
  const Pack<width>& second, Finish finish
) {
  __shared__ float sums[2][256 * PACK];
#pragma unroll
  for (int i = 0; i < width; i++) {
    sums[0][threadIdx.x * width + i] = first.values[i];
    sums[1][threadIdx.x * width + i] = second.values[i];
  }
  __syncthreads();
  // Threads share the channels of the tile; each adds up the rows in order.
  for (int c = threadIdx.x; c < lanes * width; c += blockDim.x) {
    const int channel = blockIdx.y * lanes * width + c;
    if (channel >= channelCount) continue;
    float a = 0, b = 0;
    for (int row = 0; row < at.rows; row++) {
      a += sums[0][row * lanes * width + c];
      b += sums[1][row * lanes * width + c];
    }
    float* target = partials + static_cast<uint64>(blockIdx.x) * 2 * channelCount + channel;
    finish(channel, a, b);
    target[0] = a;
    target[channelCount] = b;
  }
}

struct StatisticsArguments {
  const Real* x;
  float* partials;
  int pixels, channels, chunk, lanes;
};

/// Mean and sum of squared deviations of each channel over each part of the pixels.
template <int width> __device__ __forceinline__ void statistics(const StatisticsArguments& a) {
  const Place at = place<width>(a.lanes, a.channels, a.pixels, a.chunk);
  Pack<width> shift = {}, sum = {}, squares = {};
  if (at.inside) {
    const Real* x = a.x + at.channel;
    shift = load<width>(x + static_cast<uint64>(at.first) * a.channels);
#pragma unroll 4
    for (int pixel = at.first + at.row; pixel < at.end; pixel += at.rows) {
      const Pack<width> values = load<width>(x + static_cast<uint64>(pixel) * a.channels);
#pragma unroll
      for (int i = 0; i < width; i++) {
        const float deviation = values.values[i] - shift.values[i];
        sum.values[i] += deviation;
        squares.values[i] += deviation * deviation;
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
}
KERNEL statisticsWide(const StatisticsArguments a) { statistics<PACK>(a); }
KERNEL statisticsNarrow(const StatisticsArguments a) { statistics<1>(a); }

struct MergeStatisticsArguments {
  const float* partials;
  float *count, *mean, *m2, *variance, *unbiased;
  const float *oldMean, *oldVariance;
  float *newMean, *newVariance;
  int pixels, channels, chunk, parts;
  float meanWeight, varianceWeight;
};

/// Merges the parts' statistics; writes variances and moving averages where they are asked for.
///
/// A block has 32 channels × 32 rows of parts. Sums are in double precision, so that the difference
/// of squares below keeps all digits of a float32.
KERNEL mergeStatistics(const MergeStatisticsArguments a) {
  __shared__ double sums[2][32][32];
  const int lane = threadIdx.x % 32, row = threadIdx.x / 32;
  const int channel = blockIdx.x * 32 + lane;
  const bool inside = channel < a.channels;
  double sum = 0, squares = 0;
  if (inside) {
#pragma unroll 4
    for (int part = row; part < a.parts; part += 32) {
      const float* own = a.partials + static_cast<uint64>(part) * 2 * a.channels + channel;
      const double count = min(a.chunk, a.pixels - part * a.chunk), mean = own[0];
      sum += count * mean;
      squares += own[a.channels] + count * mean * mean;
    }
  }
  sums[0][row][lane] = sum;
  sums[1][row][lane] = squares;
  __syncthreads();
  if (!inside || row > 0) return;
  sum = squares = 0;
  for (int r = 0; r < 32; r++) {
    sum += sums[0][r][lane];
    squares += sums[1][r][lane];
  }
  const double mean = sum / a.pixels;
  const double m2 = max(squares - sum * mean, 0.0);
  if (a.count && channel == 0) *a.count = a.pixels;
  const float newMean = static_cast<float>(mean);
  const float unbiased = static_cast<float>(m2 / max(a.pixels - 1, 1));
  if (a.mean) a.mean[channel] = newMean;
  if (a.m2) a.m2[channel] = static_cast<float>(m2);
  if (a.variance) a.variance[channel] = static_cast<float>(m2 / max(a.pixels, 1));
  if (a.unbiased) a.unbiased[channel] = unbiased;
  if (a.newMean) {
    const float old = a.oldMean[channel];
    a.newMean[channel] = old + a.meanWeight * (newMean - old);
  }
  if (a.newVariance) {
    const float old = a.oldVariance[channel];
    a.newVariance[channel] = old + a.varianceWeight * (unbiased - old);
  }
}

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
#pragma unroll 4
  for (int pixel = at.first + at.row; pixel < at.end; pixel += at.rows) {
    const uint64 offset = static_cast<uint64>(pixel) * a.channels + at.channel;
    Pack<width> values = load<width>(a.x + offset);
    Pack<width> residual = {};
    if (a.residual) residual = load<width>(a.residual + offset);
#pragma unroll
    for (int i = 0; i < width; i++) {
      float y = normalized(values.values[i], i) + residual.values[i];
      values.values[i] = a.rectifies && y < 0 ? 0.0f : y;
    }
    save<width>(a.y + offset, values);
  }
}
KERNEL normalizeWide(const NormalizeArguments a) { normalize<PACK>(a); }
KERNEL normalizeNarrow(const NormalizeArguments a) { normalize<1>(a); }
