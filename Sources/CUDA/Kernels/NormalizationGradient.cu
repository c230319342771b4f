// The backward pass of batch normalisation, with the rectifier and the addition behind it.
//
// The gradient of the normalisation's result is g, or g + addend, and where a rectifier followed,
// only where its result was positive: that is read from the activation, or computed again from x,
// which is read in any case. The common kinds have kernels of their own, which need fewer registers,
// so that more blocks have reads on their way.

/// What is done to a gradient as it is read.
enum Masking { unmasked, recomputed, general };

/// Pixels whose numbers are asked for at once: fewer where four tensors are read.
template <int masking> __device__ constexpr int batchOf() { return masking == general ? 2 : BATCH; }

/// The gradient of a normalisation's result for some pixels, as it is read.
template <int width, int masking> struct MaskedGradient {
  const Real *gradient, *addend, *activation;
  bool rectified;
  Batch<width, batchOf<masking>()> gradients, addends, activations;

  __device__ __forceinline__ void read(const Place& at, int pixel, int channelCount) {
    gradients.read(gradient + at.channel, pixel, at.rows, at.end, channelCount);
    if (masking != general) return;
    if (addend) addends.read(addend + at.channel, pixel, at.rows, at.end, channelCount);
    if (activation) {
      activations.read(activation + at.channel, pixel, at.rows, at.end, channelCount);
    }
  }

  __device__ __forceinline__ Pack<width> at(
    int u, const Pack<width>& x, const Coefficients<width>& normalized
  ) const {
    Pack<width> g = gradients[u];
    if (masking == unmasked) return g;
    if (masking == general && addend) {
      const Pack<width> other = addends[u];
#pragma unroll
      for (int i = 0; i < width; i++) g.values[i] += other.values[i];
    }
    if (masking == general && activation) {
      const Pack<width> y = activations[u];
#pragma unroll
      for (int i = 0; i < width; i++) g.values[i] = y.values[i] > 0 ? g.values[i] : 0.0f;
    } else if (masking == recomputed || rectified) {
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
  const float *mean, *variance, *scale, *shift;
  float* partials;
  /// Null where another launch adds up the parts.
  uint32* counters;
  /// What is made of the sums; what is not asked for is null.
  float *sums, *products, *scaleGradient;
  const float* gradientVariance;
  int pixels, channels, chunk, lanes, parts, rectified;
  float epsilon, gradientEpsilon;
};

/// Adds up the parts' sums of some channels; the scale's gradient is written where it is asked for.
template <int threads>
__device__ __forceinline__ void mergeSums(
  const GradientSumsArguments& a, int firstChannel, int width
) {
  mergeParts<threads>(
    firstChannel, width, a.channels, a.parts,
    [&](int part, int channel, double& sum, double& products) {
      const float* own = a.partials + static_cast<uint64>(part) * 2 * a.channels + channel;
      sum += own[0];
      products += own[a.channels];
    },
    [&](int channel, double sum, double products) {
      if (a.sums) a.sums[channel] = static_cast<float>(sum);
      if (a.products) a.products[channel] = static_cast<float>(products);
      if (a.scaleGradient) {
        a.scaleGradient[channel] = static_cast<float>(products)
          * rsqrtf(a.gradientVariance[channel] + a.gradientEpsilon);
      }
    });
}
KERNEL mergeSums(const GradientSumsArguments a) { begin(); mergeSums<1024>(a, blockIdx.x * 32, 32); }

/// Σg and Σg·(x − mean) of each channel over each part of the pixels; without x the first alone.
/// The masked gradient is written where it is asked for.
template <int width, int masking>
__device__ __forceinline__ void gradientSums(const GradientSumsArguments& a) {
  const Place at = place<width>(a.lanes, a.channels, a.pixels, a.chunk);
  Pack<width> sum = {}, products = {}, mean = {};
  if (at.inside) {
    if (a.mean) mean = channels<width>(a.mean + at.channel);
    const Coefficients<width> normalized(
      a.mean, a.variance, a.scale, a.shift, a.epsilon, at.channel, a.rectified);
    MaskedGradient<width, masking> gradient = {a.gradient, a.addend, a.activation, a.rectified != 0};
    for (int pixel = at.first + at.row; pixel < at.end; pixel += at.rows * batchOf<masking>()) {
      Batch<width, batchOf<masking>()> inputs;
      if (a.x) inputs.read(a.x + at.channel, pixel, at.rows, at.end, a.channels);
      gradient.read(at, pixel, a.channels);
#pragma unroll
      for (int u = 0; u < batchOf<masking>(); u++) {
        const int place = pixel + u * at.rows;
        if (place >= at.end) break;
        Pack<width> x = {};
        if (a.x) x = inputs[u];
        const Pack<width> g = gradient.at(u, x, normalized);
#pragma unroll
        for (int i = 0; i < width; i++) {
          sum.values[i] += g.values[i];
          products.values[i] += g.values[i] * (x.values[i] - mean.values[i]);
        }
        if (a.masked) {
          save<width>(a.masked + static_cast<uint64>(place) * a.channels + at.channel, g);
        }
      }
    }
  }
  reduceRows<width>(
    a.partials, at, a.lanes, a.channels, sum, products, [](int, float&, float&) {});
  if (a.counters && isLastBlock(a.counters)) {
    mergeSums<256>(a, blockIdx.y * a.lanes * width, a.lanes * width);
  }
}
KERNEL BLOCKS(3) gradientSumsWide(const GradientSumsArguments a) {
  begin();
  gradientSums<PACK, unmasked>(a);
}
KERNEL BLOCKS(2) gradientSumsRecomputedWide(const GradientSumsArguments a) {
  begin();
  gradientSums<PACK, recomputed>(a);
}
KERNEL BLOCKS(2) gradientSumsMaskedWide(const GradientSumsArguments a) {
  begin();
  gradientSums<PACK, general>(a);
}
KERNEL gradientSumsNarrow(const GradientSumsArguments a) { begin(); gradientSums<1, general>(a); }

struct NormalizationGradientArguments {
  const Real *gradient, *addend, *activation, *x;
  Real* output;
  const float *mean, *variance, *scale, *shift, *sums, *products;
  int pixels, channels, chunk, lanes, rectified, isFixed;
  float epsilon;
};

/// dx = scale / √(variance + ε) · (g − Σg/m − (x − mean) · Σg(x − mean) / (m · (variance + ε))),
/// or without the sums where the statistics are fixed.
template <int width, int masking>
__device__ __forceinline__ void normalizationGradient(const NormalizationGradientArguments& a) {
  const Place at = place<width>(a.lanes, a.channels, a.pixels, a.chunk);
  if (!at.inside) return;
  const Coefficients<width> normalized(
    a.mean, a.variance, a.scale, a.shift, a.epsilon, at.channel, a.rectified);
  MaskedGradient<width, masking> gradient = {a.gradient, a.addend, a.activation, a.rectified != 0};
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
  for (int pixel = at.first + at.row; pixel < at.end; pixel += at.rows * batchOf<masking>()) {
    Batch<width, batchOf<masking>()> inputs;
    inputs.read(a.x + at.channel, pixel, at.rows, at.end, a.channels);
    gradient.read(at, pixel, a.channels);
#pragma unroll
    for (int u = 0; u < batchOf<masking>(); u++) {
      const int place = pixel + u * at.rows;
      if (place >= at.end) break;
      const Pack<width> x = inputs[u];
      Pack<width> g = gradient.at(u, x, normalized);
#pragma unroll
      for (int i = 0; i < width; i++) {
        g.values[i] = factor.values[i]
          * (g.values[i] - offset.values[i] - (x.values[i] - mean.values[i]) * slope.values[i]);
      }
      save<width>(a.output + static_cast<uint64>(place) * a.channels + at.channel, g);
    }
  }
}
KERNEL BLOCKS(2) normalizationGradientWide(const NormalizationGradientArguments a) {
  begin();
  normalizationGradient<PACK, unmasked>(a);
}
KERNEL BLOCKS(2) normalizationGradientRecomputedWide(const NormalizationGradientArguments a) {
  begin();
  normalizationGradient<PACK, recomputed>(a);
}
KERNEL BLOCKS(2) normalizationGradientMaskedWide(const NormalizationGradientArguments a) {
  begin();
  normalizationGradient<PACK, general>(a);
}
KERNEL normalizationGradientNarrow(const NormalizationGradientArguments a) {
  begin();
  normalizationGradient<1, general>(a);
}
