// What every simulated kernel is compiled with: the part of CUDA's language that the kernels use,
// for a compiler of ordinary C++. The simulator runs one thread at a time and changes it only at a
// barrier or a shuffle, so atomic operations are plain ones and shared memory is static.
#pragma once
#include "Shared.h"

#define __global__ __attribute__((visibility("default")))
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __shared__ static
#define __constant__ static
#define __align__(bytes) __attribute__((aligned(bytes)))

typedef __SIZE_TYPE__ size_t;
typedef SimulatedIndex uint3;
typedef SimulatedIndex dim3;

static SimulatedPosition simulatedPosition;
static const SimulatorCalls *simulatorCalls;

// The name carries a version: a library compiled for another interface is refused, not misread.
extern "C" __global__ void *simulatorConnect1(const SimulatorCalls *calls) {
  simulatorCalls = calls;
  return &simulatedPosition;
}

#define threadIdx (simulatedPosition.thread)
#define blockIdx (simulatedPosition.block)
#define blockDim (simulatedPosition.blockSize)
#define gridDim (simulatedPosition.gridSize)
#define warpSize 32

// Barriers and shuffles -------------------------------------------------------------------------

static inline void __syncthreads(int line = __builtin_LINE()) {
  simulatorCalls->waitInBlock(waitForBlock, 0, line);
}

static inline int __syncthreads_or(int predicate, int line = __builtin_LINE()) {
  return simulatorCalls->waitInBlock(waitForBlockOr, predicate, line);
}

static inline void __syncwarp(unsigned mask = 0xffffffffu, int line = __builtin_LINE()) {
  simulatorCalls->waitInWarp(waitForWarp, mask, 0, 0, line);
}

static inline unsigned __ballot_sync(unsigned mask, int predicate, int line = __builtin_LINE()) {
  return simulatorCalls->waitInWarp(ballotWarp, mask, predicate != 0, 0, line);
}

static inline unsigned simulatedLane() {
  return ((threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x) % 32;
}

template <class T>
static inline T simulatedShuffle(unsigned mask, T value, unsigned source, int line) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles move 4 or 8 bytes");
  unsigned long long bits = 0;
  __builtin_memcpy(&bits, &value, sizeof(T));
  bits = simulatorCalls->waitInWarp(shuffleWarp, mask, bits, source, line);
  __builtin_memcpy(&value, &bits, sizeof(T));
  return value;
}

// A source outside of the lane's own segment of `width` lanes gives the lane's own value.
template <class T>
static inline T __shfl_sync(
  unsigned mask, T value, int source, int width = 32, int line = __builtin_LINE()) {
  const unsigned start = simulatedLane() / width * width;
  return simulatedShuffle(mask, value, start + unsigned(source) % width, line);
}

template <class T>
static inline T __shfl_xor_sync(
  unsigned mask, T value, int lanes, int width = 32, int line = __builtin_LINE()) {
  const unsigned lane = simulatedLane(), source = lane ^ lanes;
  return simulatedShuffle(mask, value, source < lane / width * width + width ? source : lane, line);
}

template <class T>
static inline T __shfl_down_sync(
  unsigned mask, T value, unsigned delta, int width = 32, int line = __builtin_LINE()) {
  const unsigned lane = simulatedLane(), source = lane + delta;
  return simulatedShuffle(mask, value, source < lane / width * width + width ? source : lane, line);
}

template <class T>
static inline T __shfl_up_sync(
  unsigned mask, T value, unsigned delta, int width = 32, int line = __builtin_LINE()) {
  const unsigned lane = simulatedLane();
  return simulatedShuffle(mask, value, lane % width >= delta ? lane - delta : lane, line);
}

static inline void __threadfence() {}
static inline void __threadfence_block() {}

// Atomic operations: each gives the old value -----------------------------------------------------

template <class T>
static inline T simulatedReplace(T *address, T value) {
  const T old = *address;
  *address = value;
  return old;
}

template <class T> struct SimulatedSame { typedef T type; };
template <class T> using SimulatedValue = typename SimulatedSame<T>::type;

template <class T>
static inline T atomicAdd(T *address, SimulatedValue<T> value) {
  return simulatedReplace(address, T(*address + value));
}

template <class T>
static inline T atomicMax(T *address, SimulatedValue<T> value) {
  return simulatedReplace(address, *address < value ? value : *address);
}

template <class T>
static inline T atomicMin(T *address, SimulatedValue<T> value) {
  return simulatedReplace(address, value < *address ? value : *address);
}

template <class T>
static inline T atomicExch(T *address, SimulatedValue<T> value) {
  return simulatedReplace(address, value);
}

template <class T>
static inline T atomicOr(T *address, SimulatedValue<T> value) {
  return simulatedReplace(address, T(*address | value));
}

template <class T>
static inline T atomicCAS(T *address, SimulatedValue<T> expected, SimulatedValue<T> value) {
  return simulatedReplace(address, *address == expected ? value : *address);
}

static inline unsigned atomicInc(unsigned *address, unsigned limit) {
  return simulatedReplace(address, *address >= limit ? 0u : *address + 1u);
}

// Vectors ---------------------------------------------------------------------------------------

