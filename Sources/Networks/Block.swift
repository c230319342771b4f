import ResidualGraphs

/// The blocks that the paper's networks are built of (its Figure 5), each convolution with batch
/// normalisation.
public enum Block: Hashable, Sendable {
  /// Two 3×3 convolutions.
  case basic
  /// One 3×3 convolution, of which the paper says that it brings no advantage (section 3.2).
  case single
  /// A 1×1, a 3×3 and a 1×1 convolution, the last with four times as many filters.
  case bottleneck(StridePlacement)

  /// The channels of the result for each filter of the first convolution.
  public var expansion: Int {
    switch self {
    case .basic, .single: 1
    case .bottleneck: 4
    }
  }

  /// The convolutions of a block on its longest path.
  var depth: Int {
    switch self {
    case .single: 1
    case .basic: 2
    case .bottleneck: 3
    }
  }

  /// Where a bottleneck's stride is; `nil` for other blocks.
  public var stridePlacement: StridePlacement? {
    if case .bottleneck(let placement) = self { placement } else { nil }
  }

  /// The stages of a network, named `layer1.0`, `layer1.1`, …: every stage but the first begins with
  /// a stride of 2.
  ///
  /// - Parameters:
  ///   - widths: the filters in each stage.
  ///   - blocks: the blocks in each stage.
  ///   - shortcut: `nil` for plain blocks.
  ///   - gateBias: of the gates of a Highway network; `nil` for a network without gates.
  static func stages(
    _ block: Block, _ widths: [Int], _ blocks: [Int], _ shortcut: Shortcut?, gateBias: Float? = nil
  ) -> [any Layer] {
    stages(widths, blocks) { name, filters, stride in
      block.layer(name, filters: filters, stride: stride, shortcut: shortcut, gateBias: gateBias)
    }
  }

  /// The same for blocks of any kind.
  static func stages(
    _ widths: [Int], _ blocks: [Int],
    _ block: (_ name: String, _ filters: Int, _ stride: Int) -> any Layer
  ) -> [any Layer] {
    zip(widths, blocks).enumerated().flatMap { stage, size in
      (0..<size.1).map { index in
        block("layer\(stage + 1).\(index)", size.0, stage > 0 && index == 0 ? 2 : 1)
      }
    }
  }

  /// - Parameters:
  ///   - filters: of the first convolution.
  ///   - shortcut: `nil` for the plain block.
  ///   - gateBias: of a Highway block's gate.
  func layer(
    _ name: String, filters: Int, stride: Int, shortcut: Shortcut?, gateBias: Float? = nil
  ) -> any Layer {
    func body() -> [any Layer] { self.body(filters: filters, stride: stride) }
    guard let shortcut else { return PlainBlock(name, body: body) }
    return ResidualBlock(
      name, shortcut: shortcut, channels: filters * expansion, stride: stride,
      join: gateBias.map { .gate(bias: $0) } ?? .sum, body: body)
  }

  /// The residual function F.
  @LayerBuilder
  private func body(filters: Int, stride: Int) -> [any Layer] {
    switch self {
    case .single:
      Convolution("conv1", filters, size: 3, stride: stride)
      BatchNormalization("bn1")
    case .basic:
      Convolution("conv1", filters, size: 3, stride: stride)
      BatchNormalization("bn1")
      ReLU("relu1")
      Convolution("conv2", filters, size: 3)
      BatchNormalization("bn2")
    case .bottleneck(let placement):
      Convolution("conv1", filters, size: 1, stride: placement == .first1x1 ? stride : 1)
      BatchNormalization("bn1")
      ReLU("relu1")
      Convolution("conv2", filters, size: 3, stride: placement == .middle3x3 ? stride : 1)
      BatchNormalization("bn2")
      ReLU("relu2")
      Convolution("conv3", filters * expansion, size: 1)
      BatchNormalization("bn3")
    }
  }
}

/// Which convolution of a bottleneck has the block's stride.
public enum StridePlacement: String, SettingValue, CaseIterable {
  /// The first 1×1 convolution, as in the authors' networks.
  case first1x1 = "1x1"
  /// The 3×3 convolution, as in torchvision ("v1.5"): 6 % more multiply-adds in ResNet-50.
  case middle3x3 = "3x3"
}
