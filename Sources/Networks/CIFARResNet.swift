/// The paper's networks for CIFAR-10 (section 4.2): a 3×3 convolution, then three stages of 2n
/// 3×3 convolutions with 16, 32 and 64 filters on maps of 32, 16 and 8 pixels, global average
/// pooling and a fully-connected layer: 6n + 2 layers.
public enum CIFARResNet {
  /// The depths of the paper's Table 6.
  public static let paperDepths = [20, 32, 44, 56, 110, 1202]
  public static let widths = [16, 32, 64]

  /// A network of 6n + 2 layers.
  ///
  /// - Parameters:
  ///   - depth: 6n + 2 for an n ≥ 1.
  ///   - shortcut: `nil` for the plain network.
  /// - Returns: `nil` where the depth is not 6n + 2.
  public static func network(depth: Int, shortcut: Shortcut?, classes: Int = 10) -> Network? {
    guard depth >= 8, (depth - 2) % 6 == 0 else { return nil }
    let blocks = (depth - 2) / 6
    return Network(
      name: (shortcut == nil ? "cifar-plain" : "cifar-resnet") + String(depth), inputSide: 32,
      classes: classes, shortcut: shortcut, depth: depth
    ) {
      Convolution("conv1", widths[0], size: 3)
      BatchNormalization("bn1")
      ReLU()
      for (stage, width) in widths.enumerated() {
        for block in 0..<blocks {
          basicBlock(
            "layer\(stage + 1).\(block)", width, stride: stage > 0 && block == 0 ? 2 : 1, shortcut)
        }
      }
      GlobalAveragePooling()
      FullyConnected(Network.classifier, classes)
    }
  }

  /// Two 3×3 convolutions, each with batch normalisation (Figure 2 of the paper).
  private static func basicBlock(_ name: String, _ width: Int, stride: Int, _ shortcut: Shortcut?)
    -> any Layer
  {
    @LayerBuilder func body() -> [any Layer] {
      Convolution("conv1", width, size: 3, stride: stride)
      BatchNormalization("bn1")
      ReLU("relu1")
      Convolution("conv2", width, size: 3)
      BatchNormalization("bn2")
    }
    if let shortcut {
      return Residual(name, shortcut: shortcut, channels: width, stride: stride, body: body)
    }
    return Plain(name, body: body)
  }
}
