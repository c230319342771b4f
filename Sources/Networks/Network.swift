@_exported import ResidualGraphs

/// A network as the paper describes it: layers from images to logits.
///
/// The options of its ``variant`` are properties here, too: `network.stridePlacement`.
@dynamicMemberLookup
public struct Network: Sendable {
  /// The name that files, configurations and reports record, such as `cifar-resnet20`.
  public let name: String
  /// The side of the images that the network is made for, in pixels.
  public let inputSide: Int
  /// The number of classes.
  public let classes: Int
  /// What distinguishes it from other networks of its name; `nil` are parts that it has not.
  public let variant: NetworkVariant
  /// The convolutions and fully-connected layers on the longest path, as the paper counts depth.
  public let depth: Int
  /// The path of the last layer.
  public let classifier: String
  /// Where the layers are given as a graph: that graph as files keep it; see
  /// ``init(_:definition:name:inputSide:classes:depth:classifier:)``.
  public let definition: String?
  /// The parameters of the last layer.
  public let classifierParameters: [String]
  /// The parameters of the layers whose size follows from the number of classes, layer by layer: the
  /// classifier, and the last layer of each auxiliary classifier.
  public let heads: [[String]]
  /// Parameters and running statistics, those of auxiliary classifiers too.
  public private(set) var slots: [StateSlot]
  /// The names of the slots that classification needs: all but those of auxiliary classifiers.
  package let inferenceSlots: Set<String>
  /// The parameters that training leaves as they are, by their paths; see ``freezing(_:)``.
  public internal(set) var frozen: Set<String> = [] {
    didSet {
      for index in slots.indices where frozen.contains(slots[index].name) {
        slots[index].trainable = false
      }
    }
  }
  private let layers: [any Layer]

  /// A network of the caller's own layers.
  ///
  /// - Parameters:
  ///   - variant: recorded, as is the name; the layers alone decide what is computed.
  ///   - depth: recorded, too; `nil` for the convolutions and products of matrices on the longest path.
  ///   - classifier: the path of the last layer.
  ///   - layers: from images `[N, inputSide, inputSide, 3]` to logits `[N, classes]`.
  /// - Complexity: O(layers).
  public init(
    name: String, inputSide: Int, classes: Int, variant: NetworkVariant = .init(),
    depth: Int? = nil, classifier: String = "fc", @LayerBuilder layers: () -> [any Layer]
  ) {
    self.init(
      name, inputSide, classes, variant, depth: depth, classifier, parameters: nil,
      definition: nil, layers())
  }

  /// A network whose layers are given as a graph, such as one from a file of another program.
  ///
  /// - Parameters:
  ///   - graph: in inference form, from ``imagesInput`` to ``logitsOutput``.
  ///   - definition: the graph as files keep it, in the words of whoever can read it again.
  ///   - depth: the convolutions and products of matrices on the longest path.
  ///   - classifier: the parameters of the last layer.
  /// - Complexity: O(nodes).
  public init(
    _ graph: Graph, definition: String, name: String, inputSide: Int, classes: Int, depth: Int,
    classifier: [String]
  ) {
    self.init(
      name, inputSide, classes, .init(), depth: depth, classifier.first ?? "",
      parameters: classifier, definition: definition, [GraphLayers(graph, classes: classes)])
  }

  private init(
    _ name: String, _ inputSide: Int, _ classes: Int, _ variant: NetworkVariant, depth: Int?,
    _ classifier: String, parameters: [String]?, definition: String?, _ layers: [any Layer]
  ) {
    (self.name, self.inputSide, self.classes, self.variant) = (name, inputSide, classes, variant)
    (self.classifier, self.definition, self.layers) = (classifier, definition, layers)
    // Everything that is known of the slots comes from these two graphs, which are made once.
    let training = Self.lowered(layers, .training).graph
    let inference = Self.lowered(layers, .inference).graph
    self.depth = depth ?? Self.depth(of: inference)
    slots = training.slots
    inferenceSlots = Set(inference.slots.map(\.name))
    func below(_ path: String) -> [String] {
      training.slots.filter { $0.role == .parameter && $0.name.hasPrefix(path + ".") }.map(\.name)
    }
    classifierParameters = parameters ?? below(classifier)
    heads =
      [classifierParameters]
      + training.outputs.lazy.filter { $0.name.hasPrefix(Self.auxiliaryPrefix) }
      .map { below(training.nodes[$0.value.node].path) }
  }

  /// An option of the variant.
  public subscript<Option>(dynamicMember path: KeyPath<NetworkVariant, Option>) -> Option {
    variant[keyPath: path]
  }

  /// The shortcut option, `nil` for a network without shortcuts.
  public var shortcut: Shortcut? {
    variant.shortcut == nil ? nil : variant.shortcut(default: .projection)
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

  /// Whether another network has the same name and options; image size and classes may differ.
  package func isLike(_ other: Network) -> Bool {
    name == other.name && variant.structure == other.variant.structure
  }

  /// The name of networks whose layers come from a file and have no other name.
  package static let unnamed = "onnx"

  /// The sides of images, in pixels, that networks are built for.
  public static let inputSides = 32...4096

  /// The input of the graph in every form: `[N, H, W, 3]`.
  public static let imagesInput = "images"
  /// The output of the graph in every form: `[N, classes]`, before the softmax.
  public static let logitsOutput = "logits"
  /// The input of a graph for training with dropout: `[2]` (int32), again for each step.
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
    Self.lowered(
      layers, form, initialization: initialization, dropsOut: dropsOut, frozen: frozen
    ).graph
  }

  /// The graph of the form ``NetworkForm/statistics``, and the normalisations whose statistics it
  /// gives.
  ///
  /// - Complexity: O(layers).
  public func statisticsGraph() -> (graph: Graph, statistics: [BatchStatistics]) {
    let lowering = Self.lowered(layers, .statistics, frozen: frozen)
    return (lowering.graph, lowering.batchStatistics)
  }

  private static func lowered(
    _ layers: [any Layer], _ form: NetworkForm, initialization: Initialization = .fanIn,
    dropsOut: Bool = true, frozen: Set<String> = []
  ) -> NetworkLowering {
    var lowering = NetworkLowering(
      form: form, initialization: initialization, dropsOut: dropsOut, frozen: frozen)
    let images = Activation(value: lowering.graph.input(imagesInput), channels: 3)
    let logits = layers.lower(images, in: &lowering)
    lowering.graph.output(logitsOutput, logits.value)
    return lowering
  }

  /// The shape of a batch of images: `[batch, height, width, 3]`.
  public func imagesShape(batch: Int) -> Shape { [batch, inputSide, inputSide, 3] }
}
