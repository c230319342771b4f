/// The paper's networks for ImageNet (Table 1): a 7×7 convolution and maximum pooling, four stages of
/// blocks with 64, 128, 256 and 512 filters, each half as wide and high as the one before, global
/// average pooling and a fully-connected layer. Parameters have torchvision's names.
public enum ImageNetResNet {
  /// Table 1: the kind of block, and the number of blocks in each stage.
  public static let table: [(depth: Int, isBottleneck: Bool, blocks: [Int])] = [
    (18, false, [2, 2, 2, 2]),
    (34, false, [3, 4, 6, 3]),
    (50, true, [3, 4, 6, 3]),
    (101, true, [3, 4, 23, 3]),
    (152, true, [3, 8, 36, 3]),
  ]
  /// The depths of Table 1, from 18 to 152.
  public static let depths = table.map(\.depth)
  /// The filters of the first convolution of a block, in each stage.
  public static let widths = [64, 128, 256, 512]

  /// A network of Table 1, or its plain twin.
  ///
  /// - Parameters:
  ///   - depth: one of ``depths``.
  ///   - shortcut: `nil` for the plain network.
  ///   - gateBias: of the gates of a Highway network; `nil` for a network without gates.
  ///   - stridePlacement: for bottlenecks.
  ///   - inputSide: of the images, in pixels.
  /// - Returns: `nil` if Table 1 has no such depth.
  public static func network(
    depth: Int, shortcut: Shortcut?, gateBias: Float? = nil,
    stridePlacement: StridePlacement = .middle3x3, inputSide: Int = 224, classes: Int = 1000
  ) -> Network? {
    guard let row = table.first(where: { $0.depth == depth }) else { return nil }
    let family = shortcut == nil ? "plain" : gateBias == nil ? "resnet" : "highway"
    return network(
      name: family + String(depth),
      block: row.isBottleneck ? .bottleneck(stridePlacement) : .basic, blocks: row.blocks,
      shortcut: shortcut, gateBias: gateBias, inputSide: inputSide, classes: classes)
  }

  /// A network of any numbers of blocks.
  public static func network(
    name: String, block: Block, blocks: [Int], shortcut: Shortcut?, gateBias: Float? = nil,
    inputSide: Int = 224, classes: Int = 1000
  ) -> Network {
    precondition(
      blocks.count == widths.count, "\(blocks.count) stages, where there are \(widths.count)")
    return Network(
      name: name, inputSide: inputSide, classes: classes,
      variant: NetworkVariant(
        shortcut, stridePlacement: block.stridePlacement, gateBias: gateBias),
      depth: blocks.reduce(0, +) * block.depth + 2
    ) {
      Convolution("conv1", 64, size: 7, stride: 2)
      BatchNormalization("bn1")
      ReLU()
      MaxPooling(size: 3, stride: 2, padding: 1)
      Block.stages(block, widths, blocks, shortcut, gateBias: gateBias)
      GlobalAveragePooling()
      FullyConnected("fc", classes)
    }
  }
}
