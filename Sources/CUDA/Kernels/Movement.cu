// Numbers that change their places only.

#define AXES 6

/// Copies the elements of a box: element (i₀, …, i₅) lies at Σ i · stride on either side. Strides
/// count numbers. The last axis is the innermost.
struct CopyBoxArguments {
  const Real* source;
  Real* target;
  uint64 count, sourceStart, targetStart;
  long long sourceStrides[AXES], targetStrides[AXES];
  int extents[AXES];
};

KERNEL copyBox(const CopyBoxArguments a) {
  begin();
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < a.count;
       i += step) {
    uint64 rest = i;
    long long source = a.sourceStart, target = a.targetStart;
#pragma unroll
    for (int axis = AXES - 1; axis >= 0; axis--) {
      const uint64 outer = rest / a.extents[axis];
      const long long place = static_cast<long long>(rest - outer * a.extents[axis]);
      source += place * a.sourceStrides[axis];
      target += place * a.targetStrides[axis];
      rest = outer;
    }
    a.target[target] = a.source[source];
  }
}

/// Along each of four axes, element i of the result is element (i · factor + offset) / divisor of the
/// source, or `value` where that is no whole number or lies outside: slices, padding and their
/// gradients, one behind the other. The last axis counts packs of `width` numbers.
struct GatherArguments {
  const Real* source;
  Real* target;
  uint64 count;
  int extents[4], sourceExtents[4], factors[4], offsets[4], divisors[4];
  float value;
};

template <int width> __device__ __forceinline__ void gather(const GatherArguments& a) {
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < a.count;
       i += step) {
    // The outermost axis may count beyond 32 bits, the others do not.
    const uint32 inner = static_cast<uint32>(a.extents[1]) * a.extents[2] * a.extents[3];
    uint32 rest = static_cast<uint32>(i % inner);
    int places[4];
    places[0] = static_cast<int>(i / inner);
#pragma unroll
    for (int axis = 3; axis > 0; axis--) {
      const uint32 outer = rest / static_cast<uint32>(a.extents[axis]);
      places[axis] = rest - outer * a.extents[axis];
      rest = outer;
    }
    uint64 source = 0;
    bool inside = true;
#pragma unroll
    for (int axis = 0; axis < 4; axis++) {
      const int scaled = places[axis] * a.factors[axis] + a.offsets[axis];
      const int index = scaled / a.divisors[axis];
      inside = inside && scaled >= 0 && index * a.divisors[axis] == scaled
        && index < a.sourceExtents[axis];
      source = source * a.sourceExtents[axis] + index;
    }
    if (inside) {
      *reinterpret_cast<Stored<width>*>(a.target + i * width) =
        *reinterpret_cast<const Stored<width>*>(a.source + source * width);
    } else {
      Pack<width> around;
#pragma unroll
      for (int k = 0; k < width; k++) around.values[k] = a.value;
      save<width>(a.target + i * width, around);
    }
  }
}
KERNEL gatherWide(const GatherArguments a) { begin(); gather<PACK>(a); }
KERNEL gatherNarrow(const GatherArguments a) { begin(); gather<1>(a); }

struct FillArguments {
  Real* target;
  uint64 count;
  float value;
};

KERNEL fill(const FillArguments a) {
  begin();
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < a.count;
       i += step) {
    store(a.target[i], a.value);
  }
}

/// Sums over a box: result i of the outer axes is the sum over the inner box.
struct SumBoxArguments {
  const Real* source;
  Real* target;
  uint64 count, innerCount;
  long long outerStrides[AXES], innerStrides[AXES];
  int outerExtents[AXES], innerExtents[AXES];
};

KERNEL sumBox(const SumBoxArguments a) {
  begin();
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < a.count;
       i += step) {
    uint64 rest = i;
    long long start = 0;
    for (int axis = AXES - 1; axis >= 0; axis--) {
      start += static_cast<long long>(rest % a.outerExtents[axis]) * a.outerStrides[axis];
      rest /= a.outerExtents[axis];
    }
    double sum = 0;
    for (uint64 k = 0; k < a.innerCount; k++) {
      uint64 inner = k;
      long long place = start;
      for (int axis = AXES - 1; axis >= 0; axis--) {
        place += static_cast<long long>(inner % a.innerExtents[axis]) * a.innerStrides[axis];
        inner /= a.innerExtents[axis];
      }
      sum += real(a.source[place]);
    }
    store(a.target[i], static_cast<float>(sum));
  }
}