#define SIMULATED_VECTORS(type, name) \
  struct alignas(2 * sizeof(type)) name##2 { type x, y; }; \
  struct alignas(4 * sizeof(type) < 16 ? 4 * sizeof(type) : 16) name##4 { type x, y, z, w; }; \
  static inline name##2 make_##name##2(type x, type y) { return {x, y}; } \
  static inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }
SIMULATED_VECTORS(float, float)
SIMULATED_VECTORS(double, double)
SIMULATED_VECTORS(int, int)
SIMULATED_VECTORS(unsigned, uint)
SIMULATED_VECTORS(short, short)
SIMULATED_VECTORS(unsigned short, ushort)
SIMULATED_VECTORS(unsigned char, uchar)
SIMULATED_VECTORS(long long, longlong)
#undef SIMULATED_VECTORS

// Mathematics -----------------------------------------------------------------------------------
// Declared here: headers of the C++ library would take longer to read than a kernel to compile.

#define SIMULATED_FUNCTION(name) \
  extern "C" double name(double); \
  extern "C" float name##f(float); \
  static inline float name(float value) { return name##f(value); }
SIMULATED_FUNCTION(exp)
SIMULATED_FUNCTION(exp2)
SIMULATED_FUNCTION(expm1)
SIMULATED_FUNCTION(log)
SIMULATED_FUNCTION(log2)
SIMULATED_FUNCTION(log1p)
SIMULATED_FUNCTION(sqrt)
SIMULATED_FUNCTION(fabs)
SIMULATED_FUNCTION(floor)
SIMULATED_FUNCTION(ceil)
SIMULATED_FUNCTION(rint)
SIMULATED_FUNCTION(tanh)
SIMULATED_FUNCTION(erf)
SIMULATED_FUNCTION(sin)
SIMULATED_FUNCTION(cos)
#undef SIMULATED_FUNCTION
extern "C" double fmax(double, double), fmin(double, double), pow(double, double);
extern "C" double fma(double, double, double);
extern "C" float fmaxf(float, float), fminf(float, float), powf(float, float);
extern "C" float fmaf(float, float, float);

static inline float rsqrtf(float value) { return 1.0f / sqrtf(value); }
static inline double rsqrt(double value) { return 1.0 / sqrt(value); }
static inline float __expf(float value) { return expf(value); }
static inline float __logf(float value) { return logf(value); }
static inline float __fdividef(float a, float b) { return a / b; }
static inline float __fadd_rn(float a, float b) { return a + b; }
static inline float __fsub_rn(float a, float b) { return a - b; }
static inline float __fmul_rn(float a, float b) { return a * b; }
static inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
static inline float __fdiv_rn(float a, float b) { return a / b; }
static inline float __fsqrt_rn(float value) { return sqrtf(value); }
static inline double __dadd_rn(double a, double b) { return a + b; }
static inline double __dmul_rn(double a, double b) { return a * b; }

template <class T> static inline bool isnan(T value) { return __builtin_isnan(value); }
template <class T> static inline bool isinf(T value) { return __builtin_isinf(value); }
template <class T> static inline bool isfinite(T value) { return __builtin_isfinite(value); }

#define SIMULATED_ORDER(type) \
  static inline type min(type a, type b) { return b < a ? b : a; } \
  static inline type max(type a, type b) { return a < b ? b : a; }
SIMULATED_ORDER(int)
SIMULATED_ORDER(unsigned)
SIMULATED_ORDER(long)
SIMULATED_ORDER(unsigned long)
SIMULATED_ORDER(long long)
SIMULATED_ORDER(unsigned long long)
#undef SIMULATED_ORDER
static inline float min(float a, float b) { return fminf(a, b); }
static inline float max(float a, float b) { return fmaxf(a, b); }
static inline double min(double a, double b) { return fmin(a, b); }
static inline double max(double a, double b) { return fmax(a, b); }

// Bits and memory -------------------------------------------------------------------------------

template <class To, class From>
static inline To simulatedCast(From from) {
  static_assert(sizeof(To) == sizeof(From), "the same bits");
  To to;
  __builtin_memcpy(&to, &from, sizeof(To));
  return to;
}

static inline unsigned __float_as_uint(float value) { return simulatedCast<unsigned>(value); }
static inline int __float_as_int(float value) { return simulatedCast<int>(value); }
static inline float __uint_as_float(unsigned value) { return simulatedCast<float>(value); }
static inline float __int_as_float(int value) { return simulatedCast<float>(value); }
static inline long long __double_as_longlong(double value) {
  return simulatedCast<long long>(value);
}
static inline double __longlong_as_double(long long value) { return simulatedCast<double>(value); }
static inline int __popc(unsigned value) { return __builtin_popcount(value); }
static inline int __clz(int value) { return value ? __builtin_clz(value) : 32; }
static inline int __ffs(int value) { return __builtin_ffs(value); }
static inline unsigned __umulhi(unsigned a, unsigned b) {
  return unsigned((unsigned long long)a * b >> 32);
}
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)((unsigned __int128)a * b >> 64);
}

template <class T> static inline T __ldg(const T *address) { return *address; }
template <class T> static inline T __ldcs(const T *address) { return *address; }
template <class T> static inline T __ldcg(const T *address) { return *address; }
template <class T> static inline void __stcs(T *address, SimulatedValue<T> value) {
  *address = value;
}
template <class T> static inline void __stcg(T *address, SimulatedValue<T> value) {
  *address = value;
}

#include "MatrixUnits.h"
