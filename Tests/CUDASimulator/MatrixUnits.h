// The units for matrix products of a warp, in plain loops: the functions that kernels have as
// single instructions on a GPU (Sources/CUDA/Kernels/MatrixUnits.cu). Included by KernelPrelude.h.
#pragma once

// What each lane of this warp gives; it counts until the warp's next barrier.
template <class T>
static inline const T *simulatedWarpValues(const T &value, int line) {
  static T values[32][32];
  const unsigned thread =
    (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  values[thread / 32][thread % 32] = value;
  __syncwarp(0xffffffffu, line);
  return values[thread / 32];
}

// Lane i gives the address of row i % 8 of matrix i / 8, of 8 numbers, and gets two neighbours in
// row lane / 4 of each matrix.
static inline void loadMatrices(
  unsigned (&m)[4], const void *row, int line = __builtin_LINE()) {
  const unsigned lane = simulatedLane();
  const void *const *const rows = simulatedWarpValues(row, line);
  for (unsigned i = 0; i < 4; i++) m[i] = ((const unsigned *)rows[i * 8 + lane / 4])[lane % 4];
  __syncwarp(0xffffffffu, line);
}

static inline void loadTransposed(
  unsigned (&m)[4], const void *row, int line = __builtin_LINE()) {
  const unsigned lane = simulatedLane(), first = lane % 4 * 2;
  const void *const *const rows = simulatedWarpValues(row, line);
  for (unsigned i = 0; i < 4; i++) {
    const auto number = [&](unsigned r) {
      return unsigned(((const unsigned short *)rows[i * 8 + r])[lane / 4]);
    };
    m[i] = number(first) | number(first + 1) << 16;
  }
  __syncwarp(0xffffffffu, line);
}

struct SimulatedFragments {
  unsigned a[4], b[2];
};

// Fragments of the instruction mma.m16n8k16: number k of row r of `a` is in lane r % 8 · 4 +
// k % 8 / 2; number k of column n of `b` in lane n · 4 + k % 8 / 2.
template <float (*number)(unsigned short)>
static inline void simulatedMultiply(
  float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, int line) {
  const unsigned lane = simulatedLane();
  const SimulatedFragments *const lanes =
    simulatedWarpValues(SimulatedFragments{{a[0], a[1], a[2], a[3]}, {b0, b1}}, line);
  for (unsigned i = 0; i < 4; i++) {
    const unsigned row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
    for (unsigned k = 0; k < 16; k++) {
      const unsigned x = lanes[row % 8 * 4 + k % 8 / 2].a[row / 8 + k / 8 * 2];
      const unsigned y = lanes[column * 4 + k % 8 / 2].b[k / 8];
      const unsigned shift = k % 2 * 16;
      c[i] += number((unsigned short)(x >> shift)) * number((unsigned short)(y >> shift));
    }
  }
  __syncwarp(0xffffffffu, line);
}

static inline void multiplyHalf(
  float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, int line = __builtin_LINE()) {
  simulatedMultiply<halfToFloat>(c, a, b0, b1, line);
}

static inline void multiplyBFloat16(
  float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, int line = __builtin_LINE()) {
  simulatedMultiply<bfloat16ToFloat>(c, a, b0, b1, line);
}

// Copies into shared memory are done at once.
static inline void beginCopy(void *target, const void *source, bool isThere) {
  if (isThere) __builtin_memcpy(target, source, 16);
  else __builtin_memset(target, 0, 16);
}
static inline void finishCopies() {}
