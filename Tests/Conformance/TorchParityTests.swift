import ResidualCPU
import ResidualNetworks
import ResidualReference
import ResidualTestSupport
import Testing

/// A whole training step against PyTorch in double precision.
@Suite struct TorchParityTests {
  /// In double precision: nothing but rounding.
  private static let exact = 1e-9

  @Test(arguments: [
    ("resnet8-A-end", "cifar-resnet8", Shortcut.padding(.end)),
    ("resnet8-A-both", "cifar-resnet8", .padding(.both)),
    ("resnet8-B", "cifar-resnet8", .projection),
    ("resnet8-C", "cifar-resnet8", .projectionEverywhere),
    ("plain8", "cifar-plain8", .padding(.end)),
  ])
  func cifar(file: String, name: String, shortcut: Shortcut) throws {
    let network = try NetworkCatalog.network(named: name, variant: .init(shortcut))
    try NetworkFixture(file).compare(
      network, side: 8, updates: true, on: ReferenceDevice(), initial: deep(network)
    ) { _ in Self.exact }
  }

  @Test(arguments: ["resnet18", "plain18"])
  func imageNetInDoublePrecision(name: String) throws {
    let network = try NetworkCatalog.network(named: name, classes: 10)
    try NetworkFixture(name).compare(
      network, side: 64, on: ReferenceDevice(), initial: deep(network)
    ) { _ in Self.exact }
  }

  /// In single precision: a thousandth, or sixteen times PyTorch's own error where that is more.
  @Test(
    arguments: [
      ("resnet18", "resnet18", nil, nil), ("resnet18-A", "resnet18", .padding(.end), nil),
      ("plain18", "plain18", nil, nil), ("resnet50", "resnet50", nil, nil),
      ("resnet50-1x1", "resnet50", nil, .first1x1),
    ] as [(String, String, Shortcut?, StridePlacement?)])
  func imageNet(
    file: String, name: String, shortcut: Shortcut?, stridePlacement: StridePlacement?
  ) throws {
    let network = try NetworkCatalog.network(
      named: name, variant: .init(shortcut, stridePlacement: stridePlacement), classes: 10)
    let instructionSet = try #require(InstructionSet.available.last)
    let device = try CPUDevice(threads: 2, instructionSet: instructionSet)
    try NetworkFixture(file).compare(
      network, side: 64, on: device, initial: deep(network), bound: NetworkFixture.single)
  }

  private func deep(_ network: Network) -> (StateSlot) -> [Double] {
    { NetworkFixture.initialValue($0, rate: NetworkFixture.rate, isDeep: network.depth >= 18) }
  }
}
