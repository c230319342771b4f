import ResidualGraphs

/// A square convolution without bias.
public struct Convolution: Layer {
  let name: String
  let filters: Int, size: Int, stride: Int, padding: Int

  /// - Parameter padding: zeros on every side; by default as many as keep the image's size at
  ///   stride 1.
  public init(_ name: String, _ filters: Int, size: Int, stride: Int = 1, padding: Int? = nil) {
    precondition(
      padding != nil || size % 2 == 1, "a filter of even size \(size) cannot keep the image's size")
    self.name = name
    self.filters = filters
    self.size = size
    self.stride = stride
    self.padding = padding ?? size / 2
  }

  public func lower(_ input: Activation, in lowering: inout Lowering) -> Activation {
    let fan = size * size * (lowering.initialization == .fanIn ? input.channels : filters)
    let deviation = (2 / Double(fan)).squareRoot()
    let filter = lowering.parameter(
      name + ".weight", [filters, input.channels, size, size],
      .normal(standardDeviation: deviation))
    let value = lowering.append(
      .convolution(.init(stride: stride, padding: padding)), [input.value, filter], name)
    return Activation(value: value, channels: filters)
  }
}

/// Batch normalisation (Ioffe and Szegedy 2015), right after a convolution and before the activation.
public struct BatchNormalization: Layer {
  /// Added to the variance.
  static let epsilon: Float = 1e-5
  /// The weight of the new batch in the running statistics.
  static let momentum: Float = 0.1
  /// The names of the running statistics below a layer's path, as in PyTorch's files.
  public static let runningMean = "running_mean", runningVariance = "running_var"

  let name: String
  /// - Parameter name: of the scope that its slots `weight`, `bias`, `running_mean` and
  ///   `running_var` stand in, each `[C]`.
  public init(_ name: String) { self.name = name }

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
    guard lowering.form != .inference else {
      return lowering.graph.append(
        .batchNormalization(.init(epsilon: Self.epsilon, statistics: .fixed)),
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
      .batchNormalization(.init(epsilon: Self.epsilon, statistics: .batch)),
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

/// The largest pixel of each window; padding never wins.
public struct MaxPooling: Layer {
  let pooling: Operation.MaxPooling

  /// Square windows.
  ///
  /// - Parameters:
  ///   - size: the side of a window, in pixels.
  ///   - padding: pixels on every side.
  /// - Precondition: a stride above 0, and 0 ≤ padding < size.
  public init(size: Int, stride: Int, padding: Int = 0) {
    pooling = .init(size: size, stride: stride, padding: padding)
  }

  public func lower(_ input: Activation, in lowering: inout Lowering) -> Activation {
    Activation(
      value: lowering.append(.maxPooling(pooling), [input.value], "maxpool"),
      channels: input.channels)
  }
}

/// The mean over all pixels of each channel.
public struct GlobalAveragePooling: Layer {
  /// The layer has no parameters.
  public init() {}
  public func lower(_ input: Activation, in lowering: inout Lowering) -> Activation {
    Activation(
      value: lowering.append(.globalAveragePooling(.init()), [input.value], "avgpool"),
      channels: input.channels)
  }
}

/// A matrix product with a bias, for each image: the classifier.
public struct FullyConnected: Layer {
  let name: String
  let outputs: Int

  /// - Parameters:
  ///   - name: its parameters are `name.weight` `[outputs, inputs]` and `name.bias` `[outputs]`.
  ///   - outputs: one a class.
  public init(_ name: String, _ outputs: Int) {
    self.name = name
    self.outputs = outputs
  }

  public func lower(_ input: Activation, in lowering: inout Lowering) -> Activation {
    // Small, so that the first predictions are nearly uniform: the pooled features are all positive,
    // and a classifier of deviation √(2 / inputs) starts with large logits in deep networks.
    let weight = lowering.parameter(
      name + ".weight", [outputs, input.channels], .normal(standardDeviation: 0.01))
    let bias = lowering.parameter(name + ".bias", [outputs], .constant(0))
    let product = lowering.append(
      .matrixProduct(.init(transposesRight: true)), [input.value, weight], name + ".product")
    return Activation(
      value: lowering.append(.addBias(.init()), [product, bias], name), channels: outputs)
  }
}
