// What every kernel begins with. A module is compiled for one type of activations: `Real`.
//
// Each kernel takes one struct, whose members are addresses, then whole numbers, then real numbers,
// so that the host can write it down without knowing C++. All work is cut by the extents alone, and
// sums are merged in a fixed order: the same bits each time.

// Kernels may be launched before the one in front of them has ended, so that the time of a launch is
// hidden: each begins with `begin()`, which lets the next one come and waits for the one in front.

typedef unsigned char uint8;
typedef unsigned short uint16;
typedef unsigned int uint32;
typedef unsigned long long uint64;

#define KERNEL extern "C" __global__ void
#define LEAST __uint_as_float(0xff800000u)  // -∞

__device__ __forceinline__ void begin() {
#if !defined(RESIDUAL_SIMULATED) && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;");
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

#ifndef RESIDUAL_SIMULATED
__device__ __forceinline__ float halfToFloat(uint16 bits) {
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
  return value;
}
__device__ __forceinline__ uint16 floatToHalf(float value) {
  uint16 bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
}
__device__ __forceinline__ float bfloat16ToFloat(uint16 bits) {
  return __uint_as_float(static_cast<uint32>(bits) << 16);
}
__device__ __forceinline__ uint16 floatToBFloat16(float value) {
  uint16 bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
}
#endif

#if defined(REAL_FLOAT16)
struct Real { uint16 bits; };
__device__ __forceinline__ float real(Real x) { return halfToFloat(x.bits); }
__device__ __forceinline__ void store(Real& target, float x) { target.bits = floatToHalf(x); }
#elif defined(REAL_BFLOAT16)
struct Real { uint16 bits; };
__device__ __forceinline__ float real(Real x) { return bfloat16ToFloat(x.bits); }
__device__ __forceinline__ void store(Real& target, float x) { target.bits = floatToBFloat16(x); }
#else
typedef float Real;
#define REAL_IS_FLOAT
#endif
__device__ __forceinline__ float real(float x) { return x; }
__device__ __forceinline__ void store(float& target, float x) { target = x; }

/// The numbers that 16 bytes hold.
#define PACK (16 / static_cast<int>(sizeof(Real)))

/// Some numbers that lie together, read and written at once.
template <int width> struct Pack { float values[width]; };

template <int width> struct alignas(width * sizeof(Real)) Stored { Real values[width]; };

template <int width>
__device__ __forceinline__ Pack<width> unpacked(const Stored<width>& stored) {
  Pack<width> pack;
#pragma unroll
  for (int i = 0; i < width; i++) pack.values[i] = real(stored.values[i]);
  return pack;
}

template <int width> __device__ __forceinline__ Pack<width> load(const Real* source) {
  return unpacked(*reinterpret_cast<const Stored<width>*>(source));
}

template <int width>
__device__ __forceinline__ void save(Real* target, const Pack<width>& pack) {
  Stored<width> stored;
#pragma unroll
  for (int i = 0; i < width; i++) store(stored.values[i], pack.values[i]);
  *reinterpret_cast<Stored<width>*>(target) = stored;
}

/// Numbers of a vector with one number a channel.
template <int width> __device__ __forceinline__ Pack<width> channels(const float* source) {
  Pack<width> pack;
#pragma unroll
  for (int i = 0; i < width; i++) pack.values[i] = source[i];
  return pack;
}

/// The sum over the lanes of a warp, in the same order each time; every lane has it.
__device__ __forceinline__ float warpSum(float x) {
#pragma unroll
  for (int lane = 16; lane > 0; lane /= 2) x += __shfl_xor_sync(0xffffffffu, x, lane);
  return x;
}
__device__ __forceinline__ float warpMaximum(float x) {
#pragma unroll
  for (int lane = 16; lane > 0; lane /= 2) x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, lane));
  return x;
}
