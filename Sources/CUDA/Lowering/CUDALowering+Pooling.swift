import ResidualExecution

extension CUDALowering {
  mutating func lower(_ pooling: Operation.MaxPooling, _ node: Node, _ value: Value) {
    lowerMaximum(
      pooling, gradient: nil, node.operands[0], output: shape(value), "maxPooling", node, value)
  }

  mutating func lower(_ attributes: Operation.MaxPoolingGradient, _ node: Node, _ value: Value) {
    lowerMaximum(
      attributes.pooling, gradient: node.operands[0], node.operands[1],
      output: shape(node.operands[0]), "maxPoolingGradient", node, value)
  }

  mutating func lower(_ pooling: Operation.AveragePooling, _ node: Node, _ value: Value) {
    lowerAverage(
      pooling, image: shape(node.operands[0]), output: shape(value), "averagePooling", node, value)
  }

  mutating func lower(
    _ attributes: Operation.AveragePoolingGradient, _ node: Node, _ value: Value
  ) {
    lowerAverage(
      attributes.pooling, image: shape(node.operands[1]), output: shape(node.operands[0]),
      "averagePoolingGradient", node, value)
  }

  mutating func lowerGlobalAverage(_ node: Node, _ value: Value) {
    let (shape, type) = (shape(node.operands[0]), storageType(node.operands[0]))
    let (x, output) = (operand(node.operands[0], as: type), result(value))
    launch(
      "globalAverage", type, Grid(x: (shape[3] + 31) / 32, y: min(shape[0], 65_535)),
      [
        .buffer(x), .buffer(output), .int(shape[0]), .int(shape[1] * shape[2]), .int(shape[3]),
      ], node, touching: [x, output])
  }

  mutating func lowerGlobalAverageGradient(_ node: Node, _ value: Value) {
    let (shape, type) = (shape(value), storageType(value))
    let (x, output) = (operand(node.operands[0], as: .float32), result(value))
    launch(
      "globalAverageGradient", type, .elements(shape.count),
      [
        .buffer(x), .buffer(output), .int(shape[0]), .int(shape[1] * shape[2]), .int(shape[3]),
      ], node, touching: [x, output])
  }

  private mutating func lowerMaximum(
    _ pooling: Operation.MaxPooling, gradient: Value?, _ input: Value, output: Shape,
    _ kernel: String, _ node: Node, _ value: Value
  ) {
    let type = storageType(value)
    let image = shape(input)
    let g = gradient.map { operand($0, as: type) }
    let (x, target) = (operand(input, as: type), result(value))
    let pack = 16 / type.size
    let isWide = image[3] % pack == 0
    var (form, grid) = (
      isWide ? "Wide" : "Narrow", Grid.elements(shape(value).count / (isWide ? pack : 1))
    )
    if gradient != nil, isWide, let tiles = pooling.tiles(image, packs: image[3] / pack) {
      (form, grid) = ("Tiled", tiles)
    }
    launch(
      kernel + form, type, grid,
      [.buffer(g), .buffer(x), .buffer(target)]
        + (image.extents + [output[1], output[2]] + [
          pooling.windowHeight, pooling.windowWidth, pooling.strideHeight, pooling.strideWidth,
          pooling.padding.top, pooling.padding.left, pooling.dilationHeight, pooling.dilationWidth,
        ]).map { .int($0) },
      node, touching: [g, x, target])
  }

  private mutating func lowerAverage(
    _ pooling: Operation.AveragePooling, image: Shape, output: Shape, _ kernel: String,
    _ node: Node, _ value: Value
  ) {
    let type = storageType(value)
    let (x, target) = (operand(node.operands[0], as: type), result(value))
    let (kind, windows): (Int, [Int]) =
      switch pooling.windows {
      case .counting(let windows): (0, windows.extents)
      case .notCounting(let windows): (1, windows.extents)
      case .adaptive: (2, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
      }
    launch(
      kernel, type, .elements(shape(value).count),
      [.buffer(x), .buffer(target)]
        + (image.extents + [output[1], output[2]] + windows + [kind]).map { .int($0) },
      node, touching: [x, target])
  }
}

extension Operation.MaxPooling {
  /// Blocks of 16 × 16 pixels and eight packs of channels; `nil` if windows do not overlap, or
  /// more of them touch a tile than it has room for.
  fileprivate func tiles(_ image: Shape, packs: Int) -> Grid? {
    let tile = 16
    let (rows, columns) = (
      (tile + windowHeight - 2) / strideHeight + 1, (tile + windowWidth - 2) / strideWidth + 1
    )
    let blocks = image[0] * ((packs + 7) / 8)
    guard windowHeight > strideHeight || windowWidth > strideWidth, dilationHeight == 1,
      dilationWidth == 1, rows * columns <= 400, windowHeight * windowWidth <= 256,
      blocks <= 65_535
    else { return nil }
    return Grid(x: (image[2] + tile - 1) / tile, y: (image[1] + tile - 1) / tile, z: blocks)
  }

  /// Window, strides, padding and dilation as Kernels/MaxPooling.cu takes them.
  fileprivate var extents: [Int] {
    [
      windowHeight, windowWidth, strideHeight, strideWidth, padding.top, padding.left,
      padding.bottom, padding.right, dilationHeight, dilationWidth,
    ]
  }
}
