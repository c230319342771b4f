import ResidualNetworks

/// The L2 norms of one layer in one step.
public struct LayerNorms: Hashable, Sendable {
  /// The layer's path.
  public let layer: String
  /// Of the gradient of all its parameters: as the loss has it, before it is clipped.
  public let gradient: Double
  /// Of its parameters, before the update.
  public let weight: Double
  /// Of what the update takes away from them; 0 if the step is left out.
  public let update: Double
}

/// The norms of a step, of all parameters and by layer.
struct StepNorms {
  /// What is squared, by its place in the rows of ``Graph/squaresOutput``.
  enum Column: Int { case gradient, weight, update }

  /// The layers with parameters that are trained, in the order of the forward pass.
  let layers: [String]
  /// Three numbers for each parameter.
  var squares: [Float]
  /// The index of each parameter's layer.
  private let owners: [Int]

  /// - Parameter step: a step of training.
  /// - Complexity: O(nodes + edges), and a sort of the parameters.
  init(_ step: Graph) {
    let parameters = step.updatedParameters
    let uses = step.uses()
    let readers = parameters.map { parameter in
      step.value(ofSlot: parameter).flatMap { uses[$0.node].first?.node } ?? 0
    }
    var layers: [String] = []
    var indices: [String: Int] = [:]
    for index in parameters.indices.sorted(by: { readers[$0] < readers[$1] }) {
      let layer = Self.layer(of: parameters[index])
      guard indices[layer] == nil else { continue }
      indices[layer] = layers.count
      layers.append(layer)
    }
    self.layers = layers
    owners = parameters.map { indices[Self.layer(of: $0)] ?? 0 }
    squares = [Float](repeating: 0, count: 3 * parameters.count)
  }

  /// The path of the layer that has a parameter.
  static func layer(of parameter: String) -> String {
    parameter.lastIndex(of: ".").map { String(parameter[..<$0]) } ?? parameter
  }

  /// The norm over all parameters; infinite where its square is beyond float32. Allocates nothing.
  func norm(_ column: Column) -> Float {
    var sum = 0.0
    for parameter in owners.indices { sum += Double(squares[3 * parameter + column.rawValue]) }
    return Float(sum).squareRoot()
  }

  /// Whether no norm is NaN or infinite. Allocates nothing.
  var areFinite: Bool {
    norm(.gradient).isFinite && norm(.weight).isFinite && norm(.update).isFinite
  }

  /// By layer, in the order of the forward pass.
  var byLayer: [LayerNorms] {
    var sums = [SIMD3<Double>](repeating: .zero, count: layers.count)
    for (parameter, owner) in owners.enumerated() {
      for column in 0..<3 { sums[owner][column] += Double(squares[3 * parameter + column]) }
    }
    return zip(layers, sums).map { layer, sums in
      let norms = sums.squareRoot()
      return LayerNorms(layer: layer, gradient: norms[0], weight: norms[1], update: norms[2])
    }
  }

  /// The first layer, or the last, of which a square is not finite, with the number; where only their sum is
  /// not, the layer with the largest. `nil` if all is finite.
  func fault(_ column: Column, last: Bool = false) -> (layer: String, value: Float)? {
    guard !norm(column).isFinite else { return nil }
    func square(_ parameter: Int) -> Float { squares[3 * parameter + column.rawValue] }
    let failed = owners.indices.filter { !square($0).isFinite }
    if let largest = failed.isEmpty ? owners.indices.max(by: { square($0) < square($1) }) : nil {
      return (layers[owners[largest]], .infinity)
    }
    let found =
      last ? failed.max { owners[$0] < owners[$1] } : failed.min { owners[$0] < owners[$1] }
    return found.map { (layers[owners[$0]], square($0)) }
  }
}
