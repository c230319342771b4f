/// Networks by their names.
///
/// Canonical names say the family: `cifar-resnet20`, `cifar-plain56`. `resnet20`, `plain20` and so on
/// are aliases for the paper's CIFAR-10 depths only, because `resnet18`, `resnet34`, `resnet50`,
/// `resnet101` and `resnet152` belong to ImageNet. `cifar-linear` is the baseline without hidden
/// layers.
public enum NetworkCatalog {
  /// The network of a name.
  ///
  /// - Parameter shortcut: for residual networks; plain networks have none.
  /// - Throws: ``NetworkNameError``.
  public static func network(
    named name: String, shortcut: Shortcut = .padding(.end), classes: Int = 10
  ) throws(NetworkNameError) -> Network {
    if [LinearClassifier.name, "linear"].contains(name.lowercased()) {
      return LinearClassifier.network(classes: classes)
    }
    let (residual, depth) = try parse(name)
    guard
      let network = CIFARResNet.network(
        depth: depth, shortcut: residual ? shortcut : nil, classes: classes)
    else { throw .depthNotOfForm(name: name, depth: depth) }
    return network
  }

  /// Deeper networks would be a mistake rather than an experiment.
  public static let maximumDepth = 20_000

  /// The names that are offered when one is not known.
  public static let knownNames =
    CIFARResNet.paperDepths.flatMap {
      ["cifar-resnet\($0)", "cifar-plain\($0)", "resnet\($0)", "plain\($0)"]
    } + [LinearClassifier.name, "linear"]

  private static func parse(_ name: String) throws(NetworkNameError) -> (residual: Bool, depth: Int)
  {
    let lowered = name.lowercased()
    for (prefix, residual) in [("cifar-resnet", true), ("cifar-plain", false)]
    where lowered.hasPrefix(prefix) {
      guard let depth = Int(lowered.dropFirst(prefix.count)), depth > 0 else { break }
      guard depth <= maximumDepth else { throw .tooDeep(depth) }
      return (residual, depth)
    }
    for (prefix, residual) in [("resnet", true), ("plain", false)] where lowered.hasPrefix(prefix) {
      guard let depth = Int(lowered.dropFirst(prefix.count)), depth > 0 else { break }
      guard depth <= maximumDepth else { throw .tooDeep(depth) }
      guard CIFARResNet.paperDepths.contains(depth) else {
        throw .aliasOfOtherDepth(name: name, canonical: "cifar-\(prefix)\(depth)", depth: depth)
      }
      return (residual, depth)
    }
    throw .unknown(name)
  }
}

/// A name that stands for no network.
public enum NetworkNameError: Error, Hashable, CustomStringConvertible {
  case unknown(String)
  case depthNotOfForm(name: String, depth: Int)
  case aliasOfOtherDepth(name: String, canonical: String, depth: Int)
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
        : "'\(name)' is not available; CIFAR-10 networks have 6n + 2 layers, such as "
          + "\(Self.nearestDepths(to: depth)), written with their family, as in 'cifar-resnet20'"
    case .tooDeep(let depth):
      "a depth of \(depth) is more than \(NetworkCatalog.maximumDepth), the deepest network built"
    }
  }

  private static func nearestDepths(to depth: Int) -> String {
    let n = max(1, (depth - 2) / 6)
    return "\(6 * n + 2) and \(6 * (n + 1) + 2)"
  }
}
