/// Pre-activation networks for CIFAR-10 (He, Zhang, Ren, Sun: Identity Mappings in Deep Residual
/// Networks, 2016) as taki0112/ResNet-Tensorflow builds them: every block begins with normalisation
/// and rectifier and adds without one; four stages of 32, 64, 128 and 256 filters, half as many as in
/// the paper's networks for ImageNet of the same depth, on maps of 32, 16, 8 and 4 pixels.
///
/// Convolutions have biases, and projections no normalisation. In basic blocks the projection sees the
/// block's input, where the shape changes; in bottlenecks every block projects the activated input.
public enum PreactivationResNet {
  /// The filters of the first convolution of a block, in each stage.
  public static let widths = [32, 64, 128, 256]

  /// - Parameters:
  ///   - depth: one of ``ImageNetResNet/depths``.
  ///   - inputSide: of the images, in pixels.
  /// - Returns: `nil` for other depths.
  public static func network(depth: Int, inputSide: Int = 32, classes: Int = 10) -> Network? {
    guard let row = ImageNetResNet.table.first(where: { $0.depth == depth }) else { return nil }
    return Network(
      name: "cifar-preact\(depth)", inputSide: inputSide, classes: classes, depth: depth
    ) {
      Convolution("conv1", widths[0], size: 3, bias: 0)
      Block.stages(widths, row.blocks) { name, filters, stride in
        row.isBottleneck
          ? bottleneck(name, filters: filters, stride: stride)
          : basic(name, filters: filters, stride: stride)
      }
      BatchNormalization("bn")
      ReLU()
      GlobalAveragePooling()
      FullyConnected("fc", classes)
    }
  }

  private static func basic(_ name: String, filters: Int, stride: Int) -> any Layer {
    PreactivationBlock(
      name, channels: filters, stride: stride, projects: stride > 1, projectsActivated: false
    ) {
      Convolution("conv1", filters, size: 3, stride: stride, bias: 0)
      BatchNormalization("bn2")
      ReLU("relu2")
      Convolution("conv2", filters, size: 3, bias: 0)
    }
  }

  private static func bottleneck(_ name: String, filters: Int, stride: Int) -> any Layer {
    PreactivationBlock(
      name, channels: 4 * filters, stride: stride, projects: true, projectsActivated: true
    ) {
      Convolution("conv1", filters, size: 1, bias: 0)
      BatchNormalization("bn2")
      ReLU("relu2")
      Convolution("conv2", filters, size: 3, stride: stride, bias: 0)
      BatchNormalization("bn3")
      ReLU("relu3")
      Convolution("conv3", 4 * filters, size: 1, bias: 0)
    }
  }
}

/// `y = F(a) + s`, with a = ReLU(normalised x) and the shortcut s = x, or a projection of x or of a.
struct PreactivationBlock: Layer {
  let name: String
  let channels: Int, stride: Int
  let projects: Bool, projectsActivated: Bool
  let body: [any Layer]

  init(
    _ name: String, channels: Int, stride: Int, projects: Bool, projectsActivated: Bool,
    @LayerBuilder body: () -> [any Layer]
  ) {
    self.name = name
    self.channels = channels
    self.stride = stride
    self.projects = projects
    self.projectsActivated = projectsActivated
    self.body = body()
  }

  func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation {
    lowering.scoped(name) { lowering in
      let first: [any Layer] = [BatchNormalization("bn1"), ReLU("relu1")]
      let activated = first.lower(input, in: &lowering)
      let shortcut =
        projects
        ? Convolution("downsample", channels, size: 1, stride: stride, bias: 0)
          .lower(projectsActivated ? activated : input, in: &lowering) : input
      let residual = body.lower(activated, in: &lowering)
      let sum = lowering.append(.add(.init()), [residual.value, shortcut.value], "add")
      return Activation(value: sum, channels: channels)
    }
  }
}
