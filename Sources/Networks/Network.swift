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
  /// What the biases of gates begin with, `nil` for a network without gates.
  public let gateBias: Float?
  /// What the branch of an Inception module is made of that sees farthest, `nil` for a network
  /// without such modules.
  public let inceptionBranch: InceptionBranch?
  /// The convolutions and fully-connected layers on the longest path, as the paper counts depth.
  public private(set) var depth: Int
  /// The path of the last layer.
  public let classifier: String
  /// Where the layers are given as a graph: that graph as files keep it; see
  /// ``init(_:definition:name:inputSide:classes:depth:classifier:)``.
  public let definition: String?
  /// The parameters of the last layer, where its path does not begin their names.
  private let classifierSlots: [String]?
  /// The parameters that training leaves as they are, by their paths; see ``freezing(_:)``.
  public internal(set) var frozen: Set<String> = []
  let layers: [any Layer]

  /// A network of the caller's own layers.
  ///
  /// - Parameters:
  ///   - shortcut: recorded, as are name, placement, gate and branch; the layers alone decide what is
  ///     computed.
  ///   - depth: recorded, too; `nil` for the convolutions and products of matrices on the longest path.
  ///   - classifier: the path of the last layer.
  ///   - layers: from images `[N, inputSide, inputSide, 3]` to logits `[N, classes]`.
  public init(
    name: String, inputSide: Int, classes: Int, shortcut: Shortcut? = nil,
    stridePlacement: StridePlacement? = nil, gateBias: Float? = nil,
    inceptionBranch: InceptionBranch? = nil, depth: Int? = nil, classifier: String = "fc",
    @LayerBuilder layers: () -> [any Layer]
  ) {
    self.name = name
    self.inputSide = inputSide
    self.classes = classes
    self.shortcut = shortcut
    self.stridePlacement = stridePlacement
    self.gateBias = gateBias
    self.inceptionBranch = inceptionBranch
    self.classifier = classifier
    (definition, classifierSlots) = (nil, nil)
    self.layers = layers()
    self.depth = depth ?? 0
    if depth == nil { self.depth = Self.depth(of: graph(.inference)) }
  }

  /// The convolutions and products of matrices on the longest path to the logits.
  ///
  /// - Complexity: O(nodes).
  package static func depth(of graph: Graph) -> Int {
    var depths: [Int] = []
    for node in graph.nodes {
      let own =
        switch node.operation {
        case .convolution, .matrixProduct: 1
        default: 0
        }
      depths.append(own + (node.operands.map { depths[$0.node] }.max() ?? 0))
    }
    return graph.output(logitsOutput).map { depths[$0.node] } ?? 0
  }

  /// Checks that the layers take images of the network's size and give a logit for each class.
  ///
  /// - Throws: ``ShapeError``.
  /// - Complexity: O(layers).
  package func checkShapes() throws(ShapeError) {
    let graph = graph(.inference)
    let shapes = try graph.shapes(inputs: [Self.imagesInput: imagesShape(batch: 2)])
    let found = graph.output(Self.logitsOutput).map { shapes[$0.node][$0.result] }
    guard found == [2, classes] else {
      throw ShapeError(
        "\(name) gives \(found.map { "\($0)" } ?? "nothing") for two images, not [2, \(classes)]")
    }
  }

  /// A network whose layers are given as a graph, such as one from a file of another program.
  ///
  /// - Parameters:
  ///   - graph: in inference form, from ``imagesInput`` to ``logitsOutput``.
  ///   - definition: the graph as files keep it, in the words of whoever can read it again.
  ///   - depth: the convolutions and products of matrices on the longest path.
  ///   - classifier: the parameters of the last layer.
  public init(
    _ graph: Graph, definition: String, name: String, inputSide: Int, classes: Int, depth: Int,
    classifier: [String]
  ) {
    self.name = name
    self.inputSide = inputSide
    self.classes = classes
    (shortcut, stridePlacement, gateBias, inceptionBranch) = (nil, nil, nil, nil)
    self.depth = depth
    self.classifier = classifier.first ?? ""
    classifierSlots = classifier
    self.definition = definition
    layers = [GraphLayers(graph, classes: classes)]
  }

  /// Whether another network has the same name and options; image size and classes may differ.
  package func isLike(_ other: Network) -> Bool {
    name == other.name && shortcut == other.shortcut && stridePlacement == other.stridePlacement
      && inceptionBranch == other.inceptionBranch
  }

  /// The name of networks whose layers come from a file, and stand for no other.
  package static let unnamed = "onnx"

  /// The sides of images, in pixels, that networks are built for.
  public static let inputSides = 32...4096

  /// The input of the graph in every form: `[N, H, W, 3]`.
  public static let imagesInput = "images"
  /// The output of the graph in every form: `[N, classes]`, before the softmax.
  public static let logitsOutput = "logits"
  /// The input of a graph for training with dropout: `[2]` (int32), anew for each step.
  public static let dropoutKeyInput = "dropoutKey"
  /// Begins the names of the outputs of a graph for training that hold an auxiliary classifier's
  /// logits.
  public static let auxiliaryPrefix = "auxiliary/"
  /// The weight of an auxiliary classifier's loss beside the classifier's.
  public static let auxiliaryWeight: Float = 0.3

  /// Lowers the network into a graph from the input `images` `[N, H, W, 3]` to the output `logits`
  /// `[N, classes]`.
  ///
  /// In training form, auxiliary classifiers' logits are outputs too, and dropout asks for the input
  /// `dropoutKey`.
  ///
  /// - Parameter dropsOut: whether numbers are dropped in training.
  /// - Complexity: O(layers).
  public func graph(
    _ form: NetworkForm, initialization: Initialization = .fanIn, dropsOut: Bool = true
  ) -> Graph {
    lowered(form, initialization, dropsOut: dropsOut).graph
  }

  /// The graph of the form ``NetworkForm/statistics``, and the normalisations whose statistics it
  /// gives.
  ///
  /// - Complexity: O(layers).
  public func statisticsGraph() -> (graph: Graph, statistics: [BatchStatistics]) {
    let lowering = lowered(.statistics, .fanIn, dropsOut: true)
    return (lowering.graph, lowering.batchStatistics)
  }

  private func lowered(_ form: NetworkForm, _ initialization: Initialization, dropsOut: Bool)
    -> Lowering
  {
    var lowering = Lowering(
      form: form, initialization: initialization, dropsOut: dropsOut, frozen: frozen)
    let images = Activation(value: lowering.graph.input(Self.imagesInput), channels: 3)
    let logits = layers.lower(images, in: &lowering)
    lowering.graph.output(Self.logitsOutput, logits.value)
    return lowering
  }

  /// Parameters and running statistics, those of auxiliary classifiers too.
  ///
  /// - Complexity: O(layers).
  public var slots: [StateSlot] { graph(.training).slots }

  /// The parameters of the last layer.
  ///
  /// - Complexity: O(layers).
  public var classifierParameters: [String] {
    classifierSlots ?? parameters(below: classifier)
  }

  /// The parameters whose names begin with a path.
  func parameters(below path: String) -> [String] {
    slots.filter { $0.role == .parameter && $0.name.hasPrefix(path + ".") }.map(\.name)
  }

  /// The shape of a batch of images: `[batch, height, width, 3]`.
  public func imagesShape(batch: Int) -> Shape { [batch, inputSide, inputSide, 3] }
}
