import ResidualReference
import Testing

/// Gradient rules of operations that come with graphs from elsewhere, against central differences.
@Suite struct MovementGradientTests {
  /// What the checked loss takes: a row a sample.
  private let rows = Operation.Reshape([.copied(axis: 0), .rest])

  @Test func transpose() throws {
    try checkGradients([("x", [2, 3, 4, 1])], result: [4, 2, 1, 3]) {
      $0.append(.transpose(.init([2, 0, 3, 1])), $1, path: "transpose")
    }
  }

  @Test func reshape() throws {
    try checkGradients([("x", [2, 3, 4])], result: [2, 12]) {
      $0.append(.reshape(.init([.copied(axis: 0), .rest])), $1, path: "reshape")
    }
  }

  @Test(arguments: [[3], [1, 2, 1], [2, 1, 3], []] as [Shape])
  func broadcast(shape: Shape) throws {
    try checkGradients([("x", shape), ("y", [2, 2, 3])], result: [2, 6]) {
      let x = $0.append(.broadcast(.init()), $1, path: "broadcast")
      let product = $0.append(.multiply(.init()), [x, $1[1]], path: "product")
      return $0.append(.reshape(rows), [product], path: "rows")
    }
  }

  @Test func productsOfBatches() throws {
    try checkGradients([("a", [3, 1, 2, 4]), ("b", [1, 2, 4, 3])], result: [3, 2, 2, 3]) {
      let broadcast = Operation.broadcast(.init(leaving: 2))
      let a = $0.append(broadcast, $1, path: "a's")
      let b = $0.append(broadcast, [$1[1], $1[0]], path: "b's")
      return $0.append(.matrixProduct(.init()), [a, b], path: "product")
    }
  }

  @Test(arguments: [0, 1, 2])
  func softmax(axis: Int) throws {
    try checkGradients([("x", [2, 4, 3])], result: [2, 12]) {
      let softmax = $0.append(.softmax(.init(axis: axis)), $1, path: "softmax")
      return $0.append(.reshape(rows), [softmax], path: "rows")
    }
  }

  @Test func padWithANumber() throws {
    try checkGradients([("x", [2, 3])], result: [2, 6]) {
      $0.append(.pad(.init(axis: 1, before: 1, after: 2, value: 7)), $1, path: "pad")
    }
  }

  @Test(arguments: [false, true])
  func dilatedPooling(isAverage: Bool) throws {
    let pooling = Operation.MaxPooling(
      windowHeight: 2, windowWidth: 3, strideHeight: 2, strideWidth: 1,
      padding: .init(top: 0, left: 1, bottom: 0, right: 1), dilationHeight: 3, dilationWidth: 2)
    try checkGradients([("x", [2, 6, 5, 2])], result: [2, 2, 3, 2]) {
      $0.append(
        isAverage ? .averagePooling(.init(.notCounting(pooling))) : .maxPooling(pooling), $1,
        path: "pool")
    }
  }
}
