/// Networks by their names.
///
/// | name | network |
/// |---|---|
/// | `resnet18`, 34, 50, 101, 152 | the paper's Table 1, for ImageNet |
/// | `plain18` … | their twins without shortcuts |
/// | `highway18` … | with gates on the shortcuts |
/// | `resnet-2-3-4-2`, `plain-2-3-4-2`, `resnet-bottleneck-3-4-6-3` | any blocks in each stage |
/// | `vgg16`, `vgg19`, `vgg16-bn`, `vgg19-bn` | VGG, without and with batch normalisation |
/// | `googlenet` | Inception v1 with batch normalisation |
/// | `cifar-resnetD`, `cifar-plainD`, `cifar-highwayD` | 6n + 2 layers, for CIFAR-10 |
/// | `cifar-singleD` | with blocks of one layer, 6n + 2 layers |
/// | `cifar-bottleneckD` | with bottlenecks, 9n + 2 layers |
/// | `cifar-preact18` … | pre-activation, of Table 1's depths |
/// | `cifar-linear` | the baseline without hidden layers |
///
/// At the depths of the paper's Table 6, which Table 1 lacks, `cifar-` may be left out: `resnet20`.
public enum NetworkCatalog {
  /// The network of a name. What is `nil` is the family's own.
  ///
  /// - Parameters:
  ///   - variant: options; those of parts that the network has not are left aside, see
  ///     ``NetworkVariant/firstUnused(by:)``.
  ///   - inputSide: 224 for ImageNet, 32 for CIFAR-10.
  ///   - classes: 1,000 for ImageNet, 10 for CIFAR-10.
  /// - Throws: ``NetworkNameError``.
  /// - Precondition: the side is one of ``Network/inputSides``.
  public static func network(
    named name: String, variant: NetworkVariant = .init(), inputSide: Int? = nil,
    classes: Int? = nil
  ) throws(NetworkNameError) -> Network {
    precondition(
      inputSide.map(Network.inputSides.contains) ?? true, "images of \(inputSide ?? 0) pixels")
    let placement = variant.stridePlacement ?? .middle3x3
    let design = try NetworkName(name).design
    let isForCIFAR = design.isForCIFAR
    let (side, classes) = (
      inputSide ?? (isForCIFAR ? 32 : 224), classes ?? (isForCIFAR ? 10 : 1000)
    )
    let network: Network? =
      switch design {
      case .imageNet(let paths, let depth):
        ImageNetResNet.network(
          depth: depth, shortcut: paths.shortcut(variant, default: .projection),
          gateBias: paths.gateBias(variant), stridePlacement: placement, inputSide: side,
          classes: classes)
      case .stages(let paths, let isBottleneck, let blocks):
        ImageNetResNet.network(
          name: name.lowercased(), block: isBottleneck ? .bottleneck(placement) : .basic,
          blocks: blocks, shortcut: paths.shortcut(variant, default: .projection),
          inputSide: side, classes: classes)
      case .cifar(let paths, let kind, let depth):
        CIFARResNet.network(
          depth: depth, block: kind.block(placement),
          shortcut: paths.shortcut(variant, default: .padding(.end)),
          gateBias: paths.gateBias(variant), inputSide: side, classes: classes)
      case .preactivation(let depth):
        PreactivationResNet.network(depth: depth, inputSide: side, classes: classes)
      case .vgg(let depth, let normalizes):
        VGG.network(depth: depth, normalizes: normalizes, inputSide: side, classes: classes)
      case .googLeNet:
        GoogLeNet.network(
          branch: variant.inceptionBranch ?? .five, inputSide: side, classes: classes)
      case .linear: LinearClassifier.network(inputSide: side, classes: classes)
      }
    if let network { return network }
    guard case .cifar(_, let kind, let depth) = design else { throw .unknown(name) }
    throw .depthNotOfForm(name: name, depth: depth, unit: kind == .bottleneck ? 9 : 6)
  }

  /// What the biases of a Highway network's gates begin with (section 3.2 of its paper).
  public static let standardGateBias: Float = -2

  /// Deeper networks would be a mistake rather than an experiment.
  public static let maximumDepth = 20_000

  /// The networks of the paper and of its rivals, by their canonical names.
  public static let names: [String] = {
    func names(_ families: [String], _ depths: [Int]) -> [String] {
      families.flatMap { family in depths.map { "\(family)\($0)" } }
    }
    let vgg = VGG.table.flatMap { ["vgg\($0.depth)", "vgg\($0.depth)-bn"] }
    let forImageNet = names(["resnet", "plain", "highway"], ImageNetResNet.depths)
    let forCIFAR = names(
      ["cifar-resnet", "cifar-plain", "cifar-highway", "cifar-single"], CIFARResNet.paperDepths)
    return forImageNet + vgg + [GoogLeNet.name] + forCIFAR + names(["cifar-bottleneck"], [29, 164])
      + names(["cifar-preact"], ImageNetResNet.depths) + [LinearClassifier.name]
  }()

  /// The names that are offered when one is not known.
  public static let knownNames =
    names + CIFARResNet.paperDepths.flatMap { ["resnet\($0)", "plain\($0)"] } + ["linear"]
}

/// A name that stands for no network.
public enum NetworkNameError: Refusal, Hashable {
  /// Neither a family with a depth nor the linear classifier.
  case unknown(String)
  /// A CIFAR-10 depth that is not unit · n + 2.
  case depthNotOfForm(name: String, depth: Int, unit: Int)
  /// A name without its family, of a depth that neither Table 1 nor Table 6 has. `canonical` would
  /// be the name of a CIFAR-10 network of that depth.
  case aliasOfOtherDepth(name: String, canonical: String, depth: Int)
  /// A depth above ``NetworkCatalog/maximumDepth``.
  case tooDeep(Int)

  public var kind: RefusalKind { .usage }
  public var description: String {
    switch self {
    case .unknown(let name):
      "no network is named '\(name)'"
        + Suggestion.ending(
          for: name, among: NetworkCatalog.knownNames,
          then: "'resnet networks' says which there are")
    case .depthNotOfForm(let name, let depth, let unit):
      "'\(name)': CIFAR-10 networks \(unit == 9 ? "of bottlenecks " : "")have \(unit)n + 2 layers, "
        + "and \(depth) is not of that form; "
        + "the nearest are \(Self.nearestDepths(to: depth, unit: unit))"
    case .aliasOfOtherDepth(let name, let canonical, let depth):
      (depth - 2) % 6 == 0 && depth >= 8
        ? "'\(name)' is short for no network; for CIFAR-10 write '\(canonical)'"
        : "'\(name)' is not available; ImageNet networks have "
          + "\(ImageNetResNet.depths.dropLast().map(String.init).joined(separator: ", ")) or 152 layers, "
          + "CIFAR-10 networks 6n + 2, such as \(Self.nearestDepths(to: depth)), written with their "
          + "family, as in 'cifar-resnet20'"
    case .tooDeep(let depth):
      "a depth of \(depth) is more than \(NetworkCatalog.maximumDepth), the deepest network built"
    }
  }

  private static func nearestDepths(to depth: Int, unit: Int = 6) -> String {
    let n = max(1, (depth - 2) / unit)
    return "\(unit * n + 2) and \(unit * (n + 1) + 2)"
  }
}
