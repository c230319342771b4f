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

  public func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation {
    let deviation = lowering.initialization.deviation(
      size: size, inputs: input.channels, outputs: filters)
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

  public func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation {
    let value = lowering.scoped(name) { lowering in
      let scale = lowering.parameter("weight", [input.channels], .constant(1))
      let shift = lowering.parameter("bias", [input.channels], .constant(0))
      let mean = lowering.statistic(Self.runningMean, input.channels, initial: 0)
      let variance = lowering.statistic(Self.runningVariance, input.channels, initial: 1)
      return Self.lower(
        input.value, scale: scale, shift: shift,
        isFrozen: lowering.isFrozen("weight") && lowering.isFrozen("bias"),
        running: .init(
          meanSlot: lowering.path(Self.runningMean),
          varianceSlot: lowering.path(Self.runningVariance)), mean: mean, variance: variance,
        epsilon: epsilon, path: lowering.scopePath, in: &lowering)
    }
    return Activation(value: value, channels: input.channels)
  }

  /// Appends a normalisation of a value in the form of the network.
  ///
  /// - Parameters:
  ///   - isFrozen: whether the running statistics count in training too, and stay as they are.
  ///   - running: the slots of the running statistics, whose values are `mean` and `variance`.
  ///   - path: of the result; those of the statistics stand below it.
  static func lower(
    _ x: Value, scale: Value, shift: Value, isFrozen: Bool, running: BatchStatistics, mean: Value,
    variance: Value, epsilon: Float, path: String, in lowering: inout NetworkLowering
  ) -> Value {
    func append(_ operation: Operation, _ operands: [Value], _ name: String) -> Value {
      lowering.graph.append(operation, operands, path: path + "." + name)
    }
    guard lowering.form != .inference, !isFrozen else {
      return lowering.graph.append(
        .batchNormalization(.init(epsilon: epsilon, statistics: .fixed)),
        [x, mean, variance, scale, shift], path: path)
    }
    let count = append(.channelStatistics(.init()), [x], "count")
    let (batchMean, m2) = (count.result(1), count.result(2))
    let batchVariance = append(.variance(.init(correction: 0)), [count, m2], "variance")
    switch lowering.form {
    case .training:
      let unbiased = append(.variance(.init(correction: 1)), [count, m2], "unbiased_variance")
      let average = Operation.movingAverage(.init(weight: Self.momentum))
      lowering.graph.bind(
        running.meanSlot, to: append(average, [mean, batchMean], "new_running_mean"))
      lowering.graph.bind(
        running.varianceSlot, to: append(average, [variance, unbiased], "new_running_var"))
    case .statistics:
      lowering.batchStatistics.append(running)
      lowering.graph.output(running.count, count)
      lowering.graph.output(running.mean, batchMean)
      lowering.graph.output(running.m2, m2)
    case .inference: break
    }
    return lowering.graph.append(
      .batchNormalization(.init(epsilon: epsilon, statistics: .batch)),
      [x, batchMean, batchVariance, scale, shift], path: path)
  }
}

/// The statistics of one normalisation: the slots that they run in, and the outputs that the
/// `statistics` form adds for it.
public struct BatchStatistics: Hashable, Sendable {
  /// The slots of the running statistics, `[C]` each.
  public let meanSlot: String, varianceSlot: String
  /// Output (scalar): the pixels of the batch.
  public var count: String { meanSlot + "/count" }
  /// Output: the batch's mean `[C]`.
  public var mean: String { meanSlot + "/mean" }
  /// Output: the batch's sum of squared deviations from the mean `[C]`.
  public var m2: String { varianceSlot + "/m2" }
}

/// `max(x, 0)`.
public struct ReLU: Layer {
  let name: String
  /// - Parameter name: of the node, below the current scope.
  public init(_ name: String = "relu") { self.name = name }
  public func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation {
    Activation(
      value: lowering.append(.relu(.init()), [input.value], name), channels: input.channels)
  }
}
