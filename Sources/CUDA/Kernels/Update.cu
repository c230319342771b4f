// What happens to parameters: many tensors a launch, since most are small. blockIdx.y counts them.

/// A parameter and what belongs to it. Its gradient lies as the parameter does, or with the
/// channels innermost and padded, in which a filter's gradient is computed.
struct ParameterEntry {
  const float *parameter, *velocity;
  const void* gradient;
  float *newParameter, *newVelocity;
  int count, taps, channels, storedChannels, isReal;
  float weightDecay, rateScale;
};

/// The place of number i of a parameter `[K, channels, taps]` in a gradient
/// `[K, taps, storedChannels]`.
__device__ __forceinline__ uint32 gradientPlace(
  uint32 i, uint32 taps, uint32 channels, uint32 storedChannels
) {
  const uint32 tap = i % taps, rest = i / taps;
  return (rest / channels * taps + tap) * storedChannels + rest % channels;
}

__device__ __forceinline__ float gradientAt(const ParameterEntry& e, uint32 i) {
  if (e.taps > 0) i = gradientPlace(i, e.taps, e.channels, e.storedChannels);
  return e.isReal ? real(static_cast<const Real*>(e.gradient)[i])
                  : static_cast<const float*>(e.gradient)[i];
}

__device__ __forceinline__ bool isFinite(float x) { return fabsf(x) <= 3.402823466e38f; }

/// The sum over a block of 256 threads, in the same order each time; thread 0 has it.
__device__ __forceinline__ float blockSum(float x) {
  __shared__ float sums[8];
  x = warpSum(x);
  __syncthreads();
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = x;
  __syncthreads();
  float sum = 0;
  for (int warp = 0; warp < 8; warp++) sum += sums[warp];
  return sum;
}

#define PARAMETERS 48

struct UpdateArguments {
  const float *rate, *momentum, *gate, *factors;
  float* squares;
  ParameterEntry entries[PARAMETERS];
};

/// u = g / scale, v′ = momentum · v + rate · (clip · u + λw), w′ = w − v′; nothing changes where the gate
/// is not finite. A block leaves its sums of u², w² and v′².
KERNEL updateParameters(const UpdateArguments a) {
  begin();
  const ParameterEntry e = a.entries[blockIdx.y];
  const bool keeps = a.gate && !isFinite(*a.gate);
  const float rate = *a.rate * e.rateScale, momentum = *a.momentum;
  const float unscale = a.factors ? a.factors[0] : 1, clip = a.factors ? a.factors[1] : 1;
  float gradients = 0, parameters = 0, velocities = 0;
  for (uint32 i = blockIdx.x * blockDim.x + threadIdx.x; i < e.count; i += gridDim.x * blockDim.x) {
    const float w = e.parameter[i], v = e.velocity[i];
    const float g = gradientAt(e, i) * unscale;
    const float velocity = keeps ? v : momentum * v + rate * (clip * g + e.weightDecay * w);
    e.newVelocity[i] = velocity;
    e.newParameter[i] = keeps ? w : w - velocity;
    gradients += g * g;
    parameters += w * w;
    if (!keeps) velocities += velocity * velocity;
  }
  gradients = blockSum(gradients);
  parameters = blockSum(parameters);
  velocities = blockSum(velocities);
  if (threadIdx.x > 0) return;
  float* squares = a.squares + (blockIdx.y * gridDim.x + blockIdx.x) * 3;
  squares[0] = gradients;
  squares[1] = parameters;
  squares[2] = velocities;
}

struct MergeSquaresArguments {
  const float* partials;
  float* squares;
  int first, blocks;
};

/// Adds up what the blocks have left, for each parameter of a launch, behind the `first` ones.
KERNEL mergeSquares(const MergeSquaresArguments a) {
  begin();
  if (threadIdx.x >= 3) return;
  const float* partials = a.partials + blockIdx.x * a.blocks * 3 + threadIdx.x;
  double sum = 0;
  for (int block = 0; block < a.blocks; block++) sum += partials[block * 3];
  a.squares[(a.first + blockIdx.x) * 3 + threadIdx.x] = static_cast<float>(sum);
}

struct SquareGradientsArguments {
  float* partials;
  uint64 first;
  ParameterEntry entries[PARAMETERS];
};

/// The sums of squares of gradients, one a block, behind the `first` ones.
KERNEL squareGradients(const SquareGradientsArguments a) {
  begin();
  const ParameterEntry e = a.entries[blockIdx.y];
  float sum = 0;
  for (uint32 i = blockIdx.x * blockDim.x + threadIdx.x; i < e.count; i += gridDim.x * blockDim.x) {
    const float g = gradientAt(e, i);
    sum += g * g;
  }
  sum = blockSum(sum);
  if (threadIdx.x == 0) a.partials[a.first + blockIdx.y * gridDim.x + blockIdx.x] = sum;
}

struct GradientNormArguments {
  const float *partials, *scale;
  float *norm, *factors;
  int count;
  float maximum;
};

