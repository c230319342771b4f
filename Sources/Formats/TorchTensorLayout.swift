import ResidualTensors

extension TorchTensor {
  /// Checks a tensor of a pickle against the storage that it is a view of.
  ///
  /// - Parameter range: where the whole storage lies in the file.
  init(
    _ name: String, _ pickled: PickledTensor, range: Range<Int>
  ) throws(TorchProblem) {
    let size = pickled.storage.type.size
    var (first, count) = (0, range.count / size)
    if let view = pickled.storage.view {
      guard let begin = Int(exactly: view.offset), let length = Int(exactly: view.count),
        begin >= 0, begin <= count, length >= 0, length <= count - begin
      else { throw .viewBeyondStorage(tensor: name, storage: pickled.storage.key) }
      (first, count) = (begin, length)
    }
    let extents = pickled.extents.compactMap { Int(exactly: $0) }
    let strides = pickled.strides.compactMap { Int(exactly: $0) }
    guard extents.count == pickled.extents.count, strides.count == extents.count,
      strides.allSatisfy({ $0 >= 0 }), extents.allSatisfy({ $0 >= 0 }),
      let offset = Int(exactly: pickled.offset), offset >= 0
    else {
      throw .wrongShape(tensor: name, extents: pickled.extents, strides: pickled.strides)
    }
    guard let elementCount = Shape.checkedCount(extents),
      case (_, false) = elementCount.multipliedReportingOverflow(by: 8)
    else { throw .sizeOverflow(tensor: name, extents: extents) }
    if elementCount > 0 {
      let last = Self.last(offset, extents, strides)
      guard let last, last < count else {
        throw .beyondStorage(
          tensor: name, storage: pickled.storage.key, last: last, count: count)
      }
    }
    self.name = name
    self.strides = strides
    self.offset = offset
    storageKey = pickled.storage.key
    type = pickled.storage.type
    shape = Shape(extents)
    let start = range.lowerBound + first * size
    storage = start..<start + count * size
  }

  /// The place of the last element, `nil` if it exceeds `Int`.
  private static func last(_ offset: Int, _ extents: [Int], _ strides: [Int]) -> Int? {
    var last = offset
    for (extent, stride) in zip(extents, strides) where extent > 1 {
      let (distance, tooFar) = stride.multipliedReportingOverflow(by: extent - 1)
      let (sum, overflow) = last.addingReportingOverflow(distance)
      guard !tooFar, !overflow else { return nil }
      last = sum
    }
    return last
  }

  /// The axes that take steps; axes that one step leads through are merged.
  private var axes: [(extent: Int, stride: Int)] {
    var axes: [(extent: Int, stride: Int)] = []
    for (extent, stride) in zip(shape.extents, strides) where extent != 1 {
      // If there are elements, steps stay within the storage, and so does this product.
      if shape.count > 0, let outer = axes.last, outer.stride == stride * extent {
        axes[axes.count - 1] = (outer.extent * extent, stride)
      } else {
        axes.append((extent, stride))
      }
    }
    return axes
  }

  /// The elements in the order of rows, each turned into a number.
  ///
  /// - Precondition: the bytes are those of the storage.
  /// - Complexity: O(elements).
  func gather<Stored: FixedWidthInteger & BitwiseCopyable, Scalar>(
    _ bytes: UnsafeRawBufferPointer, _ type: Stored.Type, _ convert: (Stored) -> Scalar
  ) -> [Scalar] {
    precondition(bytes.count == storage.count, "\(bytes.count) of \(storage.count) bytes")
    let count = shape.count
    guard count > 0 else { return [] }
    let size = MemoryLayout<Stored>.size
    var outer = axes
    let inner = outer.popLast() ?? (extent: 1, stride: 0)
    var index = [Int](repeating: 0, count: outer.count)
    return [Scalar](unsafeUninitializedCapacity: count) { buffer, initialized in
      var start = offset
      var filled = 0
      while filled < count {
        for k in 0..<inner.extent {
          let place = (start + k * inner.stride) * size
          let stored = bytes.loadUnaligned(fromByteOffset: place, as: type)
          buffer.initializeElement(at: filled + k, to: convert(Stored(littleEndian: stored)))
        }
        filled += inner.extent
        for axis in outer.indices.reversed() {
          index[axis] += 1
          start += outer[axis].stride
          if index[axis] < outer[axis].extent { break }
          index[axis] = 0
          start -= outer[axis].stride * outer[axis].extent
        }
      }
      initialized = count
    }
  }
}
