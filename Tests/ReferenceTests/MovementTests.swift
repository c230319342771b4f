import ResidualReference
import Testing

/// Formulas of operations that come with graphs from elsewhere, against numbers worked out by hand.
@Suite struct MovementTests {
  private func evaluate(_ operation: Operation, _ operands: Tensor<Double>...) throws -> Tensor<
    Double
  > { try ResidualReferenceTests.evaluate(operation, operands) }

  @Test func axes() throws {
    let x = Tensor([2, 3], [1.0, 2, 3, 4, 5, 6])
    #expect(try evaluate(.transpose(.init([1, 0])), x) == Tensor([3, 2], [1, 4, 2, 5, 3, 6]))
    let cube = Tensor([2, 1, 2], [1.0, 2, 3, 4])
    #expect(try evaluate(.transpose(.init([2, 0, 1])), cube) == Tensor([2, 2, 1], [1, 3, 2, 4]))
    #expect(
      try evaluate(.reshape(.init([.fixed(3), .rest])), x) == Tensor([3, 2], x.scalars))
    #expect(
      try evaluate(.pad(.init(axis: 1, before: 1, after: 0, value: 9)), x)
        == Tensor([2, 4], [9, 1, 2, 3, 9, 4, 5, 6]))
  }

  @Test func broadcasts() throws {
    let like = Tensor([2, 3], [0.0, 0, 0, 0, 0, 0])
    let (row, column) = (Tensor([3], [1.0, 2, 3]), Tensor([2, 1], [1.0, 2]))
    #expect(
      try evaluate(.broadcast(.init()), row, like) == Tensor([2, 3], [1, 2, 3, 1, 2, 3]))
    #expect(
      try evaluate(.broadcast(.init()), column, like) == Tensor([2, 3], [1, 1, 1, 2, 2, 2]))
    let gradient = Tensor([2, 3], [1.0, 2, 3, 4, 5, 6])
    #expect(
      try evaluate(.broadcastGradient(.init()), gradient, row) == Tensor([3], [5, 7, 9]))
    #expect(
      try evaluate(.broadcastGradient(.init()), gradient, column) == Tensor([2, 1], [6, 15]))
  }

  @Test func softmax() throws {
    let x = Tensor([2, 2], [0.0, 1000, 0, 1000])
    #expect(try evaluate(.softmax(.init(axis: 0)), x).scalars == [0.5, 0.5, 0.5, 0.5])
    #expect(try evaluate(.softmax(.init(axis: 1)), x).scalars == [0, 1, 0, 1])
  }

  @Test func productsOfBatches() throws {
    let (a, b) = (Tensor([2, 1, 2], [1.0, 2, 3, 4]), Tensor([2, 2, 1], [1.0, 10, 100, 1000]))
    #expect(try evaluate(.matrixProduct(.init()), a, b) == Tensor([2, 1, 1], [21, 4300]))
  }

  /// A window of two by two pixels, every other one of three.
  @Test func dilatedPooling() throws {
    let x = Tensor([1, 3, 3, 1], (1...9).map(Double.init))
    let pooling = Operation.MaxPooling(
      windowHeight: 2, windowWidth: 2, strideHeight: 1, strideWidth: 1, dilationHeight: 2,
      dilationWidth: 2)
    #expect(try evaluate(.maxPooling(pooling), x).scalars == [9])
    #expect(try evaluate(.averagePooling(.init(.counting(pooling))), x).scalars == [5])
  }
}
