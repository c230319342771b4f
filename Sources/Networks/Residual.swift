import ResidualGraphs

/// How a shortcut joins tensors whose shapes differ (section 3.3 and Table 3 of the paper).
public enum Shortcut: Hashable, Sendable {
  /// The paper's letters.
  public enum Option: String, SettingValue, CaseIterable { case a = "A", b = "B", c = "C" }

  /// Option A: identity; a step takes every second pixel and new channels are zero. No parameters.
  case padding(ZeroPadding)
  /// Option B: a projection (1×1 convolution and batch normalisation) where the shape changes.
  case projection
  /// Option C: a projection everywhere.
  case projectionEverywhere

  /// Where option A puts its zero channels. The paper does not say; both conventions are in use.
  public enum ZeroPadding: String, SettingValue, CaseIterable {
    /// All after the identity's channels.
    case end
    /// Half before and half after.
    case both
  }
}

extension Shortcut {
  /// The paper's letter for the option.
  public var option: Option {
    switch self {
    case .padding: .a
    case .projection: .b
    case .projectionEverywhere: .c
    }
  }
}

/// A residual block: `y = ReLU(F(x) + shortcut(x))`, eq. (1) and (2) of the paper.
public struct ResidualBlock: Layer {
  /// How a block's two paths become one.
  public enum Join: Hashable, Sendable {
    /// `ReLU(F(x) + s(x))`.
    case sum
    /// `ReLU(T(x) · F(x) + (1 − T(x)) · s(x))`, the gate T = σ(W x + b) a 1×1 convolution with as
    /// many filters as the result has channels: Srivastava, Greff, Schmidhuber: Highway Networks,
    /// 2015, eq. (3). b begins below zero, so that the block begins by passing its input on.
    case gate(bias: Float)
  }

  let name: String
  let shortcut: Shortcut
  let channels: Int, stride: Int
  let join: Join
  let body: [any Layer]

  /// - Parameters:
  ///   - channels: the channels of the result.
  ///   - stride: the stride of the whole block.
  ///   - body: F, without the last rectifier.
  public init(
    _ name: String, shortcut: Shortcut, channels: Int, stride: Int, join: Join = .sum,
    @LayerBuilder body: () -> [any Layer]
  ) {
    self.name = name
    self.shortcut = shortcut
    self.channels = channels
    self.stride = stride
    self.join = join
    self.body = body()
  }

  public func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation {
    lowering.scoped(name) { lowering in
      // The shortcut is lowered first, so that the body's end and the addition are neighbours.
      let identity = lowerShortcut(input, in: &lowering)
      let residual = body.lower(input, in: &lowering)
      var gated = residual.value
      if case .gate(let bias) = join {
        let gate = Convolution("gate", channels, size: 1, stride: stride, bias: bias)
          .lower(input, in: &lowering)
        let share = lowering.append(.sigmoid(.init()), [gate.value], "gate.sigmoid")
        // T·F + (1 − T)·s = T·(F − s) + s
        let difference = lowering.append(
          .subtract(.init()), [residual.value, identity.value], "gate.difference")
        gated = lowering.append(.multiply(.init()), [share, difference], "gate.product")
      }
      let sum = Activation(
        value: lowering.append(.add(.init()), [gated, identity.value], "add"), channels: channels)
      return ReLU().lower(sum, in: &lowering)
    }
  }

  private func lowerShortcut(_ input: Activation, in lowering: inout NetworkLowering) -> Activation
  {
    let changesShape = input.channels != channels || stride != 1
    switch shortcut {
    case .projectionEverywhere: return lowerProjection(input, in: &lowering)
    case .projection: return changesShape ? lowerProjection(input, in: &lowering) : input
    case .padding(let padding):
      return changesShape ? lowerZeroPadding(padding, input, in: &lowering) : input
    }
  }

  private func lowerProjection(_ input: Activation, in lowering: inout NetworkLowering)
    -> Activation
  {
    let projection: [any Layer] = [
      Convolution("downsample.0", channels, size: 1, stride: stride),
      BatchNormalization("downsample.1"),
    ]
    return projection.lower(input, in: &lowering)
  }

  private func lowerZeroPadding(
    _ padding: Shortcut.ZeroPadding, _ input: Activation, in lowering: inout NetworkLowering
  ) -> Activation {
    let extra = channels - input.channels
    precondition(extra >= 0, "option A cannot drop channels: \(input.channels) to \(channels)")
    var value = input.value
    if stride > 1 {
      value = lowering.append(
        .slice(.init(axis: 1, stride: stride)), [value], "shortcut.rows")
      value = lowering.append(
        .slice(.init(axis: 2, stride: stride)), [value], "shortcut.columns")
    }
    if extra > 0 {
      let before = padding == .both ? extra / 2 : 0
      value = lowering.append(
        .pad(.init(axis: 3, before: before, after: extra - before)), [value], "shortcut.channels")
    }
    return Activation(value: value, channels: channels)
  }
}

/// Layers under one name, without a shortcut: the plain twin of ``ResidualBlock``.
public struct PlainBlock: Layer {
  let name: String
  let body: [any Layer]

  /// - Parameters:
  ///   - name: of the scope that the layers stand in.
  ///   - body: without the last rectifier, which the block adds.
  public init(_ name: String, @LayerBuilder body: () -> [any Layer]) {
    self.name = name
    self.body = body()
  }

  public func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation {
    lowering.scoped(name) { (body + [ReLU()]).lower(input, in: &$0) }
  }
}
