import ResidualExecution

/// A 3×3 convolution of few channels by kernels of our own, in 16 bits.
///
/// Tiles are some rows of an image, or some whole images, cut by the extents alone.
struct SmallConvolution: Sendable {
  private let problem: ConvolutionProblem
  private let rows: Int, images: Int
  /// Tiles one below the other; more than one only where a tile is of one image.
  private let tilesPerImage: Int
  private let tiles: Int
  /// Tiles whose part of a filter's gradient one block sums.
  private let tilesPerPart: Int

  /// Numbers of what 16 × 16 channels have of a filter's gradient.
  private static let part = 9 * 16 * 16

  /// `nil` if the kernels do not compute the convolution.
  init?(_ problem: ConvolutionProblem) {
    let (input, filter, output) = (problem.input, problem.filter, problem.output)
    let channels: Set = [16, 32, 64]
    guard problem.type != .float32, problem.convolution == .init(padding: 1),
      filter[2] == 3, filter[3] == 3, channels.contains(filter[0]), channels.contains(filter[1]),
      1...64 ~= output[2], 1...65535 ~= output[1], output.count > 0, input[1] == output[1],
      input[2] == output[2],
      input[0] * input[1] * input[2] < 1 << 30
    else { return nil }
    self.problem = problem
    let (n, h, w) = (output[0], output[1], output[2])

    // The kernels' room for pixels of a tile, without and with a border of one pixel.
    let (most, room) =
      switch problem.direction {
      case .forward: Self.room(summed: filter[1], computed: filter[0])
      case .inputGradient: Self.room(summed: filter[0], computed: filter[1])
      case .filterGradient: (256, 400)
      }
    let fitting = min(h, most / w, room / (w + 2) - 2)
    if fitting < h {
      // Rows in parts that are as alike as can be.
      let parts = (h + fitting - 1) / fitting
      rows = (h + parts - 1) / parts
      images = 1
    } else {
      rows = h
      images = min(n, most / (h * w), room / ((h + 2) * (w + 2)))
    }
    tilesPerImage = (h + rows - 1) / rows
    tiles = tilesPerImage * ((n + images - 1) / images)
    // 256 blocks, which are enough to fill a GPU; each writes a part, so that more cost time.
    let parts = max(1, 256 / (filter[0] * filter[1] / 256))
    tilesPerPart = (tiles + parts - 1) / parts
  }

  private static func room(summed: Int, computed: Int) -> (most: Int, room: Int) {
    let most = 4096 / computed
    return (most, min(most + 144, 24576 / (summed + 8)))
  }

  /// How the filter is to be packed.
  var filterLayout: FilterLayout {
    switch problem.direction {
    case .forward: .fragments
    case .inputGradient: .turnedFragments
    case .filterGradient: .channelsInnermost
    }
  }

  /// Numbers in float32 that are kept between two launches.
  var partialCount: Int {
    problem.direction == .filterGradient ? parts * problem.filter.count : 0
  }
  private var parts: Int { (tiles + tilesPerPart - 1) / tilesPerPart }

  /// The launches that compute one of the three tensors of the others.
  ///
  /// - Parameter parts: memory for ``partialCount`` numbers.
  func launches(input: BufferID, filter: BufferID, output: BufferID, parts: BufferID?) -> [Launch] {
    switch problem.direction {
    case .forward: [convolution(input, filter, output, problem.filter[1], problem.filter[0])]
    case .inputGradient: [convolution(output, filter, input, problem.filter[0], problem.filter[1])]
    case .filterGradient: filterGradient(input, output, parts, filter)
    }
  }

  /// The kernels' `Tiling`.
  private var tiling: [Argument] {
    let (n, h, w) = (problem.output[0], problem.output[1], problem.output[2])
    // What is divided by is followed by its reciprocal in units of 2⁻¹⁶.
    return [n, h, images].map { .int($0) }
      + [w, rows, w + 2, rows + 2].flatMap { [.int($0), .int((65535 + $0) / $0)] }
  }

  private func convolution(
    _ x: BufferID, _ filter: BufferID, _ y: BufferID, _ summed: Int, _ computed: Int
  ) -> Launch {
    Launch(
      kernel: "smallConvolution\(summed)x\(computed)", type: problem.type,
      grid: Grid(x: tiles / tilesPerImage, y: tilesPerImage),
      arguments: [.buffer(x), .buffer(filter), .buffer(y)] + tiling)
  }

  private func filterGradient(
    _ x: BufferID, _ dy: BufferID, _ partial: BufferID?, _ target: BufferID
  ) -> [Launch] {
    let (k, c) = (problem.filter[0], problem.filter[1])
    let pairs = k * c / 256
    return [
      Launch(
        kernel: "smallFilterGradient", type: problem.type, grid: Grid(x: parts, y: pairs),
        arguments: [.buffer(x), .buffer(dy), .buffer(partial)] + tiling
          + [c, k, tiles, tilesPerImage, tilesPerPart].map { .int($0) }),
      // 32 numbers a block; a warp takes four parts at a time.
      Launch(
        kernel: "sumFilterGradient", type: problem.type,
        grid: Grid(x: pairs * Self.part / 32, threads: min((parts + 3) / 4, 8) * 32),
        arguments: [.buffer(partial), .buffer(target), .int(parts), .int(c), .int(k)]),
    ]
  }
}
