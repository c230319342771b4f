extension Graph: CustomStringConvertible {
  /// One line a node, stable across runs: `%3 = relu(%2)  bn1.relu`.
  public var description: String {
    func name(_ value: Value) -> String {
      "%\(value.node)" + (value.result == 0 ? "" : ".\(value.result)")
    }
    var lines = nodes.enumerated().map { index, node in
      let operands = node.operands.map(name).joined(separator: ", ")
      return "%\(index) = \(node.operation.name)(\(operands))  \(node.path)"
    }
    lines += outputs.map { "output \($0.name) = \(name($0.value))" }
    lines += bindings.map { "\($0.slot) ← \(name($0.value))" }
    return lines.joined(separator: "\n")
  }
}
