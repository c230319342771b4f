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

  mutating func lowerUpdates(_ region: CUDARegions.Updates) {
    joinAside()
    let most = Self.parametersPerLaunch
    let squares = result(region.squares)
    for start in stride(from: 0, to: region.nodes.count, by: most) {
      let part = region.nodes[start..<min(start + most, region.nodes.count)]
      guard let first = part.first else { continue }
      let shared = (3..<7).map { index -> BufferID? in
        let operands = graph.nodes[first].operands
        return index < operands.count ? operand(operands[index], as: .float32) : nil
      }
      let node = graph.nodes[region.place]
      let blocks = blocks(for: part.map { Value(node: $0) })
      let partials = temporary(
        graph.nodes[first].path + ".squares", [part.count, blocks, 3], .float32)
      var buffers = shared + [partials]
      var arguments = buffers.map { Argument.buffer($0) }
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
      }
      launch(
        "updateParameters", precision.activation, Grid(x: blocks, y: part.count), arguments, node,
        touching: buffers)
      launch(
        "mergeSquares", .float32, Grid(x: part.count, threads: 32),
        [.buffer(partials), .buffer(squares), .int(start), .int(blocks)], node,
        touching: [partials, squares])
    }
  }

  /// The blocks for each of some tensors in one launch.
  private func blocks(for values: some Sequence<Value>) -> Int {
    let largest = values.map { shape($0).count }.max() ?? 1
    return min((largest + 1023) / 1024, 256)
  }

  mutating func lower(_ norm: Operation.GradientNorm, _ node: Node, _ value: Value) {
    let scale = operand(node.operands[0], as: .float32)
    let gradients = Array(node.operands.dropFirst())
    joinAside()
    let most = Self.parametersPerLaunch
    let parts = stride(from: 0, to: gradients.count, by: most).map {
      gradients[$0..<min($0 + most, gradients.count)]
    }
    let count = parts.reduce(0) { $0 + $1.count * blocks(for: $1) }
    let partials = temporary(node.path + ".squares", [count], .float32)
    var first = 0
    for part in parts {
      var arguments: [Argument] = [.buffer(partials), .wide(first)]
      var buffers: [BufferID?] = [partials]
      for gradient in part.map({ self.gradient($0) }) {
        arguments += [.buffer(nil), .buffer(nil), .buffer(gradient.buffer), .buffer(nil)]
        arguments += [.buffer(nil)] + gradient.layout + [.float(0), .float(0), .int(0)]
        buffers.append(gradient.buffer)
      }
      let blocks = blocks(for: part)
      launch(
        "squareGradients", precision.activation, Grid(x: blocks, y: part.count), arguments, node,
        touching: buffers)
      first += part.count * blocks
    }
    let results = [result(value), result(value.result(1))]
    launch(
      "gradientNorm", .float32, Grid(),
      ([partials, scale] + results).map { .buffer($0) } + [.int(count), .float(norm.maximum)],
      node, touching: [partials, scale] + results)
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
