/// Networks by their names.
///
/// `resnet18`, `resnet34`, `resnet50`, `resnet101` and `resnet152` are those of the paper's Table 1,
/// for ImageNet, and `plain18` and so on their twins without shortcuts. `cifar-resnet20`,
/// `cifar-plain56` and so on, with 6n + 2 layers, are those for CIFAR-10; at the depths of the
/// paper's Table 6, which Table 1 lacks, the family may be left out: `resnet20`. `cifar-linear` is
/// the baseline without hidden layers.
public enum NetworkCatalog {
  /// The network of a name. What is `nil` is the family's own.
  ///
  /// - Parameters:
  ///   - shortcut: for residual networks; plain networks have none. For ImageNet projections where
  ///     the shape changes, as in torchvision; for CIFAR-10 zero padding, as in the paper.
  ///   - stridePlacement: for networks with bottlenecks; as in torchvision the 3×3 convolution.
  ///   - inputSide: 224 for ImageNet, 32 for CIFAR-10.
  ///   - classes: 1,000 for ImageNet, 10 for CIFAR-10.
  /// - Throws: ``NetworkNameError``.
  /// - Precondition: the side is one of ``Network/inputSides``.
  public static func network(
    named name: String, shortcut: Shortcut? = nil, stridePlacement: StridePlacement? = nil,
    inputSide: Int? = nil, classes: Int? = nil
  ) throws(NetworkNameError) -> Network {
    precondition(
      inputSide.map(Network.inputSides.contains) ?? true, "images of \(inputSide ?? 0) pixels")
    if [LinearClassifier.name, "linear"].contains(name.lowercased()) {
      return LinearClassifier.network(inputSide: inputSide ?? 32, classes: classes ?? 10)
    }
    let (family, residual, depth) = try parse(name)
    switch family {
    case .imageNet:
      let shortcut = residual ? shortcut ?? .projection : nil
      if let network = ImageNetResNet.network(
        depth: depth, shortcut: shortcut, stridePlacement: stridePlacement ?? .middle3x3,
        inputSide: inputSide ?? 224, classes: classes ?? 1000)
      {
        return network
      }
    case .cifar:
      let shortcut = residual ? shortcut ?? .padding(.end) : nil
      if let network = CIFARResNet.network(
        depth: depth, shortcut: shortcut, inputSide: inputSide ?? 32, classes: classes ?? 10)
      {
        return network
      }
    }
    throw .depthNotOfForm(name: name, depth: depth)
  }

  /// Deeper networks would be a mistake rather than an experiment.
  public static let maximumDepth = 20_000

  /// The names that are offered when one is not known.
  public static let knownNames =
    ImageNetResNet.depths.flatMap { ["resnet\($0)", "plain\($0)"] }
    + CIFARResNet.paperDepths.flatMap {
      ["cifar-resnet\($0)", "cifar-plain\($0)", "resnet\($0)", "plain\($0)"]
    } + [LinearClassifier.name, "linear"]

  private enum Family { case imageNet, cifar }

  private static func parse(_ name: String) throws(NetworkNameError) -> (
    family: Family, residual: Bool, depth: Int
  ) {
    let lowered = name.lowercased()
    for (prefix, residual) in [("cifar-resnet", true), ("cifar-plain", false)]
    where lowered.hasPrefix(prefix) {
      guard let depth = Int(lowered.dropFirst(prefix.count)), depth > 0 else { break }
      guard depth <= maximumDepth else { throw .tooDeep(depth) }
      return (.cifar, residual, depth)
    }
    for (prefix, residual) in [("resnet", true), ("plain", false)] where lowered.hasPrefix(prefix) {
      guard let depth = Int(lowered.dropFirst(prefix.count)), depth > 0 else { break }
      guard depth <= maximumDepth else { throw .tooDeep(depth) }
      if ImageNetResNet.depths.contains(depth) { return (.imageNet, residual, depth) }
      guard CIFARResNet.paperDepths.contains(depth) else {
        throw .aliasOfOtherDepth(name: name, canonical: "cifar-\(prefix)\(depth)", depth: depth)
      }
      return (.cifar, residual, depth)
    }
    throw .unknown(name)
  }
}

/// A name that stands for no network.
public enum NetworkNameError: Error, Hashable, CustomStringConvertible {
  /// Neither a family with a depth nor the linear classifier.
  case unknown(String)
  /// A CIFAR-10 depth that is not 6n + 2.
  case depthNotOfForm(name: String, depth: Int)
  /// A name without its family, of a depth that neither Table 1 nor Table 6 has. `canonical` would
  /// be the name of a CIFAR-10 network of that depth.
  case aliasOfOtherDepth(name: String, canonical: String, depth: Int)
  /// A depth above ``NetworkCatalog/maximumDepth``.
  case tooDeep(Int)

  public var description: String {
    switch self {
    case .unknown(let name):
      "no network is named '\(name)'"
    case .depthNotOfForm(let name, let depth):
      "'\(name)': CIFAR-10 networks have 6n + 2 layers, and \(depth) is not of that form; "
        + "the nearest are \(Self.nearestDepths(to: depth))"
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

  private static func nearestDepths(to depth: Int) -> String {
    let n = max(1, (depth - 2) / 6)
    return "\(6 * n + 2) and \(6 * (n + 1) + 2)"
  }
}
