/// A tensor seen along one axis: `[outer, extent, inner]`, of which `inner` numbers are contiguous.
package struct AxisView: Hashable, Sendable {
  /// The numbers of places before, along and behind the axis.
  package let outer: Int, extent: Int, inner: Int

  package init(_ shape: Shape, axis: Int) {
    outer = shape.extents[..<axis].reduce(1, *)
    extent = shape[axis]
    inner = shape.extents[(axis + 1)...].reduce(1, *)
  }

  /// The offset of the elements at one place along the axis.
  @inlinable package func offset(_ o: Int, _ i: Int) -> Int { (o * extent + i) * inner }
}
