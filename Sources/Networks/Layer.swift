import ResidualGraphs

/// A part of a network, as a value: it says what to compute, and appends it to a graph.
public protocol Layer: Sendable {
  /// Appends the layer's nodes.
  ///
  /// - Parameters:
  ///   - input: what the layer is applied to.
  ///   - lowering: takes the nodes, and knows the path of the layer and the form of the network.
  /// - Returns: the layer's result.
  func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation
}

/// A value on its way through the layers, with the number of its channels.
public struct Activation: Sendable {
  /// The tensor: `[N, H, W, C]`, or `[N, C]` after global average pooling.
  public let value: Value
  /// C.
  public let channels: Int

  /// What a layer returns.
  public init(value: Value, channels: Int) {
    (self.value, self.channels) = (value, channels)
  }
}

/// What a network is lowered for.
public enum NetworkForm: Hashable, Sendable {
  /// Batch normalisation by the statistics of the batch, unless it is frozen; running statistics are
  /// updated.
  case training
  /// Batch normalisation by the running statistics.
  case inference
  /// As training, but nothing is updated, and the batch statistics are outputs: for exact
  /// statistics after training. See ``Network/statisticsGraph()``.
  case statistics
}

/// How filters and hidden fully-connected layers are initialised: with normal numbers of mean 0.
public enum Initialization: String, Hashable, Sendable, CaseIterable {
  /// Deviation √(2 / (k² · input channels)): He et al., Delving Deep into Rectifiers, 2015, eq. (10).
  case fanIn = "fan-in"
  /// Deviation √(2 / (k² · output channels)), eq. (14).
  case fanOut = "fan-out"
  /// Deviation 0.01, as in section 3.1 of VGG's paper.
  case normal

  /// The deviation of a filter of `size` × `size` pixels; a fully-connected layer's has one.
  func deviation(size: Int, inputs: Int, outputs: Int) -> Double {
    switch self {
    case .fanIn: (2 / Double(size * size * inputs)).squareRoot()
    case .fanOut: (2 / Double(size * size * outputs)).squareRoot()
    case .normal: 0.01
    }
  }
}

/// The graph that a network is being lowered into.
public struct NetworkLowering {
  /// What has been lowered so far.
  public var graph = Graph()
  /// Decides what batch normalisation appends.
  public let form: NetworkForm
  /// Decides the deviation of new filters.
  public let initialization: Initialization
  /// Whether numbers are dropped in training.
  public let dropsOut: Bool
  /// The normalisations whose statistics are outputs.
  var batchStatistics: [BatchStatistics] = []
  private let frozen: Set<String>
  private var parameters: Set<String> = []
  private var path: [String] = []

  init(
    form: NetworkForm, initialization: Initialization, dropsOut: Bool, frozen: Set<String>
  ) {
    self.form = form
    self.initialization = initialization
    self.dropsOut = dropsOut
    self.frozen = frozen
  }

  /// The full path of something inside the current layer: `layer1.0` + `conv1`.
  public func path(_ name: String) -> String { (path + [name]).joined(separator: ".") }

  /// The path of the current scope: `layer1.0`.
  public var scopePath: String { path.joined(separator: ".") }

  /// Whether training leaves a parameter below the current scope as it is.
  public func isFrozen(_ name: String) -> Bool { frozen.contains(path(name)) }

  /// Declares a slot under its own name, whatever the scope, and returns its value before the step.
  mutating func declare(_ slot: StateSlot) -> Value {
    var slot = slot
    slot.trainable = slot.trainable && !frozen.contains(slot.name)
    return graph.state(slot)
  }

  /// Whether training leaves slots as they are.
  func areFrozen(slots names: [String]) -> Bool {
    !names.isEmpty && names.allSatisfy(frozen.contains)
  }

  /// Lowers something under a longer path.
  public mutating func scoped<Result>(_ name: String, _ body: (inout NetworkLowering) -> Result)
    -> Result
  {
    path.append(name)
    defer { path.removeLast() }
    return body(&self)
  }

  /// Declares a parameter and returns its value before the step.
  ///
  /// - Parameters:
  ///   - name: below the current scope: `weight`.
  ///   - initial: what a new store fills it with.
  /// - Precondition: no other layer has a parameter of this name.
  public mutating func parameter(_ name: String, _ shape: Shape, _ initial: StateSlot.InitialValue)
    -> Value
  {
    precondition(
      parameters.insert(path(name)).inserted, "two parameters are named \(path(name))")
    return graph.state(
      StateSlot(
        name: path(name), shape: shape, role: .parameter, initialValue: initial,
        trainable: !isFrozen(name)))
  }

  /// Declares a running statistic `[channels]`, which no gradient changes, and returns its value
  /// before the step.
  ///
  /// - Parameters:
  ///   - name: below the current scope: `running_mean`.
  ///   - initial: what a new store fills it with.
  public mutating func statistic(_ name: String, _ channels: Int, initial: Float) -> Value {
    graph.state(
      StateSlot(
        name: path(name), shape: [channels], role: .statistic, initialValue: .constant(initial)))
  }

  /// Appends an operation, named below the current scope, and returns its first result.
  public mutating func append(_ operation: Operation, _ operands: [Value], _ name: String) -> Value
  {
    graph.append(operation, operands, path: path(name))
  }
}

/// Layers one after another, written as a list.
@resultBuilder
public enum LayerBuilder {
  /// One layer.
  public static func buildExpression(_ layer: some Layer) -> [any Layer] { [layer] }
  /// Layers that are a list already, such as the blocks of a stage.
  public static func buildExpression(_ layers: [any Layer]) -> [any Layer] { layers }
  /// Statements in order.
  public static func buildBlock(_ parts: [any Layer]...) -> [any Layer] { parts.flatMap { $0 } }
  /// The passes of a `for` loop in order.
  public static func buildArray(_ parts: [[any Layer]]) -> [any Layer] { parts.flatMap { $0 } }
  /// What an `if` without `else` brings, if anything.
  public static func buildOptional(_ part: [any Layer]?) -> [any Layer] { part ?? [] }
  /// The branch of `if` or `switch` that is taken.
  public static func buildEither(first part: [any Layer]) -> [any Layer] { part }
  /// The branch of `if` or `switch` that is taken.
  public static func buildEither(second part: [any Layer]) -> [any Layer] { part }
}

extension [any Layer] {
  /// Lowers the layers in order.
  func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation {
    reduce(input) { activation, layer in layer.lower(activation, in: &lowering) }
  }
}
