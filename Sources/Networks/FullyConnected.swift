import ResidualGraphs

/// A matrix product with a bias, for each image.
public struct FullyConnected: Layer {
  let name: String
  let outputs: Int
  let isHidden: Bool

  /// - Parameters:
  ///   - name: its parameters are `name.weight` `[outputs, inputs]` and `name.bias` `[outputs]`.
  ///   - outputs: one a class.
  ///   - isHidden: whether a rectifier and other layers follow, rather than the softmax.
  public init(_ name: String, _ outputs: Int, isHidden: Bool = false) {
    self.name = name
    self.outputs = outputs
    self.isHidden = isHidden
  }

  public func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation {
    // A classifier's is small, so that the first predictions are nearly uniform: the pooled features
    // are all positive, and with a deviation of √(2 / inputs) deep networks start with large logits.
    let deviation =
      isHidden
      ? lowering.initialization.deviation(size: 1, inputs: input.channels, outputs: outputs) : 0.01
    let weight = lowering.parameter(
      name + ".weight", [outputs, input.channels], .normal(standardDeviation: deviation))
    let bias = lowering.parameter(name + ".bias", [outputs], .constant(0))
    let product = lowering.append(
      .matrixProduct(.init(transposesRight: true)), [input.value, weight], name + ".product")
    return Activation(
      value: lowering.append(.addBias(.init()), [product, bias], name), channels: outputs)
  }
}

/// All numbers of an image in a row, channel by channel.
public struct Flatten: Layer {
  let side: Int
  /// - Parameter side: of the square map that is flattened, in pixels.
  public init(side: Int) { self.side = side }
  public func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation {
    Activation(
      value: lowering.append(.flatten(.init()), [input.value], "flatten"),
      channels: side * side * input.channels)
  }
}

/// Sets numbers to zero at random in training, and does nothing else.
public struct Dropout: Layer {
  let name: String
  let rate: Float

  /// - Parameters:
  ///   - name: of the node; masks of other names are drawn apart.
  ///   - rate: the share of numbers that are dropped, 0 ≤ rate < 1.
  public init(_ name: String, rate: Float) {
    self.name = name
    self.rate = rate
  }

  public func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation {
    guard lowering.form == .training, lowering.dropsOut else { return input }
    let key = lowering.graph.input(Network.dropoutKeyInput, .int32)
    let stream = RandomKey(bits: 0).derived(lowering.path(name)).bits
    return Activation(
      value: lowering.append(
        .dropout(.init(rate: rate, stream: stream)), [input.value, key], name),
      channels: input.channels)
  }
}