/// norm = √Σ / scale, factors = (1 / scale, min(1, maximum / (norm + 10⁻⁶))). One block.
KERNEL gradientNorm(const GradientNormArguments a) {
  begin();
  __shared__ double sums[256];
  double sum = 0;
  for (int i = threadIdx.x; i < a.count; i += 256) sum += a.partials[i];
  sums[threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.x > 0) return;
  sum = 0;
  for (int i = 0; i < 256; i++) sum += sums[i];
  // A sum beyond float32 counts as infinite, as those of single gradients do.
  const double norm = sqrt(static_cast<double>(static_cast<float>(sum))) / *a.scale;
  *a.norm = static_cast<float>(norm);
  a.factors[0] = 1 / *a.scale;
  a.factors[1] = fminf(1, static_cast<float>(a.maximum / (norm + 1e-6)));
}

struct LossScaleArguments {
  const float *scale, *steps, *gate;
  float *newScale, *newSteps;
  float interval, growth, backoff, least, most;
};
KERNEL updateLossScale(const LossScaleArguments a) {
  begin();
  float scale = *a.scale, steps = *a.steps + 1;
  if (!isFinite(*a.gate)) {
    scale = fmaxf(scale * a.backoff, a.least);
    steps = 0;
  } else if (steps >= a.interval) {
    scale = fminf(scale * a.growth, a.most);
    steps = 0;
  }
  *a.newScale = scale;
  *a.newSteps = steps;
}

#define FILTERS 80

/// How a filter is packed: `[K, taps, C]`, or in fragments for smallConvolution, which sums over C,
/// or over K for the input's gradient, with the taps turned round.
enum FilterLayout { channelsInnermost, fragments, turnedFragments };

struct FilterEntry {
  const float* source;
  Real* target;
  int count, taps, channels, storedChannels, layout;
};
struct PackFiltersArguments { FilterEntry entries[FILTERS]; };

struct FilterPlace { uint32 k, tap, channel; };

/// What lies at place i of a packed filter of K and `storedChannels` channels. Fragments are
/// `[taps, summed / 16, outputs / 16, 32, 8]`: a lane's numbers for two products side by side.
__device__ __forceinline__ FilterPlace filterPlace(const FilterEntry& e, uint32 i) {
  const uint32 taps = e.taps, stored = e.storedChannels;
  if (e.layout == channelsInnermost) return {i / stored / taps, i / stored % taps, i % stored};
  const uint32 k = e.count / (taps * stored);
  const bool isTurned = e.layout == turnedFragments;
  const uint32 sums = (isTurned ? k : stored) / 16, outputs = (isTurned ? stored : k) / 16;
  const uint32 lane = i / 8 % 32, product = i / 4 % 2, rest = i / 256;
  const uint32 summed = rest / outputs % sums * 16 + i / 2 % 2 * 8 + lane % 4 * 2 + i % 2;
  const uint32 output = rest % outputs * 16 + lane / 8 * 4 + product * 2 + lane / 4 % 2;
  const uint32 tap = rest / outputs / sums;
  if (isTurned) return {summed, taps - 1 - tap, output};
  return {output, tap, summed};
}

/// Filters `[K, channels, taps]` in float32 as convolutions read them, with zeros behind the
/// channels. `count` is the target's.
KERNEL packFilters(const PackFiltersArguments a) {
  begin();
  const FilterEntry e = a.entries[blockIdx.y];
  for (uint32 i = blockIdx.x * blockDim.x + threadIdx.x; i < e.count; i += gridDim.x * blockDim.x) {
    const FilterPlace place = filterPlace(e, i);
    store(
      e.target[i],
      place.channel < e.channels
        ? e.source[(place.k * e.channels + place.channel) * e.taps + place.tap] : 0.0f);
  }
}

struct UnpackFilterArguments {
  const Real* source;
  float* target;
  int count, taps, channels, storedChannels;
};
KERNEL unpackFilter(const UnpackFilterArguments a) {
  begin();
  for (uint32 i = blockIdx.x * blockDim.x + threadIdx.x; i < a.count; i += gridDim.x * blockDim.x) {
    a.target[i] = real(a.source[gradientPlace(i, a.taps, a.channels, a.storedChannels)]);
  }
}

struct VectorArguments {
  const float *x, *y, *gate;
  float* output;
  int count, function;
  float factor;
};

/// Small maps of vectors with one number a channel; the host has the same numbers.
KERNEL mapVector(const VectorArguments a) {
  begin();
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= a.count) return;
  switch (a.function) {
    // M2 of x, a count in y.
    case 0: a.output[i] = a.x[i] / fmaxf(*a.y - a.factor, 1.0f); break;
    // The moving average of x, with y as the new value.
    case 1: a.output[i] = a.x[i] + a.factor * (a.y[i] - a.x[i]); break;
    // The scale's gradient, of the products in x and the variance in y.
    case 2: a.output[i] = a.x[i] * rsqrtf(a.y[i] + a.factor); break;
    // x or y, by the gate.
    case 3: a.output[i] = isFinite(*a.gate) ? a.x[i] : a.y[i]; break;
  }
}
