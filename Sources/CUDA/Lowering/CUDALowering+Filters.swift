import ResidualExecution

/// A filter as a convolution reads it, in the type of activations.
struct PackedFilter: Hashable {
  let value: Value
  /// Channels with the zeros behind them.
  let channels: Int
  let layout: FilterLayout
}

/// How a filter `[K, C, R, S]` is packed; the kernels have the same numbers.
enum FilterLayout: Int {
  /// `[K, R, S, C]`.
  case channelsInnermost
  /// In the fragments of ``SmallConvolution``, which sums over C.
  case fragments
  /// Likewise for the gradient of the input: K is summed over, and the taps are turned round.
  case turnedFragments
}

extension CUDALowering {
  /// Channels that are stored for a pixel that a convolution reads: 16 bytes at a time, which the
  /// units for matrix products want.
  func storedChannels(_ channels: Int) -> Int {
    if channels <= 4 { return storedColours }
    let unit = 16 / precision.activation.size
    return (channels + unit - 1) / unit * unit
  }

  /// Channels that are stored for colours: four, for which cuDNN has kernels of its own, or as many as
  /// our kernels for few channels need, where all convolutions that read colours are such.
  static func storedColours(_ graph: Graph, _ shapes: [[Shape]], _ precision: Precision) -> Int {
    let filters = graph.nodes.compactMap { node -> (Operation.Convolution, Shape)? in
      guard case .convolution(let convolution) = node.operation else { return nil }
      let filter = node.operands[1]
      return (convolution, shapes[filter.node][filter.result])
    }.filter { $0.1[1] <= 4 }
    let areSmall = filters.allSatisfy { convolution, filter in
      convolution == .init(stride: 1, padding: 1) && filter[2] == 3 && filter[3] == 3
        && [16, 32, 64].contains(filter[0])
    }
    return !filters.isEmpty && areSmall && precision.activation.size == 2 ? 16 : 4
  }

  /// Packs all filters that are there from the start, many a launch.
  mutating func packGivenFilters() {
    var wanted: [PackedFilter] = []
    var seen: Set<PackedFilter> = []
    for (index, node) in graph.nodes.enumerated() {
      let problem: ConvolutionProblem
      switch node.operation {
      case .convolution(let convolution):
        problem = self.problem(convolution, node, Value(node: index))
      case .convolutionInputGradient(let gradient): problem = self.problem(gradient, node)
      default: continue
      }
      let filter = node.operands[1]
      guard graph.nodes[filter.node].operation.isGiven else { continue }
      let packed = PackedFilter(
        value: filter, channels: storedChannels(shape(filter)[1]),
        layout: convolutionAlgorithm(problem).filterLayout)
      if !liesPacked(packed), seen.insert(packed).inserted { wanted.append(packed) }
    }
    let derived = wanted.filter {
      keepsDerived && border.constants.contains(storage($0.value).buffer)
    }
    pack(derived, isDerived: true)
    pack(wanted.filter { !derived.contains($0) }, isDerived: false)
  }

  /// Whether the filter's own layout is the packed one: a 1×1 filter in float32.
  private func liesPacked(_ filter: PackedFilter) -> Bool {
    let shape = shape(filter.value)
    return filter.layout == .channelsInnermost && storage(filter.value).type == .float32
      && precision.activation == .float32 && shape[2] * shape[3] == 1
      && shape[1] == filter.channels
  }

  private mutating func pack(_ filters: [PackedFilter], isDerived: Bool) {
    let most = 80
    for start in stride(from: 0, to: filters.count, by: most) {
      var arguments: [Argument] = []
      var buffers: [BufferID] = []
      var largest = 1
      for filter in filters[start..<min(start + most, filters.count)] {
        let shape = shape(filter.value)
        let packed: Shape = [shape[0], shape[2], shape[3], filter.channels]
        let path = graph.nodes[filter.value.node].path + ".packed"
        let byteCount = packed.count * precision.activation.size
        let target =
          isDerived
          ? builder.derived(path, packed, precision.activation, byteCount: byteCount)
          : builder.temporary(path, packed, precision.activation, byteCount: byteCount)
        packedFilters[filter] = target
        let source = operand(filter.value, as: .float32)
        arguments += [
          .buffer(source), .buffer(target), .int(packed.count), .int(shape[2] * shape[3]),
          .int(shape[1]), .int(filter.channels), .int(filter.layout.rawValue),
        ]
        buffers += [source, target]
        largest = max(largest, packed.count)
      }
      let launch = Launch(
        kernel: "packFilters", type: precision.activation,
        grid: Grid(x: min((largest + 1023) / 1024, 512), y: buffers.count / 2),
        arguments: arguments)
      let step = CUDAStep("filters", .launch(launch))
      if isDerived {
        builder.appendPreparation(step)
      } else {
        builder.append(step, touching: buffers)
      }
    }
  }

  mutating func packedFilter(_ value: Value, _ layout: FilterLayout) -> BufferID {
    let filter = PackedFilter(
      value: value, channels: storedChannels(shape(value)[1]), layout: layout)
    if packedFilters[filter] == nil {
      if liesPacked(filter) { return storage(value).buffer }
      pack([filter], isDerived: false)
    }
    guard let buffer = packedFilters[filter] else { preconditionFailure("a filter is not packed") }
    return buffer
  }

  /// A filter's gradient as the filter is declared, in float32 or another type.
  mutating func unpacked(_ value: Value, channels: Int, as type: ElementType) -> BufferID {
    let shape = shape(value)
    let node = graph.nodes[value.node]
    let (source, target) = (storage(value).buffer, temporary(node.path + ".plain", shape, .float32))
    launch(
      "unpackFilter", precision.activation, .elements(shape.count),
      [
        .buffer(source), .buffer(target), .int(shape.count), .int(shape[2] * shape[3]),
        .int(shape[1]), .int(channels),
      ], node, touching: [source, target])
    guard type != .float32 else { return target }
    let half = temporary(node.path + ".\(type.rawValue)", shape, type)
    convert(
      Stored(buffer: target, type: .float32), to: Stored(buffer: half, type: type),
      pixels: shape.count, channels: 1, into: 1, node)
    return half
  }
}
