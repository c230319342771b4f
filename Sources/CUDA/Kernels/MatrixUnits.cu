// The units for matrix products, for numbers of 16 bits (from compute capability 8.0 on): a warp
// multiplies together. Fragments are spread over its lanes as PTX says for mma.m16n8k16.

#if !defined(REAL_IS_FLOAT) && (defined(RESIDUAL_SIMULATED) || __CUDA_ARCH__ >= 800)
#define HAS_MATRIX_UNITS

#ifndef RESIDUAL_SIMULATED
__device__ __forceinline__ uint32 sharedAddress(const void* address) {
  return static_cast<uint32>(__cvta_generic_to_shared(address));
}

/// Four matrices of 8×8 numbers out of shared memory; lane i says where row i % 8 of matrix i / 8
/// lies.
__device__ __forceinline__ void loadMatrices(uint32 (&m)[4], const void* row) {
  asm volatile(
    "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
    : "=r"(m[0]), "=r"(m[1]), "=r"(m[2]), "=r"(m[3]) : "r"(sharedAddress(row)));
}

/// Likewise, each matrix transposed.
__device__ __forceinline__ void loadTransposed(uint32 (&m)[4], const void* row) {
  asm volatile(
    "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
    : "=r"(m[0]), "=r"(m[1]), "=r"(m[2]), "=r"(m[3]) : "r"(sharedAddress(row)));
}

#define DEFINE_MULTIPLY(name, type) \
  __device__ __forceinline__ void name( \
    float (&c)[4], const uint32 (&a)[4], uint32 b0, uint32 b1 \
  ) { \
    asm volatile( \
      "mma.sync.aligned.m16n8k16.row.col.f32." type "." type ".f32 " \
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};" \
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) \
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1)); \
  }
DEFINE_MULTIPLY(multiplyHalf, "f16")
DEFINE_MULTIPLY(multiplyBFloat16, "bf16")

/// Begins to copy 16 bytes into shared memory; where `isThere` is false, they become zeros.
__device__ __forceinline__ void beginCopy(void* target, const void* source, bool isThere) {
  asm volatile(
    "cp.async.cg.shared.global [%0], [%1], 16, %2;"
    :: "r"(sharedAddress(target)), "l"(source), "r"(isThere ? 16 : 0) : "memory");
}

/// Waits for this thread's copies; a barrier must follow.
__device__ __forceinline__ void finishCopies() { asm volatile("cp.async.wait_all;" ::: "memory"); }
#endif

/// c += a · b, with a of 16×16, b of 16×8 and c of 16×8 numbers.
__device__ __forceinline__ void multiply(
  float (&c)[4], const uint32 (&a)[4], uint32 b0, uint32 b1
) {
#ifdef REAL_FLOAT16
  multiplyHalf(c, a, b0, b1);
#else
  multiplyBFloat16(c, a, b0, b1);
#endif
}
#endif
