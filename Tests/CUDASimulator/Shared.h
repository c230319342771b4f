// What the simulator and every simulated kernel agree on: how a kernel learns which thread it is
// and waits for others, and the conversions of sixteen-bit numbers. Included by KernelPrelude.h, so
// no standard header may be.
#pragma once

struct SimulatedIndex {
  unsigned x, y, z;
};

// Where the running thread stands. The simulator writes it whenever another thread goes on.
struct SimulatedPosition {
  SimulatedIndex thread, block, blockSize, gridSize;
};

enum SimulatedWait { waitForBlock, waitForBlockOr, waitForWarp, shuffleWarp, ballotWarp };

// What a kernel calls. A line is that of the call in the kernel's source: two threads of a block
// that wait at different lines wait at different barriers.
struct SimulatorCalls {
  int (*waitInBlock)(SimulatedWait kind, int predicate, int line);
  unsigned long long (*waitInWarp)(
    SimulatedWait kind, unsigned mask, unsigned long long value, unsigned source, int line);
};

static inline float simulatedFloat(unsigned bits) {
  float value;
  __builtin_memcpy(&value, &bits, 4);
  return value;
}

static inline unsigned simulatedBits(float value) {
  unsigned bits;
  __builtin_memcpy(&bits, &value, 4);
  return bits;
}

static inline float halfToFloat(unsigned short half) {
  const unsigned sign = (half & 0x8000u) << 16;
  const unsigned magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00u) return simulatedFloat(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
  if (magnitude < 0x400u) {  // a subnormal number counts units of 2^-24
    const float value = float(magnitude) * 0x1p-24f;
    return sign ? -value : value;
  }
  return simulatedFloat(sign | ((magnitude << 13) + 0x38000000u));
}

// To the nearest, ties to even; from 65520 on to infinity; NaN becomes the GPU's one NaN.
static inline unsigned short floatToHalf(float value) {
  const unsigned sign = simulatedBits(value) >> 16 & 0x8000u;
  unsigned bits = simulatedBits(value) & 0x7fffffffu;
  if (bits > 0x7f800000u) return 0x7fffu;
  if (bits >= 0x477ff000u) return sign | 0x7c00u;
  if (bits < 0x38800000u) {
    // Subnormal: next to 1/2 the spacing of floats is that of these halves, and adding rounds.
    return sign | (simulatedBits(simulatedFloat(bits) + 0.5f) - 0x3f000000u);
  }
  bits += 0xfffu + (bits >> 13 & 1u);
  return sign | (bits - 0x38000000u) >> 13;
}

static inline float bfloat16ToFloat(unsigned short value) {
  return simulatedFloat(unsigned(value) << 16);
}

static inline unsigned short floatToBFloat16(float value) {
  const unsigned bits = simulatedBits(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fffu;
  return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}
