import ResidualNetworks
import Testing

@Suite struct NetworkCatalogTests {
  @Test func everyKnownNameIsANetwork() throws {
    #expect(Set(NetworkCatalog.knownNames).isSuperset(of: ["cifar-resnet20", "plain56", "linear"]))
    for name in NetworkCatalog.knownNames {
      let network = try NetworkCatalog.network(named: name)
      let isForImageNet = ImageNetResNet.depths.contains(network.depth)
      #expect(network.name == (name.hasPrefix("cifar-") || isForImageNet ? name : "cifar-" + name))
      #expect(network.inputSide == (isForImageNet ? 224 : 32))
      #expect(network.classes == (isForImageNet ? 1000 : 10))
      #expect((network.shortcut == nil) == !name.contains("resnet"))
    }
  }

  @Test func otherDepthsAndCapitals() throws {
    #expect(try NetworkCatalog.network(named: "cifar-resnet8").depth == 8)
    #expect(try NetworkCatalog.network(named: "CIFAR-ResNet26").name == "cifar-resnet26")
    #expect(try NetworkCatalog.network(named: "Plain20").name == "cifar-plain20")
  }

  @Test func variants() throws {
    let torchvision = try NetworkCatalog.network(named: "ResNet50")
    #expect(torchvision.shortcut == .projection && torchvision.stridePlacement == .middle3x3)
    let paper = try NetworkCatalog.network(
      named: "resnet50", shortcut: .padding(.both), stridePlacement: .first1x1, inputSide: 320,
      classes: 7)
    #expect(paper.shortcut == .padding(.both) && paper.stridePlacement == .first1x1)
    #expect(paper.inputSide == 320 && paper.classes == 7)
    let plain = try NetworkCatalog.network(named: "plain34", shortcut: .projection)
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
    ("resnet99999999999999999999", "no network is named 'resnet99999999999999999999'"),
    ("resnet-20", "no network is named 'resnet-20'"),
    ("resnet", "no network is named 'resnet'"),
    ("cifar-resnet", "no network is named 'cifar-resnet'"),
    ("", "no network is named ''"),
    ("vgg16", "no network is named 'vgg16'"),
  ])
  func errors(name: String, message: String) {
    let error = #expect(throws: NetworkNameError.self) {
      try NetworkCatalog.network(named: name)
    }
    #expect(error?.description == message)
  }
}
