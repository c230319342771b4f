import ResidualGraphs

/// Layers under one name.
public struct Scope: Layer {
  let name: String
  let layers: [any Layer]

  /// - Parameter name: begins the paths of all that the layers contain.
  public init(_ name: String, @LayerBuilder layers: () -> [any Layer]) {
    self.name = name
    self.layers = layers()
  }

  public func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation {
    lowering.scoped(name) { layers.lower(input, in: &$0) }
  }
}

/// Branches from one input, their results one after another along the channels.
public struct Branches: Layer {
  let name: String
  let branches: [any Layer]

  /// - Parameters:
  ///   - name: begins the paths of all that the branches contain.
  ///   - branches: each a layer, or a ``Scope`` of several.
  public init(_ name: String, @LayerBuilder branches: () -> [any Layer]) {
    self.name = name
    self.branches = branches()
  }

  public func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation {
    lowering.scoped(name) { lowering in
      let results = branches.map { $0.lower(input, in: &lowering) }
      return Activation(
        value: lowering.append(.concatenate(.init(axis: 3)), results.map(\.value), "concatenate"),
        channels: results.reduce(0) { $0 + $1.channels })
    }
  }
}

/// A second classifier in the middle of a network, whose loss is added in training (Szegedy et al.,
/// Going Deeper with Convolutions, 2015, section 5). What follows reads its input.
public struct AuxiliaryClassifier: Layer {
  let name: String
  let layers: [any Layer]

  /// - Parameters:
  ///   - name: of the classifier.
  ///   - layers: to logits `[N, classes]`.
  public init(_ name: String, @LayerBuilder layers: () -> [any Layer]) {
    self.name = name
    self.layers = layers()
  }

  public func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation {
    guard lowering.form == .training else { return input }
    let logits = lowering.scoped(name) { layers.lower(input, in: &$0) }
    lowering.graph.output(Network.auxiliaryPrefix + lowering.path(name), logits.value)
    return input
  }
}
