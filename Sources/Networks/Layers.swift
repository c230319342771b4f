import ResidualGraphs

/// A square convolution.
public struct Convolution: Layer {
  let name: String
  let filters: Int, size: Int, stride: Int, padding: Int
  let bias: Float?

  /// - Parameters:
  ///   - name: its parameters are `name.weight` `[filters, channels, size, size]` and, with a bias,
  ///     `name.bias` `[filters]`.
  ///   - padding: zeros on every side; by default as many as keep the image's size at stride 1.
  ///   - bias: its first value; `nil` for a convolution without bias, as before a normalisation.
  public init(
    _ name: String, _ filters: Int, size: Int, stride: Int = 1, padding: Int? = nil,
    bias: Float? = nil
  ) {
    precondition(
      padding != nil || size % 2 == 1, "a filter of even size \(size) cannot keep the image's size")
    self.name = name
    self.filters = filters
    self.size = size
    self.stride = stride
    self.padding = padding ?? size / 2
    self.bias = bias
  }

  public func lower(_ input: Activation, in lowering: inout Lowering) -> Activation {
    let fan = size * size * (lowering.initialization == .fanIn ? input.channels : filters)
    let deviation = (2 / Double(fan)).squareRoot()
    let filter = lowering.parameter(
      name + ".weight", [filters, input.channels, size, size],
      .normal(standardDeviation: deviation))
    let operation = Operation.convolution(.init(stride: stride, padding: padding))
    guard let bias else {
      return Activation(
        value: lowering.append(operation, [input.value, filter], name), channels: filters)
    }
    let initial = lowering.parameter(name + ".bias", [filters], .constant(bias))
    let products = lowering.append(operation, [input.value, filter], name + ".products")
    return Activation(
      value: lowering.append(.addBias(.init()), [products, initial], name), channels: filters)
  }
}

/// Batch normalisation (Ioffe and Szegedy 2015), right after a convolution and before the activation.
public struct BatchNormalization: Layer {
  /// The weight of the new batch in the running statistics.
  static let momentum: Float = 0.1
  /// The names of the running statistics below a layer's path, as in PyTorch's files.
  public static let runningMean = "running_mean", runningVariance = "running_var"

  let name: String
  let epsilon: Float
  /// - Parameters:
  ///   - name: of the scope that its slots `weight`, `bias`, `running_mean` and `running_var` stand
  ///     in, each `[C]`.
  ///   - epsilon: added to the variance.
  public init(_ name: String, epsilon: Float = 1e-5) {
    self.name = name
    self.epsilon = epsilon
  }

  public func lower(_ input: Activation, in lowering: inout Lowering) -> Activation {
    let value = lowering.scoped(name) { lowering in
      normalize(input, in: &lowering)
    }
    return Activation(value: value, channels: input.channels)
  }

  private func normalize(_ input: Activation, in lowering: inout Lowering) -> Value {
    let scale = lowering.parameter("weight", [input.channels], .constant(1))
    let shift = lowering.parameter("bias", [input.channels], .constant(0))
    let runningMean = lowering.statistic(Self.runningMean, input.channels, initial: 0)
    let runningVariance = lowering.statistic(Self.runningVariance, input.channels, initial: 1)
    let outputPath = lowering.scopePath
    let isFrozen = lowering.isFrozen("weight") && lowering.isFrozen("bias")
    guard lowering.form != .inference, !isFrozen else {
      return lowering.graph.append(
        .batchNormalization(.init(epsilon: epsilon, statistics: .fixed)),
        [input.value, runningMean, runningVariance, scale, shift], path: outputPath)
    }
    let count = lowering.append(.channelStatistics(.init()), [input.value], "count")
    let (mean, m2) = (count.result(1), count.result(2))
    let variance = lowering.append(.variance(.init(correction: 0)), [count, m2], "variance")
    switch lowering.form {
    case .training:
      let unbiased = lowering.append(
        .variance(.init(correction: 1)), [count, m2], "unbiased_variance")
      let average = Operation.movingAverage(.init(weight: Self.momentum))
      lowering.graph.bind(
        lowering.path(Self.runningMean),
        to: lowering.append(average, [runningMean, mean], "new_running_mean"))
      lowering.graph.bind(
        lowering.path(Self.runningVariance),
        to: lowering.append(average, [runningVariance, unbiased], "new_running_var"))
    case .statistics:
      for (name, value) in zip(BatchStatistics.parts, [count, mean, m2]) {
        lowering.graph.output(lowering.path(name), value)
      }
    case .inference: break
    }
    return lowering.graph.append(
      .batchNormalization(.init(epsilon: epsilon, statistics: .batch)),
      [input.value, mean, variance, scale, shift], path: outputPath)
  }
}

/// The names of the outputs that the `statistics` form adds below each batch normalisation.
public enum BatchStatistics {
  /// Pixels (scalar), mean `[C]` and sum of squared deviations from the mean `[C]`.
  public static let count = "count", mean = "mean", m2 = "m2"
  static let parts = [count, mean, m2]
}

/// `max(x, 0)`.
public struct ReLU: Layer {
  let name: String
  /// - Parameter name: of the node, below the current scope.
  public init(_ name: String = "relu") { self.name = name }
  public func lower(_ input: Activation, in lowering: inout Lowering) -> Activation {
    Activation(
      value: lowering.append(.relu(.init()), [input.value], name), channels: input.channels)
  }
}
