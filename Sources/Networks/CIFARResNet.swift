/// The paper's networks for CIFAR-10 (section 4.2): a 3×3 convolution, then three stages of 2n
/// 3×3 convolutions with 16, 32 and 64 filters on maps of 32, 16 and 8 pixels, global average
/// pooling and a fully-connected layer: 6n + 2 layers.
public enum CIFARResNet {
  /// The depths of the paper's Table 6.
  public static let paperDepths = [20, 32, 44, 56, 110, 1202]
  /// The filters of every convolution in each stage.
  public static let widths = [16, 32, 64]

  /// A network of 6n + 2 layers.
  ///
  /// - Parameters:
  ///   - depth: 6n + 2 for an n ≥ 1.
  ///   - shortcut: `nil` for the plain network.
  ///   - inputSide: of the images, in pixels.
  /// - Returns: `nil` where the depth is not 6n + 2.
  public static func network(
    depth: Int, shortcut: Shortcut?, inputSide: Int = 32, classes: Int = 10
  )
    -> Network?
  {
    guard depth >= 8, (depth - 2) % 6 == 0 else { return nil }
    let blocks = (depth - 2) / 6
    return Network(
      name: (shortcut == nil ? "cifar-plain" : "cifar-resnet") + String(depth),
      inputSide: inputSide,
      classes: classes, shortcut: shortcut, depth: depth
    ) {
      Convolution("conv1", widths[0], size: 3)
      BatchNormalization("bn1")
      ReLU()
      Block.stages(.basic, widths, [blocks, blocks, blocks], shortcut)
      GlobalAveragePooling()
      FullyConnected(Network.classifier, classes)
    }
  }
}
