import ResidualExecution

extension CUDALowering {
  /// A gradient as Kernels/Update.cu reads it: its buffer, and how it lies, in the order of
  /// `ParameterEntry`.
  private func gradient(_ value: Value) -> (buffer: BufferID, layout: [Argument]) {
    let (own, shape) = (storage(value), shape(value))
    let isReal = Argument.flag(own.type != .float32)
    if let channels = packedGradients[value] {
      return (
        own.buffer,
        [.int(shape.count), .int(shape[2] * shape[3]), .int(shape[1]), .int(channels), isReal]
      )
    }
    return (own.buffer, [.int(shape.count), .int(0), .int(0), .int(0), isReal])
  }

  /// Parameters that one launch takes.
  private static let parametersPerLaunch = 48

  mutating func lowerUpdates(_ group: [Int]) {
    joinAside()
    let most = Self.parametersPerLaunch
    for start in stride(from: 0, to: group.count, by: most) {
      let part = group[start..<min(start + most, group.count)]
      guard let first = part.first else { continue }
      let shared = (3..<7).map { index -> BufferID? in
        let operands = graph.nodes[first].operands
        return index < operands.count ? operand(operands[index], as: .float32) : nil
      }
      var arguments = shared.map { Argument.buffer($0) }
      var buffers = shared
      var largest = 1
      for index in part {
        let node = graph.nodes[index]
        guard case .momentumUpdate(let attributes) = node.operation else { continue }
        let value = Value(node: index)
        let (parameter, velocity) = (
          operand(node.operands[0], as: .float32), operand(node.operands[1], as: .float32)
        )
        let gradient = gradient(node.operands[2])
        let results = [result(value), result(value.result(1))]
        arguments += [.buffer(parameter), .buffer(velocity), .buffer(gradient.buffer)]
        arguments += results.map { .buffer($0) } + gradient.layout
        arguments += [.float(attributes.weightDecay), .float(attributes.rateScale)]
        // C pads an entry to a multiple of eight bytes.
        arguments.append(.int(0))
        buffers += [parameter, velocity, gradient.buffer] + results
        largest = max(largest, shape(value).count)
      }
      launch(
        "updateParameters", precision.activation,
        Grid(x: min((largest + 1023) / 1024, 256), y: part.count), arguments,
        graph.nodes[group[group.count - 1]], touching: buffers)
    }
  }

  // MARK: Loss scaling

  mutating func lowerFinite(_ node: Node, _ value: Value) {
    let gradients = node.operands
    joinAside()
    let failures = temporary(node.path + ".failures", .scalar, .int32)
    append(.zero(failures, byteCount: 4), node, touching: [failures])
    let most = Self.parametersPerLaunch
    for start in stride(from: 0, to: gradients.count, by: most) {
      let part = gradients[start..<min(start + most, gradients.count)]
      var arguments: [Argument] = [.buffer(failures), .wide(0)]
      var buffers: [BufferID?] = [failures]
      for gradient in part.map({ self.gradient($0) }) {
        arguments += [.buffer(nil), .buffer(nil), .buffer(gradient.buffer), .buffer(nil)]
        arguments += [.buffer(nil)] + gradient.layout + [.float(0), .float(0), .int(0)]
        buffers.append(gradient.buffer)
      }
      let largest = part.map { shape($0).count }.max() ?? 1
      launch(
        "countFailures", precision.activation,
        Grid(x: min((largest + 1023) / 1024, 256), y: part.count), arguments, node,
        touching: buffers)
    }
    let result = result(value)
    launch(
      "finiteResult", .float32, Grid(threads: 1), [.buffer(failures), .buffer(result), .wide(0)],
      node, touching: [failures, result])
  }

  mutating func lower(_ update: Operation.LossScaleUpdate, _ node: Node, _ value: Value) {
    let inputs = node.operands.map { operand($0, as: .float32) }
    let results = [result(value), result(value.result(1))]
    launch(
      "updateLossScale", .float32, Grid(threads: 1),
      (inputs + results).map { .buffer($0) } + [
        .float(Float(update.growthInterval)), .float(update.growthFactor),
        .float(update.backoffFactor), .float(update.minimum), .float(update.maximum),
      ], node, touching: inputs + results)
  }
}
