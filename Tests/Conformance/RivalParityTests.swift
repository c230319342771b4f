import ResidualCPU
import ResidualNetworks
import ResidualReference
import Testing

/// A training step of the paper's rivals and variants against PyTorch, as
/// `Tests/Fixtures/make-rival-fixtures.py` has computed it.
@Suite struct RivalParityTests {
  struct Example: Sendable, CustomTestStringConvertible {
    let file: String
    let network: Network
    var side = 8
    /// Naive loops in double precision would take too long for the larger ones.
    var isSmall = true
    /// Normalised numbers lie away from zero, where rounding would switch rectifiers.
    var isDeep = false
    var testDescription: String { file }

    init(
      _ file: String, _ network: Network?, side: Int = 8, isSmall: Bool = true, isDeep: Bool = false
    ) {
      guard let network else { preconditionFailure("no network for \(file)") }
      (self.file, self.network, self.side) = (file, network, side)
      (self.isSmall, self.isDeep) = (isSmall, isDeep)
    }

    /// As the script initialises.
    var initialValue: (StateSlot) -> [Double] {
      let names = Set(network.slots.map(\.name))
      return { slot in
        func drawn(_ scale: Double, _ offset: Double = 0) -> [Double] {
          NetworkFixture.draw(slot.name, slot.shape.count).map { offset + scale * $0 }
        }
        switch slot.name.split(separator: ".").last {
        case "running_mean": return drawn(0.1)
        case "running_var": return drawn(0.5, 1)
        case "weight" where slot.shape.rank > 1:
          return drawn((6 / Double(slot.shape.extents.dropFirst().reduce(1, *))).squareRoot())
        case "weight": return drawn(0.5, 1)
        default: break
        }
        if isDeep, names.contains(slot.name.dropLast("bias".count) + "running_mean") {
          return drawn(0.25, 3)
        }
        return drawn(0.25, slot.name.hasSuffix("gate.bias") ? -1 : 0)
      }
    }
  }

  static let examples: [Example] = [
    Example("highway8", CIFARResNet.network(depth: 8, shortcut: .padding(.end), gateBias: -1)),
    Example("single8", CIFARResNet.network(depth: 8, block: .single, shortcut: .padding(.end))),
    Example(
      "bottleneck11",
      CIFARResNet.network(depth: 11, block: .bottleneck(.middle3x3), shortcut: .padding(.end))),
    Example("preact18", PreactivationResNet.network(depth: 18), side: 32),
    Example(
      "preact50", PreactivationResNet.network(depth: 50), side: 32, isSmall: false, isDeep: true),
    Example("vgg16", vgg(16, normalizes: false), side: 64, isSmall: false),
    Example("vgg19-bn", vgg(19, normalizes: true), side: 64, isSmall: false, isDeep: true),
    Example("vgg16-dropout", vgg(16, normalizes: false), side: 64, isSmall: false),
    Example(
      "googlenet-3x3", GoogLeNet.network(branch: .three, inputSide: 64, classes: 10), side: 64),
    Example(
      "googlenet-3x3-dropout", GoogLeNet.network(branch: .three, inputSide: 64, classes: 10),
      side: 64),
    Example(
      "googlenet-5x5", GoogLeNet.network(classes: 10), side: 224, isSmall: false, isDeep: true),
  ]

  private static func vgg(_ depth: Int, normalizes: Bool) -> Network? {
    VGG.network(depth: depth, normalizes: normalizes, hidden: 64, classes: 10)
  }

  /// In double precision: nothing but rounding.
  @Test(arguments: examples.filter(\.isSmall))
  func inDoublePrecision(_ example: Example) throws {
    try NetworkFixture(example.file).compare(
      example.network, side: example.side, dropsOut: example.file.hasSuffix("dropout"),
      on: ReferenceDevice(), initial: example.initialValue
    ) { _ in 1e-9 }
  }

  @Test(arguments: examples)
  func inSinglePrecision(_ example: Example) throws {
    let instructionSet = try #require(InstructionSet.available.last)
    try NetworkFixture(example.file).compare(
      example.network, side: example.side, dropsOut: example.file.hasSuffix("dropout"),
      on: CPUDevice(threads: 2, instructionSet: instructionSet), initial: example.initialValue,
      bound: NetworkFixture.single)
  }
}
