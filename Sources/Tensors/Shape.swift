/// The extents of a tensor, outermost axis first.
///
/// Images and activations are `[batch, height, width, channels]`; filters are
/// `[output channels, input channels, height, width]`, as files store them.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  /// One extent for each axis; none for a scalar.
  public let extents: [Int]

  /// - Precondition: no extent is negative.
  public init(_ extents: [Int]) {
    precondition(extents.allSatisfy { $0 >= 0 }, "negative extent in \(extents)")
    self.extents = extents
  }

  public init(arrayLiteral extents: Int...) { self.init(extents) }

  /// The shape of a single number.
  public static let scalar: Shape = []

  /// The number of axes.
  public var rank: Int { extents.count }
  /// The number of elements: the product of the extents, 1 for a scalar.
  public var count: Int { extents.reduce(1, *) }
  /// The extent of one axis, counted from 0 at the outermost.
  public subscript(axis: Int) -> Int { extents[axis] }
  /// The innermost extent: the channels of an activation, 1 for a scalar.
  public var channels: Int { extents.last ?? 1 }

  /// The shape with one extent replaced.
  public func replacing(axis: Int, with extent: Int) -> Shape {
    var copy = extents
    copy[axis] = extent
    return Shape(copy)
  }

  /// Whether sums and products of the extents can be computed: of those above zero the product is at
  /// most 2⁴⁰, more than any memory holds.
  package var isComputable: Bool {
    Self.checkedCount(extents.filter { $0 > 0 }).map { $0 <= 1 << 40 } ?? false
  }

  public var description: String { "[" + extents.map(String.init).joined(separator: ", ") + "]" }

  /// The number of elements of extents that come from outside the program.
  ///
  /// - Returns: `nil` if an extent is negative or the product of those above zero overflows: a zero
  ///   would hide that in one order of axes and not in another.
  public static func checkedCount(_ extents: [Int]) -> Int? {
    var product = 1
    for extent in extents where extent != 0 {
      guard extent > 0 else { return nil }
      let (value, overflow) = product.multipliedReportingOverflow(by: extent)
      guard !overflow else { return nil }
      product = value
    }
    return extents.contains(0) ? 0 : product
  }
}
