import ResidualNetworks
import Testing

/// Counts of the paper's Table 6, worked out exactly for option A.
@Suite struct ParametersTests {
  private func summary(_ name: String, _ shortcut: Shortcut = .padding(.end)) throws
    -> NetworkSummary
  {
    try NetworkSummary(NetworkCatalog.network(named: name, shortcut: shortcut))
  }

  @Test(arguments: [
    (20, 269_722, 40.6), (32, 464_154, 68.9), (44, 658_586, 97.2), (56, 853_018, 125.5),
    (110, 1_727_962, 252.9), (1202, 19_421_274, 2829),
  ])
  func optionA(depth: Int, parameters: Int, millionMultiplyAdds: Double) throws {
    for shortcut in [Shortcut.padding(.end), .padding(.both)] {
      let summary = try summary("cifar-resnet\(depth)", shortcut)
      #expect(summary.parameters == parameters)
      let tolerance = millionMultiplyAdds > 1000 ? 0.5 : 0.05
      #expect(abs(Double(summary.multiplyAdds) / 1e6 - millionMultiplyAdds) <= tolerance)
    }
    #expect(try self.summary("cifar-plain\(depth)").parameters == parameters)
  }

  @Test func projections() throws {
    #expect(try summary("cifar-resnet20", .projection).parameters == 272_474)
    #expect(try summary("cifar-resnet20", .projectionEverywhere).parameters == 283_962)
  }

  @Test func linearClassifier() throws {
    let summary = try summary("cifar-linear")
    #expect(summary.parameters == 30_720 && summary.multiplyAdds == 30_720)
    #expect(summary.rows.last?.outputShape == [1, 10])
  }

  @Test func rowsOfTheSummary() throws {
    let rows = try summary("cifar-resnet20").rows
    let first = try #require(rows.first)
    #expect(first.path == "conv1" && first.operation == "convolution")
    #expect(first.outputShape == [1, 32, 32, 16])
    #expect(first.parameters == 432 && first.multiplyAdds == 442_368)
    let last = try #require(rows.last)
    #expect(last.path == "fc" && last.outputShape == [1, 10] && last.parameters == 10)
    let strided = try #require(rows.first { $0.path == "layer3.0.conv1" })
    #expect(strided.outputShape == [1, 8, 8, 64])
    #expect(rows.count { $0.operation == "convolution" } == 19)
  }

  @Test func classesAndDepth() throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet20", classes: 7)
    #expect(network.depth == 20 && network.classes == 7 && network.inputSide == 32)
    #expect(try NetworkSummary(network).parameters == 269_722 - 3 * 65)
    #expect(network.imagesShape(batch: 5) == [5, 32, 32, 3])
  }
}
