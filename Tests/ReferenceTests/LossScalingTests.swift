import ResidualReference
import Testing

@Suite struct LossScalingTests {
  private func scalar(_ value: Double) -> Tensor<Double> { Tensor([], [value]) }

  @Test(
    arguments: [
      ([8, 0, 1], [8, 1]), ([8, 1, 1], [8, 2]), ([8, 2, 1], [16, 0]), ([24, 2, 1], [32, 0]),
      ([8, 1, .nan], [4, 0]), ([1.5, 0, .infinity], [1, 0]), ([1, 2, -.infinity], [1, 0]),
      ([8, 0, 0], [8, 1]),
    ] as [([Double], [Double])])
  func scale(operands: [Double], results: [Double]) throws {
    let update = Operation.lossScaleUpdate(.init(growthInterval: 3, minimum: 1, maximum: 32))
    for result in 0..<2 {
      #expect(
        try evaluate(update, operands.map(scalar), result: result) == scalar(results[result]))
    }
  }
}
