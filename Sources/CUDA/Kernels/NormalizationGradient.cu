// The backward pass of batch normalisation, with the rectifier and the addition behind it.
//
// The gradient of the normalisation's result is g, or g + addend, and where a rectifier followed,
// only where its result was positive: that is read from the activation, or computed again from x,
// which is read in any case.

/// The gradient of a normalisation's result, as it is read.
template <int width> struct MaskedGradient {
  const Real *gradient, *addend, *activation;
  bool rectified;
  __device__ __forceinline__ Pack<width> read(
    uint64 offset, const Pack<width>& x, const Coefficients<width>& normalized
  ) const {
    Pack<width> g = load<width>(gradient + offset);
    if (addend) {
      const Pack<width> other = load<width>(addend + offset);
#pragma unroll
      for (int i = 0; i < width; i++) g.values[i] += other.values[i];
    }
    if (activation) {
      const Pack<width> y = load<width>(activation + offset);
#pragma unroll
      for (int i = 0; i < width; i++) g.values[i] = y.values[i] > 0 ? g.values[i] : 0.0f;
    } else if (rectified) {
#pragma unroll
      for (int i = 0; i < width; i++) {
        // The mask is that of the stored activation: a number that rounds to zero is not positive.
        Real y;
        store(y, normalized(x.values[i], i));
        g.values[i] = real(y) > 0 ? g.values[i] : 0.0f;
      }
    }
    return g;
  }
};

struct GradientSumsArguments {
  const Real *gradient, *addend, *activation, *x;
  Real* masked;
  float* partials;
  const float *mean, *variance, *scale, *shift;
  int pixels, channels, chunk, lanes, rectified;
  float epsilon;
};

/// Σg and Σg·(x − mean) of each channel over each part of the pixels; without x the first alone.
/// The masked gradient is written where it is asked for.
template <int width> __device__ __forceinline__ void gradientSums(const GradientSumsArguments& a) {
  const Place at = place<width>(a.lanes, a.channels, a.pixels, a.chunk);
  Pack<width> sum = {}, products = {}, mean = {};
  if (at.inside) {
    if (a.mean) mean = channels<width>(a.mean + at.channel);
    const Coefficients<width> normalized(
      a.mean, a.variance, a.scale, a.shift, a.epsilon, at.channel, a.rectified);
    const MaskedGradient<width> gradient = {
      a.gradient, a.addend, a.activation, a.rectified != 0};
#pragma unroll 4
    for (int pixel = at.first + at.row; pixel < at.end; pixel += at.rows) {
      const uint64 offset = static_cast<uint64>(pixel) * a.channels + at.channel;
      Pack<width> x = {};
      if (a.x) x = load<width>(a.x + offset);
      const Pack<width> g = gradient.read(offset, x, normalized);
#pragma unroll
      for (int i = 0; i < width; i++) {
        sum.values[i] += g.values[i];
        products.values[i] += g.values[i] * (x.values[i] - mean.values[i]);
      }
      if (a.masked) save<width>(a.masked + offset, g);
    }
  }
  reduceRows<width>(
    a.partials, at, a.lanes, a.channels, sum, products, [](int, float&, float&) {});
}
KERNEL gradientSumsWide(const GradientSumsArguments a) { gradientSums<PACK>(a); }
KERNEL gradientSumsNarrow(const GradientSumsArguments a) { gradientSums<1>(a); }

struct MergeSumsArguments {
  const float* partials;
  float *sums, *products, *scaleGradient;
  const float* variance;
  int channels, parts;
  float epsilon;
};

/// Adds up the parts; the scale's gradient is written where it is asked for.
KERNEL mergeSums(const MergeSumsArguments a) {
  __shared__ double sums[2][32][32];
  const int lane = threadIdx.x % 32, row = threadIdx.x / 32;
  const int channel = blockIdx.x * 32 + lane;
  const bool inside = channel < a.channels;
  double first = 0, second = 0;
  if (inside) {
#pragma unroll 4
    for (int part = row; part < a.parts; part += 32) {
      const float* own = a.partials + static_cast<uint64>(part) * 2 * a.channels + channel;
      first += own[0];
      second += own[a.channels];
    }
  }
  sums[0][row][lane] = first;
  sums[1][row][lane] = second;
  __syncthreads();
  if (!inside || row > 0) return;
  first = second = 0;
  for (int r = 0; r < 32; r++) {
    first += sums[0][r][lane];
    second += sums[1][r][lane];
  }
  if (a.sums) a.sums[channel] = static_cast<float>(first);
  if (a.products) a.products[channel] = static_cast<float>(second);
  if (a.scaleGradient) {
    a.scaleGradient[channel] =
      static_cast<float>(second) * rsqrtf(a.variance[channel] + a.epsilon);
  }
}

struct NormalizationGradientArguments {
  const Real *gradient, *addend, *activation, *x;
  Real* output;
  const float *mean, *variance, *scale, *shift, *sums, *products;
  int pixels, channels, chunk, lanes, rectified, isFixed;
  float epsilon;
};

/// dx = scale / √(variance + ε) · (g − Σg/m − (x − mean) · Σg(x − mean) / (m · (variance + ε))),
/// or without the sums where the statistics are fixed.
template <int width>
__device__ __forceinline__ void normalizationGradient(const NormalizationGradientArguments& a) {
  const Place at = place<width>(a.lanes, a.channels, a.pixels, a.chunk);
  if (!at.inside) return;
  const Coefficients<width> normalized(
    a.mean, a.variance, a.scale, a.shift, a.epsilon, at.channel, a.rectified);
  const MaskedGradient<width> gradient = {
    a.gradient, a.addend, a.activation, a.rectified != 0};
  const Pack<width> mean = channels<width>(a.mean + at.channel);
  Pack<width> factor = channels<width>(a.scale + at.channel);
  Pack<width> offset = {}, slope = {};
#pragma unroll
  for (int i = 0; i < width; i++) {
    const float deviation = rsqrtf(a.variance[at.channel + i] + a.epsilon);
    factor.values[i] *= deviation;
    if (!a.isFixed) {
      offset.values[i] = a.sums[at.channel + i] / a.pixels;
      slope.values[i] = a.products[at.channel + i] / a.pixels * deviation * deviation;
    }
  }
#pragma unroll 4
  for (int pixel = at.first + at.row; pixel < at.end; pixel += at.rows) {
    const uint64 place = static_cast<uint64>(pixel) * a.channels + at.channel;
    const Pack<width> x = load<width>(a.x + place);
    Pack<width> g = gradient.read(place, x, normalized);
#pragma unroll
    for (int i = 0; i < width; i++) {
      g.values[i] = factor.values[i]
        * (g.values[i] - offset.values[i] - (x.values[i] - mean.values[i]) * slope.values[i]);
    }
    save<width>(a.output + place, g);
  }
}
KERNEL normalizationGradientWide(const NormalizationGradientArguments a) {
  normalizationGradient<PACK>(a);
}
KERNEL normalizationGradientNarrow(const NormalizationGradientArguments a) {
  normalizationGradient<1>(a);
}
