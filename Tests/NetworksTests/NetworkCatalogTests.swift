import ResidualNetworks
import Testing

@Suite struct NetworkCatalogTests {
  @Test func everyKnownNameIsANetwork() throws {
    #expect(Set(NetworkCatalog.knownNames).isSuperset(of: ["cifar-resnet20", "plain56", "linear"]))
    for name in NetworkCatalog.knownNames {
      let network = try NetworkCatalog.network(named: name)
      #expect(network.name == (name.hasPrefix("cifar-") ? name : "cifar-" + name))
      #expect((network.shortcut == nil) == !name.contains("resnet"))
    }
  }

  @Test func otherDepthsAndCapitals() throws {
    #expect(try NetworkCatalog.network(named: "cifar-resnet8").depth == 8)
    #expect(try NetworkCatalog.network(named: "CIFAR-ResNet26").name == "cifar-resnet26")
    #expect(try NetworkCatalog.network(named: "Plain20").name == "cifar-plain20")
  }

  @Test(arguments: [
    (
      "resnet18",
      "'resnet18' is not available; CIFAR-10 networks have 6n + 2 layers, such as "
        + "14 and 20, written with their family, as in 'cifar-resnet20'"
    ),
    ("resnet50", "'resnet50' is short for no network; for CIFAR-10 write 'cifar-resnet50'"),
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
