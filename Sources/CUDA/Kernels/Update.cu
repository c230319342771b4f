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

#define PARAMETERS 48

struct UpdateArguments {
  const float *rate, *momentum, *scale, *finite;
  ParameterEntry entries[PARAMETERS];
};

/// v′ = momentum · v + rate · (g / scale + λw), w′ = w − v′; nothing changes where a gradient was
/// not finite.
KERNEL updateParameters(const UpdateArguments a) {
  begin();
  const ParameterEntry e = a.entries[blockIdx.y];
  const bool skips = a.finite && *a.finite == 0;
  const float rate = *a.rate * e.rateScale, momentum = *a.momentum;
  const float factor = a.scale ? 1 / *a.scale : 1;
  for (uint32 i = blockIdx.x * blockDim.x + threadIdx.x; i < e.count; i += gridDim.x * blockDim.x) {
    const float w = e.parameter[i], v = e.velocity[i];
    const float g = gradientAt(e, i) * factor;
    const float velocity = skips ? v : momentum * v + rate * (g + e.weightDecay * w);
    e.newVelocity[i] = velocity;
    e.newParameter[i] = skips ? w : w - velocity;
  }
}

struct FiniteArguments {
  unsigned int* failures;
  uint64 unused;
  ParameterEntry entries[PARAMETERS];
};

/// Counts blocks that have seen a gradient that is not finite; whether there is one does not
/// depend on their order.
KERNEL countFailures(const FiniteArguments a) {
  begin();
  const ParameterEntry e = a.entries[blockIdx.y];
  bool fails = false;
  for (uint32 i = blockIdx.x * blockDim.x + threadIdx.x; i < e.count; i += gridDim.x * blockDim.x) {
    const float g = gradientAt(e, i);
    fails |= !(fabsf(g) <= 3.402823466e38f);
  }
  if (fails) atomicAdd(a.failures, 1u);
}

struct FiniteResultArguments {
  const unsigned int* failures;
  float* result;
  uint64 unused;
};
KERNEL finiteResult(const FiniteResultArguments a) { begin(); *a.result = *a.failures == 0 ? 1.0f : 0.0f; }

struct LossScaleArguments {
  const float *scale, *steps, *finite;
  float *newScale, *newSteps;
  float interval, growth, backoff, least, most;
};
KERNEL updateLossScale(const LossScaleArguments a) {
  begin();
  float scale = *a.scale, steps = *a.steps + 1;
  if (*a.finite == 0) {
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
  const float *x, *y;
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
  }
}
