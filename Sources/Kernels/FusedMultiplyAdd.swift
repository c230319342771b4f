// One name for the multiply-add, because the two spellings compile differently: `addingProduct` is
// one instruction if the instruction set has it, and else a library call for each lane; `a * b + c`
// is never contracted.

/// `a · b + c`, rounded once if the instruction set can, otherwise twice.
@inline(__always) func fusedMultiplyAdd(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector {
  #if AVX2 || AVX512 || arch(arm64)
    return c.addingProduct(a, b)
  #else
    return a * b + c
  #endif
}

/// `a · b + c` with one number for all lanes.
@inline(__always) func fusedMultiplyAdd(_ a: Float, _ b: Vector, _ c: Vector) -> Vector {
  fusedMultiplyAdd(Vector(repeating: a), b, c)
}
