import ResidualGraphs

/// The largest pixel of each window; padding never wins.
public struct MaxPooling: Layer {
  let name: String
  let pooling: Operation.MaxPooling

  /// Square windows.
  ///
  /// - Parameters:
  ///   - size: the side of a window, in pixels.
  ///   - padding: pixels on every side.
  ///   - roundsUp: whether a last window may reach over the edge (ceiling mode).
  /// - Precondition: a stride above 0, and 0 ≤ padding < size.
  public init(
    size: Int, stride: Int, padding: Int = 0, roundsUp: Bool = false, name: String = "maxpool"
  ) {
    pooling = .init(size: size, stride: stride, padding: padding, roundsUp: roundsUp)
    self.name = name
  }

  public func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation {
    Activation(
      value: lowering.append(.maxPooling(pooling), [input.value], name),
      channels: input.channels)
  }
}

/// The mean of each window.
public struct AveragePooling: Layer {
  let pooling: Operation.AveragePooling

  /// Square windows, without padding.
  ///
  /// - Precondition: a size and a stride above 0.
  public init(size: Int, stride: Int) {
    pooling = .init(.notCounting(.init(size: size, stride: stride)))
  }

  /// As many windows as the result is to have rows and columns, whatever the image's size.
  ///
  /// - Precondition: a side above 0.
  public init(toSide side: Int) { pooling = .init(.adaptive(rows: side, columns: side)) }

  public func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation {
    Activation(
      value: lowering.append(.averagePooling(pooling), [input.value], "avgpool"),
      channels: input.channels)
  }
}

/// The mean over all pixels of each channel.
public struct GlobalAveragePooling: Layer {
  /// The layer has no parameters.
  public init() {}
  public func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation {
    Activation(
      value: lowering.append(.globalAveragePooling(.init()), [input.value], "avgpool"),
      channels: input.channels)
  }
}
