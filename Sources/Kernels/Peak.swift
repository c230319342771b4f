extension Kernels {
  /// Twelve chains of multiply-adds: enough to hide a latency of 4 cycles at 2 a cycle, and few
  /// enough for 16 registers.
  public func peakOperations(iterations: Int) -> Int {
    var sums = InlineArray<12, Vector>(repeating: Vector(repeating: 1))
    let factor = Vector(repeating: Float(iterations & 1) * 0.25 + 0.5)
    let addend = Vector(repeating: 0.25)
    for _ in 0..<iterations {
      for i in 0..<12 { sums[i] = fusedMultiplyAdd(sums[i], factor, addend) }
    }
    var total = Vector.zero
    for i in 0..<12 { total += sums[i] }
    // The result depends on the sums, so that they are computed.
    return total[0].isNaN ? 0 : iterations &* 12 &* 2 &* Vector.scalarCount
  }
}
