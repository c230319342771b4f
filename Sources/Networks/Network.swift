@_exported import ResidualGraphs

/// A network as the paper describes it: layers from images to logits.
public struct Network: Sendable {
  /// The name that files, configurations and reports record, such as `cifar-resnet20`.
  public let name: String
  /// The side of the images that the network is made for, in pixels.
  public let inputSide: Int
  /// The number of classes.
  public let classes: Int
  /// The shortcut option, `nil` for a network without shortcuts.
  public let shortcut: Shortcut?
  /// Which convolution of a bottleneck has the stride, `nil` for a network without bottlenecks.
  public let stridePlacement: StridePlacement?
  /// The convolutions and fully-connected layers on the longest path, as the paper counts depth.
  public let depth: Int
  let layers: [any Layer]

  /// A network of the caller's own layers.
  ///
  /// - Parameters:
  ///   - shortcut: recorded, as are name, placement and depth; the layers alone decide what is
  ///     computed.
  ///   - layers: from images `[N, inputSide, inputSide, 3]` to logits `[N, classes]`.
  public init(
    name: String, inputSide: Int, classes: Int, shortcut: Shortcut?,
    stridePlacement: StridePlacement? = nil, depth: Int,
    @LayerBuilder layers: () -> [any Layer]
  ) {
    self.name = name
    self.inputSide = inputSide
    self.classes = classes
    self.shortcut = shortcut
    self.stridePlacement = stridePlacement
    self.depth = depth
    self.layers = layers()
  }

  /// The sides of images, in pixels, that networks are built for.
  public static let inputSides = 32...4096

  /// The input of the graph in every form: `[N, H, W, 3]`.
  public static let imagesInput = "images"
  /// The output of the graph in every form: `[N, classes]`, before the softmax.
  public static let logitsOutput = "logits"
  /// The path of the last layer, in every network.
  public static let classifier = "fc"

  /// Lowers the network into a graph from the input `images` `[N, H, W, 3]` to the output `logits`
  /// `[N, classes]`.
  ///
  /// - Complexity: O(layers).
  public func graph(_ form: NetworkForm, initialization: Initialization = .fanIn) -> Graph {
    var lowering = Lowering(form: form, initialization: initialization)
    let images = Activation(value: lowering.graph.input(Self.imagesInput), channels: 3)
    let logits = layers.lower(images, in: &lowering)
    lowering.graph.output(Self.logitsOutput, logits.value)
    return lowering.graph
  }

  /// The shape of a batch of images: `[batch, height, width, 3]`.
  public func imagesShape(batch: Int) -> Shape { [batch, inputSide, inputSide, 3] }
}
