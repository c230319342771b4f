import ResidualGraphs

extension Network {
  /// Stands for everything but the ``heads`` where a pattern would stand.
  public static let allButHead = "all-but-head"

  /// The network with more parameters that training leaves as they are.
  ///
  /// A pattern is the path of a parameter, or the first components of some: `conv1`, `layer2.0`. In a
  /// component `*` stands for any characters, as in `layer*.0.bn1`. ``allButHead`` is one, too.
  ///
  /// A batch normalisation whose two parameters are frozen applies its running statistics in training,
  /// and leaves them alone.
  ///
  /// - Throws: ``FreezingError``.
  public func freezing(_ patterns: [String]) throws(FreezingError) -> Network {
    let paths = slots.filter { $0.role == .parameter }.map(\.name)
    let heads = Set(heads.joined())
    var network = self
    for pattern in patterns {
      let matching =
        pattern == Self.allButHead
        ? paths.filter { !heads.contains($0) }
        : try PathPattern(pattern).matches(in: paths, of: name)
      network.frozen.formUnion(matching)
    }
    guard paths.contains(where: { !network.frozen.contains($0) }) else {
      throw .nothingLeft(network: name)
    }
    return network
  }
}

/// The first components of a path, which may contain `*`.
private struct PathPattern {
  let text: String
  let components: [Substring]

  init(_ text: String) {
    self.text = text
    components = Self.components(of: text)
  }

  private static func components(of path: String) -> [Substring] {
    path.split(separator: ".", omittingEmptySubsequences: false)
  }

  /// - Throws: ``FreezingError`` if there are none.
  func matches(in paths: [String], of network: String) throws(FreezingError) -> [String] {
    var matching = paths.map { (path: $0, components: Self.components(of: $0)) }
    for (depth, component) in components.enumerated() {
      let deeper = matching.filter { $0.components.count > depth }
      matching = deeper.filter { Self.matches(component, $0.components[depth]) }
      guard matching.isEmpty else { continue }
      var choices: [String] = []
      for choice in deeper.map({ String($0.components[depth]) }) where !choices.contains(choice) {
        choices.append(choice)
      }
      throw .unknown(
        pattern: text, network: network, place: components[..<depth].joined(separator: "."),
        choices: choices)
    }
    return matching.map(\.path)
  }

  private static func matches(_ pattern: Substring, _ text: Substring) -> Bool {
    guard let star = pattern.firstIndex(of: "*") else { return pattern == text }
    guard text.hasPrefix(pattern[..<star]) else { return false }
    let rest = pattern[star...].drop { $0 == "*" }
    var tail = text.dropFirst(pattern[..<star].count)
    while !matches(rest, tail) {
      guard !tail.isEmpty else { return false }
      tail = tail.dropFirst()
    }
    return true
  }
}

/// Why layers cannot be frozen.
public enum FreezingError: Refusal, Hashable {
  /// A pattern that names no parameter; `choices` could follow on its first components, `place`.
  case unknown(pattern: String, network: String, place: String, choices: [String])
  /// No parameter is left to train.
  case nothingLeft(network: String)

  public var kind: RefusalKind { .usage }
  public var description: String {
    switch self {
    case .unknown(let pattern, let network, let place, let choices):
      "'\(pattern)' names no parameter of \(network); "
        + (choices.isEmpty
          ? "nothing lies below \(place)"
          : (place.isEmpty ? "there are " : "in \(place) there are ")
            + choices.joined(separator: ", ") + (place.isEmpty ? ", \(Network.allButHead)" : ""))
    case .nothingLeft(let network):
      "all parameters of \(network) are frozen; leave some to train"
    }
  }
}
