/// The paper's networks for CIFAR-10 (section 4.2): a 3×3 convolution, then three stages of 2n
/// 3×3 convolutions with 16, 32 and 64 filters on maps of 32, 16 and 8 pixels, global average
/// pooling and a fully-connected layer: 6n + 2 layers.
public enum CIFARResNet {
  /// The depths of the paper's Table 6.
  public static let paperDepths = [20, 32, 44, 56, 110, 1202]
  /// The filters of every convolution in each stage.
  public static let widths = [16, 32, 64]

  /// A network of 6n + 2 layers, or of 9n + 2 with bottlenecks.
  ///
  /// - Parameters:
  ///   - depth: two more than three stages of n blocks have, or with single-layer blocks of 2n.
  ///   - shortcut: `nil` for the plain network.
  ///   - gateBias: of the gates of a Highway network; `nil` for a network without gates.
  ///   - inputSide: of the images, in pixels.
  /// - Returns: `nil` if the depth is not of that form.
  public static func network(
    depth: Int, block: Block = .basic, shortcut: Shortcut?, gateBias: Float? = nil,
    inputSide: Int = 32, classes: Int = 10
  ) -> Network? {
    let layersOfStage = (depth - 2) / 3
    let unit = block == .single ? 2 : block.depth
    guard depth > 2, (depth - 2) % 3 == 0, layersOfStage % unit == 0 else { return nil }
    let blocks = layersOfStage / block.depth
    return Network(
      name: "cifar-\(family(block, isPlain: shortcut == nil, isGated: gateBias != nil))\(depth)",
      inputSide: inputSide, classes: classes,
      variant: NetworkVariant(
        shortcut, stridePlacement: block.stridePlacement, gateBias: gateBias), depth: depth
    ) {
      Convolution("conv1", widths[0], size: 3)
      BatchNormalization("bn1")
      ReLU()
      Block.stages(block, widths, [blocks, blocks, blocks], shortcut, gateBias: gateBias)
      GlobalAveragePooling()
      FullyConnected("fc", classes)
    }
  }

  private static func family(_ block: Block, isPlain: Bool, isGated: Bool) -> String {
    if isPlain { return "plain" }
    if isGated { return "highway" }
    return switch block {
    case .basic: "resnet"
    case .single: "single"
    case .bottleneck: "bottleneck"
    }
  }
}
