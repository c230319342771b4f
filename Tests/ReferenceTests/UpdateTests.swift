import ResidualReference
import Testing

/// Updates, norms and what they depend on, against numbers worked out by hand.
@Suite struct UpdateTests {
  private func scalar(_ value: Double) -> Tensor<Double> { Tensor([], [value]) }

  @Test func updates() throws {
    let update = Operation.momentumUpdate(.init(weightDecay: 0.5))
    let (w, v, g) = (Tensor([2], [2.0, 4]), Tensor([2], [1.0, -1]), Tensor([2], [8.0, 16]))
    func results(
      _ gradient: Tensor<Double>, gate: Double? = nil, factors: [Double]? = nil
    ) throws -> [[Double]] {
      let operands =
        [w, v, gradient, scalar(0.25), scalar(0.5)] + (gate.map { [scalar($0)] } ?? [])
        + (factors.map { [Tensor([2], $0)] } ?? [])
      return try (0..<3).map { try evaluate(update, operands, result: $0).scalars }
    }
    // v′ = v / 2 + (g + w / 2) / 4.
    #expect(try results(g) == [[-0.75, 0], [2.75, 4], [320, 20, 23.5625]])
    #expect(try results(g, gate: 0) == results(g))
    // v′ = v / 2 + (g / 8 + w / 2) / 4; u = g / 4.
    #expect(
      try results(g, gate: 7, factors: [0.25, 0.5])
        == [[1, 3.5], [1, 0.5], [20, 20, 1.25]])
    let infinite = Tensor([2], [Double.infinity, 1])
    for gate in [Double.infinity, -.infinity, .nan] {
      #expect(
        try results(infinite, gate: gate, factors: [1, 1])
          == [w.scalars, v.scalars, [.infinity, 20, 0]])
    }
  }

  @Test func norms() throws {
    let gradients = [Tensor([2], [8.0, 16]), Tensor([1, 2], [0.0, -16]), scalar(8)]
    func results(_ maximum: Float, scale: Double) throws -> [[Double]] {
      try (0..<2).map {
        try evaluate(
          .gradientNorm(.init(maximum: maximum)), [scalar(scale)] + gradients, result: $0
        ).scalars
      }
    }
    let norm = 640.0.squareRoot() / 4
    #expect(try results(.infinity, scale: 4) == [[norm], [0.25, 1]])
    #expect(try results(8, scale: 4) == [[norm], [0.25, 1]])
    #expect(try results(2, scale: 4) == [[norm], [0.25, 2 / (norm + 1e-6)]])
    for number in [Double.infinity, -.infinity, .nan] {
      let norm = try evaluate(.gradientNorm(.init()), [scalar(1), scalar(1), scalar(number)])
      #expect(!norm.scalars[0].isFinite)
    }
  }

  @Test func selection() throws {
    let (a, b) = (Tensor([2], [1.0, 2]), Tensor([2], [3.0, .nan]))
    for gate in [0, -1, 1e300] {
      #expect(try evaluate(.select(.init()), [scalar(gate), a, b]) == a)
    }
    for gate in [Double.infinity, -.infinity, .nan] {
      #expect(try evaluate(.select(.init()), [scalar(gate), b, a]) == a)
    }
  }
}
