// Maps from numbers to numbers. A thread takes 16 bytes of each operand where the count allows it.

/// What is computed of x and y; the host has the same numbers.
enum Function {
  addition = 0, subtraction, multiplication, scaling, rectification, rectifierGradient, logistic,
  logisticGradient
};

__device__ __forceinline__ float apply(int function, float x, float y, float z, float factor) {
  switch (function) {
    case addition: return x + y;
    case subtraction: return x - y;
    case multiplication: return x * y;
    case scaling: return x * factor;
    case rectification: return x < 0 ? 0.0f : x;
    case rectifierGradient: return y > 0 ? x + z : 0.0f;
    case logistic: return 1 / (1 + expf(-x));
    case logisticGradient: return x * y * (1 - y);
    default: return x;
  }
}

struct MapArguments {
  const Real *x, *y, *z;
  Real* output;
  uint64 count;
  int function;
  float factor;
};

template <int width> __device__ __forceinline__ void map(const MapArguments& a) {
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x * width;
  for (uint64 i = (static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x) * width; i < a.count;
       i += step) {
    Pack<width> x = load<width>(a.x + i), y = {}, z = {};
    if (a.y) y = load<width>(a.y + i);
    if (a.z) z = load<width>(a.z + i);
#pragma unroll
    for (int k = 0; k < width; k++) {
      x.values[k] = apply(a.function, x.values[k], y.values[k], z.values[k], a.factor);
    }
    save<width>(a.output + i, x);
  }
}
KERNEL mapWide(const MapArguments a) { begin(); map<PACK>(a); }
KERNEL mapNarrow(const MapArguments a) { begin(); map<1>(a); }

struct AddBiasArguments {
  const Real* x;
  const float* bias;
  Real* output;
  uint64 count;
  int channels;
};

KERNEL addBias(const AddBiasArguments a) {
  begin();
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < a.count;
       i += step) {
    store(a.output[i], real(a.x[i]) + a.bias[i % a.channels]);
  }
}

struct DropoutArguments {
  const Real* x;
  const int* key;
  Real* output;
  uint64 count, stream;
  float rate;
};

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014), as `RandomKey.mix`.
__device__ __forceinline__ uint64 mix(uint64 z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

KERNEL dropout(const DropoutArguments a) {
  begin();
  const uint64 bits =
    static_cast<uint64>(static_cast<uint32>(a.key[1])) << 32 | static_cast<uint32>(a.key[0]);
  const uint64 source = mix(bits + 0x9E3779B97F4A7C15ull * (a.stream + 1));
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  const float kept = 1 / (1 - a.rate);
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < a.count;
       i += step) {
    const float draw = static_cast<float>(mix(source + i) >> 40) * 0x1p-24f;
    store(a.output[i], draw < a.rate ? 0.0f : real(a.x[i]) * kept);
  }
}

/// Numbers of one type as another, pixel by pixel, with zeros behind each pixel's channels or
/// without those that stand there.
struct ConvertArguments {
  const void* source;
  void* target;
  uint64 pixels;
  int sourceChannels, targetChannels;
};

template <typename From, typename To>
__device__ __forceinline__ void convert(const ConvertArguments& a) {
  const From* source = static_cast<const From*>(a.source);
  To* target = static_cast<To*>(a.target);
  const uint64 count = a.pixels * a.targetChannels;
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const uint64 pixel = i / a.targetChannels;
    const int channel = static_cast<int>(i - pixel * a.targetChannels);
    store(
      target[i],
      channel < a.sourceChannels ? real(source[pixel * a.sourceChannels + channel]) : 0.0f);
  }
}
KERNEL convertFromFloat(const ConvertArguments a) { begin(); convert<float, Real>(a); }
KERNEL convertToFloat(const ConvertArguments a) { begin(); convert<Real, float>(a); }
KERNEL convertPixels(const ConvertArguments a) { begin(); convert<Real, Real>(a); }

struct NoiseArguments {
  Real* target;
  uint64 count, seed;
};

/// Numbers in -1..<1 under a seed.
KERNEL noise(const NoiseArguments a) {
  begin();
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < a.count;
       i += step) {
    const uint64 draw = mix(a.seed * 0x9E3779B97F4A7C15ull + i) >> 40;
    store(a.target[i], static_cast<float>(draw) * 0x1p-23f - 1);
  }
}

struct DisagreementArguments {
  const Real *first, *second;
  uint32* failures;
  uint64 count;
  float tolerance;
};

/// Counts numbers that are further apart than the tolerance, or no numbers.
KERNEL disagreement(const DisagreementArguments a) {
  begin();
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  bool fails = false;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < a.count;
       i += step) {
    fails |= !(fabsf(real(a.first[i]) - real(a.second[i])) <= a.tolerance);
  }
  if (fails) atomicAdd(a.failures, 1u);
}
