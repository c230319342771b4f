import ResidualReference
import Testing

@Suite struct LossScalingTests {
  private func scalar(_ value: Double) -> Tensor<Double> { Tensor([], [value]) }

  @Test func gradientsAreFiniteOrNot() throws {
    let finite = Tensor([2], [1e300, -3])
    #expect(try evaluate(.allFinite(.init()), [finite, scalar(0)]) == scalar(1))
    for number in [Double.infinity, -.infinity, .nan] {
      #expect(try evaluate(.allFinite(.init()), [finite, scalar(number)]) == scalar(0))
      #expect(try evaluate(.allFinite(.init()), [Tensor([2], [number, 1]), finite]) == scalar(0))
    }
  }

  @Test(
    arguments: [
      ([8, 0, 1], [8, 1]), ([8, 1, 1], [8, 2]), ([8, 2, 1], [16, 0]), ([24, 2, 1], [32, 0]),
      ([8, 1, 0], [4, 0]), ([1.5, 0, 0], [1, 0]), ([1, 2, 0], [1, 0]),
    ] as [([Double], [Double])])
  func scale(operands: [Double], results: [Double]) throws {
    let update = Operation.lossScaleUpdate(.init(growthInterval: 3, minimum: 1, maximum: 32))
    for result in 0..<2 {
      #expect(
        try evaluate(update, operands.map(scalar), result: result) == scalar(results[result]))
    }
  }

  @Test func updatesDivideOrSkip() throws {
    let update = Operation.momentumUpdate(.init(weightDecay: 0.5))
    let (w, v, g) = (Tensor([2], [2.0, 4]), Tensor([2], [1.0, -1]), Tensor([2], [8.0, 16]))
    func results(_ gradient: Tensor<Double>, finite: Double) throws -> [[Double]] {
      let operands = [w, v, gradient] + [0.25, 0.5, 4, finite].map(scalar)
      return try (0..<2).map { try evaluate(update, operands, result: $0).scalars }
    }
    // v′ = v / 2 + (g / 4 + w / 2) / 4.
    #expect(try results(g, finite: 1) == [[0.75, 3], [1.25, 1]])
    let infinite = Tensor([2], [Double.infinity, .nan])
    #expect(try results(infinite, finite: 0) == [w.scalars, v.scalars])
  }
}
