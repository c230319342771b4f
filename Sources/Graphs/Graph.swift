@_exported import ResidualTensors

/// A computation as a value: the mathematics of one step, without shapes, memory or device.
///
/// A graph is a pure function (state, inputs) → (state′, outputs). No operation writes: a binding
/// `slot ← value` says what a slot holds after the step. One graph serves any batch and image size,
/// because shapes are inferred from the inputs' shapes when a device prepares it.
public struct Graph: Sendable {
  /// The nodes in the order in which they were appended: operands come before their node.
  public private(set) var nodes: [Node] = []
  /// The state slots, in the order of their declaration.
  public private(set) var slots: [StateSlot] = []
  /// Named results, in the order in which they were named. They survive every rewrite.
  public private(set) var outputs: [(name: String, value: Value)] = []
  /// What each slot holds after the step, for those that change.
  public private(set) var bindings: [(slot: String, value: Value)] = []
  private var inputValues: [String: Value] = [:]
  private var slotValues: [String: Value] = [:]
  /// For each path its node, and how many nodes have asked for it.
  private var paths: [String: (node: Int, count: Int)] = [:]
  private var outputNames: Set<String> = []
  private var boundSlots: Set<String> = []

  /// A graph without nodes.
  public init() {}

  // MARK: Building

  /// Appends an operation and returns its first result.
  ///
  /// - Parameters:
  ///   - path: of the node; a number is added where another node has it already.
  ///   - layer: that the node belongs to; by default it is one of its own.
  @discardableResult
  public mutating func append(
    _ operation: Operation, _ operands: [Value], path: String, pass: Node.Pass = .forward,
    layer: String? = nil
  ) -> Value {
    for operand in operands {
      precondition(
        operand.node < nodes.count, "\(path): operand \(operand) does not precede the node")
      precondition(
        operand.result < nodes[operand.node].operation.resultCount,
        "\(path): \(nodes[operand.node].path) has no result \(operand.result)")
    }
    nodes.append(
      Node(
        operation: operation, operands: operands, path: claim(path), pass: pass,
        layer: layer ?? path))
    return Value(node: nodes.count - 1)
  }

  /// The path, or the first of `path#2`, `path#3`, … that no node has, for the next node.
  private mutating func claim(_ path: String) -> String {
    var unique = path
    while let taken = paths[unique] {
      let count = (paths[path] ?? taken).count + 1
      paths[path]?.count = count
      unique = "\(path)#\(count)"
    }
    paths[unique] = (nodes.count, 1)
    return unique
  }

  /// Appends a node of a node's backward pass.
  ///
  /// - Parameter part: tells it apart from others of the same node, such as `filter`.
  mutating func append(
    _ operation: Operation, _ operands: [Value], gradientOf node: Value, _ part: String? = nil
  ) -> Value {
    let node = nodes[node.node]
    return append(
      operation, operands, path: "gradient/" + node.path + (part.map { "." + $0 } ?? ""),
      pass: .backward, layer: node.layer)
  }

  /// The value of a named input; asking twice gives the same value.
  public mutating func input(_ name: String, _ elementType: ElementType = .float32) -> Value {
    if let value = inputValues[name] { return value }
    let value = append(.input(.init(name: name, elementType: elementType)), [], path: name)
    inputValues[name] = value
    return value
  }

  /// Declares a slot and returns its value before the step; asking twice gives the same value.
  public mutating func state(_ slot: StateSlot) -> Value {
    if let value = slotValues[slot.name] {
      precondition(
        slots.first { $0.name == slot.name } == slot, "two different slots named \(slot.name)")
      return value
    }
    slots.append(slot)
    let value = append(.state(.init(slot: slot.name)), [], path: slot.name)
    slotValues[slot.name] = value
    return value
  }

  /// Names a result, so that it can be read after a run.
  public mutating func output(_ name: String, _ value: Value) {
    precondition(outputNames.insert(name).inserted, "two outputs named \(name)")
    outputs.append((name, value))
  }

