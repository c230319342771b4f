import ResidualGraphs

/// What the branch of an Inception module is made of that sees farthest.
public enum InceptionBranch: String, SettingValue, CaseIterable {
  /// A 5×5 convolution, as in the paper.
  case five = "5x5"
  /// A 3×3 convolution, as in torchvision and the first public weights.
  case three = "3x3"
}

/// Inception v1 with batch normalisation: Szegedy et al., Going Deeper with Convolutions, 2015, Table
/// 1. Parameters have torchvision's names.
///
/// 22 layers, nine of them modules of four branches. In training two more classifiers stand in the
/// middle.
public enum GoogLeNet {
  /// The name in the catalogue and in files.
  public static let name = "googlenet"

  /// The filters of a module's convolutions, in the order of the paper's Table 1.
  public struct Module: Hashable, Sendable {
    /// The name, such as `3a`.
    public let name: String
    let one: Int, threeReduce: Int, three: Int, fiveReduce: Int, five: Int, pool: Int

    init(_ name: String, _ filters: (Int, Int, Int, Int, Int, Int)) {
      self.name = name
      (one, threeReduce, three, fiveReduce, five, pool) = filters
    }
  }

  /// Table 1: the modules of each stage.
  public static let stages: [[Module]] = [
    [
      Module("3a", (64, 96, 128, 16, 32, 32)), Module("3b", (128, 128, 192, 32, 96, 64)),
    ],
    [
      Module("4a", (192, 96, 208, 16, 48, 64)), Module("4b", (160, 112, 224, 24, 64, 64)),
      Module("4c", (128, 128, 256, 24, 64, 64)), Module("4d", (112, 144, 288, 32, 64, 64)),
      Module("4e", (256, 160, 320, 32, 128, 128)),
    ],
    [
      Module("5a", (256, 160, 320, 32, 128, 128)), Module("5b", (384, 192, 384, 48, 128, 128)),
    ],
  ]

  /// - Parameters:
  ///   - branch: with torchvision's, its dropout rate of 0.2 before the classifier and its last
  ///     maximum pooling of 2×2 pixels too, the paper's being 0.4 and 3×3.
  ///   - inputSide: of the images, in pixels.
  public static func network(
    branch: InceptionBranch = .five, inputSide: Int = 224, classes: Int = 1000
  ) -> Network {
    Network(
      name: name, inputSide: inputSide, classes: classes,
      variant: NetworkVariant(inceptionBranch: branch), depth: 22
    ) {
      convolution("conv1", 64, size: 7, stride: 2)
      MaxPooling(size: 3, stride: 2, roundsUp: true, name: "maxpool1")
      convolution("conv2", 64, size: 1)
      convolution("conv3", 192, size: 3)
      MaxPooling(size: 3, stride: 2, roundsUp: true, name: "maxpool2")
      for module in stages[0] { layer(module, branch) }
      MaxPooling(size: 3, stride: 2, roundsUp: true, name: "maxpool3")
      for module in stages[1] {
        if let name = auxiliary[module.name] {
          classifier(name, classes: classes, branch: branch, inputSide: inputSide)
        }
        layer(module, branch)
      }
      MaxPooling(size: branch == .five ? 3 : 2, stride: 2, roundsUp: true, name: "maxpool4")
      for module in stages[2] { layer(module, branch) }
      GlobalAveragePooling()
      Dropout("dropout", rate: branch == .five ? 0.4 : 0.2)
      FullyConnected("fc", classes)
    }
  }

  /// The auxiliary classifiers, by the module behind them.
  private static let auxiliary = ["4b": "aux1", "4e": "aux2"]

  /// A convolution, normalised and rectified.
  private static func convolution(_ name: String, _ filters: Int, size: Int, stride: Int = 1)
    -> any Layer
  {
    Scope(name) {
      Convolution("conv", filters, size: size, stride: stride)
      BatchNormalization("bn", epsilon: 0.001)
      ReLU()
    }
  }

  private static func layer(_ module: Module, _ branch: InceptionBranch) -> any Layer {
    Branches("inception" + module.name) {
      convolution("branch1", module.one, size: 1)
      Scope("branch2") {
        convolution("0", module.threeReduce, size: 1)
        convolution("1", module.three, size: 3)
      }
      Scope("branch3") {
        convolution("0", module.fiveReduce, size: 1)
        convolution("1", module.five, size: branch == .five ? 5 : 3)
      }
      Scope("branch4") {
        MaxPooling(size: 3, stride: 1, padding: 1, roundsUp: true, name: "0")
        convolution("1", module.pool, size: 1)
      }
    }
  }

  /// On a map of 4×4 pixels: at the paper's size of images by windows of 5×5 pixels, three apart, as
  /// in the paper; else by four windows on each axis, as in torchvision.
  private static func classifier(
    _ name: String, classes: Int, branch: InceptionBranch, inputSide: Int
  ) -> any Layer {
    AuxiliaryClassifier(name) {
      branch == .five && inputSide == 224
        ? AveragePooling(size: 5, stride: 3) : AveragePooling(toSide: 4)
      convolution("conv", 128, size: 1)
      Flatten(side: 4)
      FullyConnected("fc1", 1024, isHidden: true)
      ReLU()
      Dropout("dropout", rate: 0.7)
      FullyConnected("fc2", classes)
    }
  }
}
