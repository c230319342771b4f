import ResidualNetworks
import Testing

@Suite struct SlotsTests {
  private func slots(
    _ name: String, _ shortcut: Shortcut = .padding(.end), _ form: NetworkForm = .training,
    _ initialization: Initialization = .fanIn
  ) throws -> [StateSlot] {
    try NetworkCatalog.network(named: name, variant: .init(shortcut))
      .graph(form, initialization: initialization).slots
  }

  /// torchvision's names: files are exchanged under them.
  @Test func namesOfOptionB() throws {
    let names = Set(try slots("cifar-resnet8", .projection).map(\.name))
    var expected: Set<String> = ["conv1.weight", "fc.weight", "fc.bias"]
    func normalization(_ path: String) {
      for name in ["weight", "bias", "running_mean", "running_var"] {
        expected.insert("\(path).\(name)")
      }
    }
    normalization("bn1")
    for stage in 1...3 {
      for layer in 1...2 {
        expected.insert("layer\(stage).0.conv\(layer).weight")
        normalization("layer\(stage).0.bn\(layer)")
      }
    }
    for stage in 2...3 {
      expected.insert("layer\(stage).0.downsample.0.weight")
      normalization("layer\(stage).0.downsample.1")
    }
    #expect(names == expected)
  }

  @Test func namesForImageNet() throws {
    let names = Set(try slots("resnet50", .projection).map(\.name))
    // torchvision's 320 entries but the 53 counters of batches.
    #expect(names.count == 267)
    #expect(
      names.isSuperset(of: [
        "conv1.weight", "bn1.running_var", "layer1.0.downsample.0.weight",
        "layer1.0.downsample.1.running_mean", "layer3.5.conv3.weight", "layer4.2.bn3.bias",
        "fc.weight", "fc.bias",
      ]))
    #expect(!names.contains("layer1.1.downsample.0.weight"))
  }

  @Test func namesOfTheOtherForms() throws {
    let optionA = Set(try slots("cifar-resnet20").map(\.name))
    #expect(!optionA.contains { $0.contains("downsample") })
    #expect(optionA.contains("layer1.2.conv2.weight") && !optionA.contains("layer1.3.conv1.weight"))
    #expect(optionA == Set(try slots("cifar-plain20").map(\.name)))
    #expect(optionA == Set(try slots("cifar-resnet20", .padding(.both), .inference).map(\.name)))
    #expect(optionA == Set(try slots("cifar-resnet20", .padding(.end), .statistics).map(\.name)))
    let optionC = Set(try slots("cifar-resnet20", .projectionEverywhere).map(\.name))
    for stage in 1...3 {
      for block in 0..<3 {
        #expect(optionC.contains("layer\(stage).\(block).downsample.0.weight"))
      }
    }
  }

  @Test func shapesAndRoles() throws {
    let slots = Dictionary(
      uniqueKeysWithValues: try slots("cifar-resnet8", .projection).map { ($0.name, $0) })
    #expect(slots["conv1.weight"]?.shape == [16, 3, 3, 3])
    #expect(slots["layer2.0.conv1.weight"]?.shape == [32, 16, 3, 3])
    #expect(slots["layer2.0.downsample.0.weight"]?.shape == [32, 16, 1, 1])
    #expect(slots["fc.weight"]?.shape == [10, 64])
    #expect(slots["bn1.running_var"]?.role == .statistic)
    #expect(slots["bn1.running_var"]?.trainable == false)
    #expect(slots["bn1.weight"]?.role == .parameter)
    #expect(slots.values.allSatisfy { $0.trainable == ($0.role == .parameter) })
  }

  /// He et al. 2015 (Delving Deep), eq. (10) and (14): √(2 / (k² · channels)).
  @Test func initialValues() throws {
    func initial(_ name: String, _ initialization: Initialization) throws
      -> StateSlot.InitialValue?
    {
      try slots("cifar-resnet8", .projection, .training, initialization)
        .first { $0.name == name }?.initialValue
    }
    func deviation(_ fan: Double) -> StateSlot.InitialValue {
      .normal(standardDeviation: (2 / fan).squareRoot())
    }
    #expect(try initial("conv1.weight", .fanIn) == deviation(27))
    #expect(try initial("conv1.weight", .fanOut) == deviation(144))
    #expect(try initial("layer3.0.conv1.weight", .fanIn) == deviation(288))
    #expect(try initial("layer3.0.conv1.weight", .fanOut) == deviation(576))
    #expect(try initial("layer3.0.downsample.0.weight", .fanIn) == deviation(32))
    #expect(try initial("layer3.0.conv1.weight", .normal) == .normal(standardDeviation: 0.01))
    #expect(try initial("fc.weight", .fanIn) == .normal(standardDeviation: 0.01))
    #expect(try initial("fc.bias", .fanIn) == .constant(0))
    #expect(try initial("bn1.weight", .fanIn) == .constant(1))
    #expect(try initial("bn1.bias", .fanIn) == .constant(0))
    #expect(try initial("bn1.running_mean", .fanIn) == .constant(0))
    #expect(try initial("bn1.running_var", .fanIn) == .constant(1))
  }

  /// Hidden fully-connected layers as filters of one pixel.
  @Test(arguments: [
    (Initialization.fanIn, (2 / 25_088.0).squareRoot()), (.fanOut, (2 / 4096.0).squareRoot()),
    (.normal, 0.01),
  ])
  func initialValuesOfHiddenLayers(_ initialization: Initialization, deviation: Double) throws {
    let slots = try NetworkCatalog.network(named: "vgg16")
      .graph(.training, initialization: initialization).slots
    func initial(_ name: String) -> StateSlot.InitialValue? {
      slots.first { $0.name == name }?.initialValue
    }
    #expect(initial("classifier.0.weight") == .normal(standardDeviation: deviation))
    #expect(initial("classifier.6.weight") == .normal(standardDeviation: 0.01))
    #expect(initial("classifier.0.bias") == .constant(0))
  }

  @Test func statisticsAreOutputsOfTheirForm() throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet8")
    let (graph, statistics) = network.statisticsGraph()
    let outputs = graph.outputs.map(\.name)
    for path in ["bn1", "layer1.0.bn1", "layer3.0.bn2"] {
      let layer = try #require(statistics.first { $0.meanSlot == path + ".running_mean" })
      #expect(layer.varianceSlot == path + ".running_var")
      for output in [layer.count, layer.mean, layer.m2] { #expect(outputs.contains(output)) }
    }
    #expect(outputs.count == 1 + 3 * 7)
    #expect(network.graph(.statistics).bindings.isEmpty)
    #expect(network.graph(.inference).bindings.isEmpty)
    #expect(network.graph(.training).bindings.count == 2 * 7)
    #expect(network.graph(.training).outputs.map(\.name) == [Network.logitsOutput])
  }
}
