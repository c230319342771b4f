extension Operation {
  /// Sets numbers to zero at random, so that the others cannot rely on them (Hinton et al. 2012):
  ///
  ///     output[i] = input[i] / (1 − rate)   if keeps(key, i), else 0
  ///
  /// The mask is a function of the key, the stream and the index: the gradient is the same operation
  /// on the output's gradient, and nothing is stored. Operands: the input, and the key `[2]` (int32),
  /// the halves of 64 bits that differ from step to step. Result: as the input.
  public struct Dropout: OperationRule {
    /// The share of numbers that are dropped, 0 ≤ rate < 1.
    public let rate: Float
    /// Tells the layers of a network apart.
    public let stream: UInt64

    /// - Precondition: 0 ≤ rate < 1.
    public init(rate: Float, stream: UInt64) {
      precondition(rate >= 0 && rate < 1, "a dropout rate of \(rate)")
      self.rate = rate
      self.stream = stream
    }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(2, operands)
      try expect("the key", operands[1], toBe: [2])
      return [operands[0]]
    }
    func gradients(of node: Value, _ gradient: Value, in graph: inout Graph) -> [Value?] {
      let key = graph.nodes[node.node].operands[1]
      return [graph.append(.dropout(self), [gradient, key], gradientOf: node), nil]
    }

    /// What the masks of this layer are drawn from in a step.
    package func source(low: Int32, high: Int32) -> RandomKey {
      RandomKey(bits: UInt64(UInt32(bitPattern: high)) << 32 | UInt64(UInt32(bitPattern: low)))
        .derived(stream)
    }

    /// The factor of a number: 0 or 1 / (1 − rate).
    @inlinable package func factor(_ source: RandomKey, index: Int) -> Float {
      // 24 bits: as many as a float32 below 1 has.
      let draw = RandomKey.mix(source.bits &+ UInt64(truncatingIfNeeded: index)) >> 40
      return Float(draw) * 0x1p-24 < rate ? 0 : 1 / (1 - rate)
    }
  }
}
