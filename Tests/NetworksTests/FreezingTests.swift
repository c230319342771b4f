import ResidualNetworks
import Testing

@Suite struct FreezingTests {
  private func frozen(_ name: String, _ patterns: String...) throws -> Set<String> {
    try NetworkCatalog.network(named: name, classes: 10).freezing(patterns).frozen
  }

  @Test func patternsAreWholeComponents() throws {
    #expect(
      try frozen("cifar-resnet8", "conv1", "bn1")
        == ["conv1.weight", "bn1.weight", "bn1.bias"])
    #expect(
      try frozen("cifar-resnet8", "layer1")
        == Set(
          ["conv1.weight", "bn1.weight", "bn1.bias", "conv2.weight", "bn2.weight", "bn2.bias"].map {
            "layer1.0." + $0
          }))
    #expect(try frozen("cifar-resnet8", "layer2.0.bn2.bias") == ["layer2.0.bn2.bias"])
    // `layer1.1` is no beginning of `layer1.10`.
    let deep = try frozen("cifar-resnet68", "layer1.1")
    #expect(deep.count == 6 && deep.allSatisfy { $0.hasPrefix("layer1.1.") })
  }

  @Test func starsStayInTheirComponents() throws {
    #expect(
      try frozen("cifar-resnet8", "layer*.0.bn1")
        == Set((1...3).flatMap { ["layer\($0).0.bn1.weight", "layer\($0).0.bn1.bias"] }))
    #expect(try frozen("cifar-resnet8", "*.weight") == ["conv1.weight", "bn1.weight", "fc.weight"])
    #expect(try frozen("cifar-resnet8", "**n**1") == ["conv1.weight", "bn1.weight", "bn1.bias"])
    #expect(try frozen("cifar-resnet8", "f*c.w*t") == ["fc.weight"])
  }

  @Test(arguments: [
    ("cifar-resnet20", ["fc"]), ("vgg16-bn", ["classifier.6"]),
    ("googlenet", ["fc", "aux1.fc2", "aux2.fc2"]), ("cifar-linear", ["fc"]),
  ])
  func heads(name: String, heads: [String]) throws {
    let network = try NetworkCatalog.network(named: name)
    let found = network.heads.map { Set($0) }
    let bias = name == "cifar-linear" ? [] : [".bias"]
    #expect(found == heads.map { head in Set(([".weight"] + bias).map { head + $0 }) })
    guard name != "cifar-linear" else {
      #expect(try frozen(name, "all-but-head").isEmpty)
      return
    }
    let frozen = try network.freezing(["all-but-head"]).frozen
    let trained = network.slots.filter { $0.role == .parameter && !frozen.contains($0.name) }
    #expect(
      Set(trained.map(\.name)) == Set(heads.flatMap { [$0 + ".weight", $0 + ".bias"] }))
  }

  @Test(arguments: [
    ("conv2", "there are conv1, bn1, layer1, layer2, layer3, fc, all-but-head"),
    ("layer1.0.conv", "in layer1.0 there are conv1, bn1, conv2, bn2"),
    ("layer*.1", "in layer* there are 0"),
    // Statistics are frozen with their layer's parameters.
    ("bn1.running_mean", "in bn1 there are weight, bias"),
    ("conv1.weight.x", "nothing lies below conv1.weight"),
    ("", "there are conv1, bn1, layer1, layer2, layer3, fc, all-but-head"),
  ])
  func whatNamesNothing(_ pattern: String, _ places: String) throws {
    let error = #expect(throws: FreezingError.self) {
      try frozen("cifar-resnet8", "conv1", pattern)
    }
    #expect(
      error?.description == "'\(pattern)' names no parameter of cifar-resnet8; \(places)")
  }

  @Test func somethingIsLeftToTrain() throws {
    let error = #expect(throws: FreezingError.self) {
      try frozen("cifar-resnet8", "all-but-head", "fc")
    }
    #expect(
      error?.description == "all parameters of cifar-resnet8 are frozen; leave some to train")
  }

  // MARK: Lowering

  /// The statistics that each normalisation of a graph uses, by path.
  private func statistics(_ graph: Graph) -> [String: Operation.NormalizationStatistics] {
    Dictionary(
      uniqueKeysWithValues: graph.nodes.compactMap { node in
        guard case .batchNormalization(let attributes) = node.operation else { return nil }
        return (node.path, attributes.statistics)
      })
  }

  @Test(arguments: [NetworkForm.training, .statistics])
  func frozenNormalisationUsesItsRunningStatistics(form: NetworkForm) throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet8")
      .freezing(["bn1", "layer1", "layer2.0.bn1.weight"])
    let graph = network.graph(form)
    let fixed = ["bn1", "layer1.0.bn1", "layer1.0.bn2"]
    for (path, statistics) in statistics(graph) {
      #expect((statistics == .fixed) == fixed.contains(path), "\(path)")
    }
    let changing = graph.bindings.map(\.slot) + graph.outputs.map(\.name)
    #expect(!changing.contains { name in fixed.contains { name.hasPrefix($0 + ".") } })
    #expect(graph.bindings.count == (form == .training ? 2 * 4 : 0))
    #expect(graph.outputs.count == (form == .training ? 1 : 1 + 3 * 4))
    // The slots are the same in every form, and only frozen ones are not trained.
    #expect(graph.slots.map(\.name) == network.graph(.inference).slots.map(\.name))
    #expect(
      Set(graph.slots.filter { $0.role == .parameter && !$0.trainable }.map(\.name))
        == network.frozen)
  }
}
