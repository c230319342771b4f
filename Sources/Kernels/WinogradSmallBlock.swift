// Winograd's products for a convolution of few tiles, such as one image's last layers.
//
// Every number of the filter is then used a few times only, and reading a transformed filter, four
// times as large as the filter, takes longer than the arithmetic. So the filter is packed as for the
// direct convolution, and some of it at a time is transformed in the second-level cache just before
// its products. The order of operations is the same.

import ResidualKernelInterface

struct WinogradSmallBlock {
  /// `[vectors][36][tile][lanes]`, of one block of output channels.
  let products: Output
  private let inputs: Input
  /// `[36][c][vectors · lanes]`.
  private let transformed: Output
  private let inputChannels: Int, outputChannels: Int
  private let tileCount: Int

  /// Input channels whose filters are transformed together.
  private static let chunk = 64
  /// One vector more than a position takes, as in ``WinogradLayout/filterPosition(_:_:)``.
  private static var position: Int { (chunk &* WideTile.width &+ 1) &* Vector.scalarCount }

  /// Floats of scratch memory.
  static func count(_ e: ConvolutionExtents) -> Int {
    (e.inputChannels / Vector.scalarCount &+ WideTile.width) &* WinogradLayout.vector
      &+ WinogradLayout.positions &* position
  }

  /// - Parameter scratch: begins with the transformed inputs, as in ``WinogradLayout``.
  init(_ scratch: Output, _ e: ConvolutionExtents, tileCount: Int) {
    inputs = Input(scratch) + WinogradLayout.inputs
    products = scratch + e.inputChannels / lanes &* WinogradLayout.vector
    transformed = products + WideTile.width &* WinogradLayout.vector
    inputChannels = e.inputChannels
    outputChannels = e.outputChannels
    self.tileCount = tileCount
  }

  /// Computes the products of one block of output channels.
  ///
  /// - Parameters:
  ///   - filter: `[block of k][9][c][vectors · lanes]`.
  ///   - end: where the channels end that are asked for.
  @inline(never)
  func multiply(_ channels: ChannelBlock, filter: Input, until end: Int) {
    let width = channels.vectors &* lanes
    let tapStep = inputChannels &* width
    let block = filter + channels.start &* 9 &* inputChannels
    let registerTiles = WinogradLayout.registerTiles(tileCount: tileCount, channels: width)
    var first = 0
    while first < inputChannels {
      let count = smaller(Self.chunk, inputChannels &- first)
      let source = block + first &* width
      WinogradFilter.transform(
        packed: source, tapStep: tapStep, vectors: count &* channels.vectors, into: transformed,
        position: Self.position)
      // A quarter of a tap of the next chunk with each position.
      let isLast = first &+ count == inputChannels
      let next =
        isLast ? block + (9 &* tapStep) : source + count &* width
      let hasNext = !isLast || channels.start &+ width < end
      let piece = count &* width / 4
      for number in 0..<WinogradLayout.positions {
        var prefetch = PrefetchStream(idle: source)
        if hasNext {
          prefetch.append(next + (number / 4 &* tapStep &+ number % 4 &* piece), count: piece)
        }
        prefetch.spread(over: registerTiles &* count)
        let place = number &* WinogradLayout.position
        WinogradLayout.multiply(
          inputs + (place &+ first / lanes &* WinogradLayout.vector),
          filter: Input(transformed) + number &* Self.position, products: products + place,
          inputVectors: count / lanes, vectors: channels.vectors, tileCount: tileCount,
          adding: first > 0, prefetch: &prefetch)
      }
      first &+= count
    }
  }
}
