/// The networks of Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image
/// Recognition, 2015, whose cost the paper compares with its own. Parameters have torchvision's names.
///
/// Five stages of 3×3 convolutions, each followed by maximum pooling, and three fully-connected
/// layers on a map of 7×7 pixels.
public enum VGG {
  /// The convolutions in each stage, by depth.
  public static let table: [(depth: Int, convolutions: [Int])] = [
    (16, [2, 2, 3, 3, 3]), (19, [2, 2, 4, 4, 4]),
  ]
  /// The filters of the convolutions in each stage.
  public static let widths = [64, 128, 256, 512, 512]
  /// The outputs of the hidden fully-connected layers.
  public static let hidden = 4096

  /// - Parameters:
  ///   - depth: 16 or 19.
  ///   - normalizes: whether each convolution is followed by batch normalisation, which came later;
  ///     it has a bias all the same, as in torchvision.
  ///   - hidden: the outputs of the hidden fully-connected layers.
  ///   - inputSide: of the images, in pixels. Maps of another size than 7×7 are averaged to it.
  /// - Returns: `nil` for other depths.
  public static func network(
    depth: Int, normalizes: Bool, hidden: Int = hidden, inputSide: Int = 224, classes: Int = 1000
  ) -> Network? {
    guard let row = table.first(where: { $0.depth == depth }) else { return nil }
    return Network(
      name: "vgg\(depth)" + (normalizes ? "-bn" : ""), inputSide: inputSide, classes: classes,
      depth: depth, classifier: "classifier.6"
    ) {
      Scope("features") { features(row.convolutions, normalizes: normalizes) }
      AveragePooling(toSide: 7)
      Flatten(side: 7)
      Scope("classifier") {
        FullyConnected("0", hidden, isHidden: true)
        ReLU("1")
        Dropout("2", rate: 0.5)
        FullyConnected("3", hidden, isHidden: true)
        ReLU("4")
        Dropout("5", rate: 0.5)
        FullyConnected("6", classes)
      }
    }
  }

  /// Layers named by their number.
  private static func features(_ convolutions: [Int], normalizes: Bool) -> [any Layer] {
    var layers: [any Layer] = []
    var name: String { String(layers.count) }
    for (width, count) in zip(widths, convolutions) {
      for _ in 0..<count {
        layers.append(Convolution(name, width, size: 3, bias: 0))
        if normalizes { layers.append(BatchNormalization(name)) }
        layers.append(ReLU(name))
      }
      layers.append(MaxPooling(size: 2, stride: 2, name: name))
    }
    return layers
  }
}