  /// Says what a slot holds after the step.
  public mutating func bind(_ slot: String, to value: Value) {
    precondition(slotValues[slot] != nil, "no slot is named \(slot)")
    precondition(boundSlots.insert(slot).inserted, "\(slot) is bound twice")
    bindings.append((slot, value))
  }

  /// Puts another value in the place of one that is bound to a slot.
  mutating func rebind(at index: Int, to value: Value) { bindings[index].value = value }

  // MARK: Reading

  /// The value of a named result; `nil` if no result has the name.
  /// - Complexity: O(outputs).
  public func output(_ name: String) -> Value? { outputs.first { $0.name == name }?.value }
  /// A slot's value before the step; `nil` if no slot has the name.
  public func value(ofSlot name: String) -> Value? { slotValues[name] }
  /// An input's value; `nil` if no input has the name.
  public func value(ofInput name: String) -> Value? { inputValues[name] }
  /// The first result of the node with a path; `nil` if no node has it.
  public func value(at path: String) -> Value? { paths[path].map { Value(node: $0.node) } }
  /// The name of the slot whose old value a value is; `nil` if it is none.
  package func slot(of value: Value) -> String? {
    if case .state(let state) = nodes[value.node].operation { state.slot } else { nil }
  }
  /// What each run must be given, in the order in which it was first asked for.
  /// - Complexity: O(nodes).
  public var inputs: [Operation.Input] {
    nodes.compactMap { if case .input(let input) = $0.operation { input } else { nil } }
  }

  /// The consumers of each node's results: for node `i`, the (node, operand index) pairs that read
  /// any of its results, in order.
  ///
  /// - Complexity: O(nodes + edges).
  public func uses() -> [[(node: Int, operand: Int)]] {
    var uses = [[(node: Int, operand: Int)]](repeating: [], count: nodes.count)
    for (index, node) in nodes.enumerated() {
      for (position, operand) in node.operands.enumerated() {
        uses[operand.node].append((index, position))
      }
    }
    return uses
  }

  /// Infers the shapes of all results: `shapes[node][result]`.
  ///
  /// - Parameter inputShapes: the shape of every input.
  /// - Throws: ``ShapeError`` naming the node whose operands do not fit.
  /// - Complexity: O(nodes).
  public func shapes(inputs inputShapes: [String: Shape]) throws(ShapeError) -> [[Shape]] {
    let slotShapes = Dictionary(uniqueKeysWithValues: slots.map { ($0.name, $0.shape) })
    var shapes: [[Shape]] = []
    shapes.reserveCapacity(nodes.count)
    for node in nodes {
      switch node.operation {
      case .input(let input):
        guard let shape = inputShapes[input.name] else {
          throw ShapeError("input '\(input.name)' has no shape")
        }
        shapes.append([shape])
      case .state(let state):
        guard let shape = slotShapes[state.slot] else {
          throw ShapeError("slot '\(state.slot)' is not declared")
        }
        shapes.append([shape])
      default:
        let operands = node.operands.map { shapes[$0.node][$0.result] }
        do {
          shapes.append(try node.operation.resultShapes(of: operands))
        } catch {
          throw ShapeError("\(node.path): \(error.reason)", isTooLarge: error.isTooLarge)
        }
      }
    }
    return shapes
  }
}

/// Operands whose shapes an operation cannot take.
public struct ShapeError: Refusal {
  /// What does not fit, begun with the node's path where it is known.
  public let reason: String
  /// Whether the shapes fit, but no memory holds the result.
  public let isTooLarge: Bool
  /// An error whose message names the shapes found and expected.
  ///
  /// - Parameter isTooLarge: whether no memory holds the result.
  public init(_ reason: String, isTooLarge: Bool = false) {
    (self.reason, self.isTooLarge) = (reason, isTooLarge)
  }
  public var kind: RefusalKind { isTooLarge ? .memory : .usage }
  public var description: String { reason }
  public var message: Message {
    isTooLarge
      ? "\(reason); choose a smaller batch or smaller images"
      : "\(reason); choose a larger \(OptionName.inputSide), or another network"
  }
}

extension OptionName {
  /// The side of images in pixels.
  public static let inputSide = OptionName("inputSide", key: "img_size")
}
