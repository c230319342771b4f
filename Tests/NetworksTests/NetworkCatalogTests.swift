import ResidualNetworks
import Testing

@Suite struct NetworkCatalogTests {
  @Test func everyKnownNameIsANetwork() throws {
    #expect(Set(NetworkCatalog.knownNames).isSuperset(of: ["cifar-resnet20", "plain56", "linear"]))
    for name in NetworkCatalog.knownNames {
      let network = try NetworkCatalog.network(named: name)
      let isForCIFAR = network.name.hasPrefix("cifar-")
      #expect(network.name == name || network.name == "cifar-" + name)
      #expect(network.inputSide == (isForCIFAR ? 32 : 224))
      #expect(network.classes == (isForCIFAR ? 10 : 1000))
      let hasOption = ["resnet", "highway", "single", "bottleneck"].contains(where: name.contains)
      #expect((network.shortcut != nil) == hasOption)
      #expect((network.gateBias != nil) == name.contains("highway"))
      #expect(network.slots.contains { $0.name == network.classifier + ".weight" })
    }
  }

  @Test func otherDepthsAndCapitals() throws {
    #expect(try NetworkCatalog.network(named: "cifar-resnet8").depth == 8)
    #expect(try NetworkCatalog.network(named: "CIFAR-ResNet26").name == "cifar-resnet26")
    #expect(try NetworkCatalog.network(named: "Plain20").name == "cifar-plain20")
  }

  @Test func rivals() throws {
    #expect(try NetworkCatalog.network(named: "VGG16_bn").name == "vgg16-bn")
    #expect(try NetworkCatalog.network(named: "inception-v1").inceptionBranch == .five)
    #expect(try NetworkCatalog.network(named: "highway34").gateBias == -2)
    #expect(
      try NetworkCatalog.network(named: "cifar-highway20", variant: .init(gateBias: -3)).gateBias
        == -3)
    let stages = try NetworkCatalog.network(named: "ResNet-Bottleneck-1-2-3-1")
    #expect(stages.name == "resnet-bottleneck-1-2-3-1" && stages.depth == 23)
    #expect(stages.stridePlacement == .middle3x3)
    #expect(try NetworkCatalog.network(named: "plain-2-3-4-2").depth == 24)
  }

  @Test func variants() throws {
    let torchvision = try NetworkCatalog.network(named: "ResNet50")
    #expect(torchvision.shortcut == .projection && torchvision.stridePlacement == .middle3x3)
    let paper = try NetworkCatalog.network(
      named: "resnet50", variant: .init(.padding(.both), stridePlacement: .first1x1),
      inputSide: 320,
      classes: 7)
    #expect(paper.shortcut == .padding(.both) && paper.stridePlacement == .first1x1)
    #expect(paper.inputSide == 320 && paper.classes == 7)
    let plain = try NetworkCatalog.network(named: "plain34", variant: .init(.projection))
    #expect(plain.shortcut == nil && plain.stridePlacement == nil)
    let small = try NetworkCatalog.network(named: "resnet20", inputSide: 48)
    #expect(small.shortcut == .padding(.end) && small.inputSide == 48)
  }

  @Test(arguments: [
    (
      "resnet35",
      "'resnet35' is not available; ImageNet networks have 18, 34, 50, 101 or 152 layers, CIFAR-10 "
        + "networks 6n + 2, such as 32 and 38, written with their family, as in 'cifar-resnet20'"
    ),
    ("resnet26", "'resnet26' is short for no network; for CIFAR-10 write 'cifar-resnet26'"),
    ("plain8", "'plain8' is short for no network; for CIFAR-10 write 'cifar-plain8'"),
    (
      "cifar-resnet21",
      "'cifar-resnet21': CIFAR-10 networks have 6n + 2 layers, and 21 is not of "
        + "that form; the nearest are 20 and 26"
    ),
    (
      "cifar-resnet2",
      "'cifar-resnet2': CIFAR-10 networks have 6n + 2 layers, and 2 is not of that "
        + "form; the nearest are 8 and 14"
    ),
    ("cifar-plain30000", "a depth of 30000 is more than 20000, the deepest network built"),
    (
      "resnet9223372036854775807",
      "a depth of 9223372036854775807 is more than 20000, the deepest network built"
    ),
    (
      "cifar-bottleneck30",
      "'cifar-bottleneck30': CIFAR-10 networks of bottlenecks have 9n + 2 layers, and 30 is not of "
        + "that form; the nearest are 29 and 38"
    ),
  ])
  func errors(name: String, message: String) {
    let error = #expect(throws: NetworkNameError.self) {
      try NetworkCatalog.network(named: name)
    }
    #expect(error?.description == message)
  }

  @Test(arguments: [
    ("resnet99999999999999999999", nil),
    ("resnet-20", "resnet20"),
    ("resnet", "resnet18"),
    ("cifar-resnet", "cifar-resnet20"),
    ("", nil),
    ("vgg17", "vgg16"),
    ("resnet-2-2-2", nil),
    ("resnet-2-2-02-2", nil),
    ("resnet-2-2-0-2", nil),
    ("plain-bottleneck-1-1-1-1", nil),
    ("cifar-preact20", "cifar-preact50"),
  ])
  func unknownNames(name: String, nearest: String?) {
    let error = #expect(throws: NetworkNameError.self) {
      try NetworkCatalog.network(named: name)
    }
    let question = nearest.map { "did you mean '\($0)'? " } ?? ""
    #expect(
      error?.description
        == "no network is named '\(name)'; \(question)'resnet networks' says which there are")
  }
}
