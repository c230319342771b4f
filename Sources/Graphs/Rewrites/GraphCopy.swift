/// A graph that is being made from another one, node by node.
struct GraphCopy {
  let source: Graph
  private(set) var graph = Graph()
  /// For each node of the source its copy, -1 if there is none.
  private var places: [Int]
  private let slots: [String: StateSlot]

  init(of source: Graph) {
    self.source = source
    places = [Int](repeating: -1, count: source.nodes.count)
    slots = Dictionary(uniqueKeysWithValues: source.slots.map { ($0.name, $0) })
  }

  /// The copy of a value of the source.
  func value(_ value: Value) -> Value {
    let node = places[value.node]
    precondition(node >= 0, "\(source.nodes[value.node].path) is needed and was not copied")
    return Value(node: node, result: value.result)
  }

  /// Takes a node over as it is.
  mutating func append(_ index: Int) { append(index, source.nodes[index].operands.map(value)) }

  /// Takes a node over with other operands, which are values of the copy.
  mutating func append(_ index: Int, _ operands: [Value]) {
    let node = source.nodes[index]
    let value =
      switch node.operation {
      case .input(let input): graph.input(input.name, input.elementType)
      case .state(let state): graph.state(slot(state.slot))
      default:
        graph.append(
          node.operation, operands, path: node.path, pass: node.pass, layer: node.layer)
      }
    places[index] = value.node
  }

  /// Puts the first result of new nodes in the place of a node's.
  mutating func replace(_ index: Int, by append: (inout Graph) -> Value) {
    places[index] = append(&graph).node
  }

  /// Adds a node once more.
  mutating func `repeat`(_ index: Int, _ operands: [Value]) -> Int {
    let node = source.nodes[index]
    return graph.append(
      node.operation, operands, path: "repeated/" + node.path, pass: .repeated, layer: node.layer
    ).node
  }

  private func slot(_ name: String) -> StateSlot {
    guard let slot = slots[name] else { preconditionFailure("slot \(name) is not declared") }
    return slot
  }

  /// Names the source's outputs and binds its slots.
  mutating func finish() -> Graph {
    for output in source.outputs { graph.output(output.name, value(output.value)) }
    for binding in source.bindings { graph.bind(binding.slot, to: value(binding.value)) }
    return graph
  }
}
