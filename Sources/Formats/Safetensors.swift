import ResidualTensors

/// The safetensors format: named tensors in one file, read without running anything.
///
/// Layout of a file, integers little-endian:
///
/// | bytes      | content                                                            |
/// |------------|--------------------------------------------------------------------|
/// | 0..<8      | n, the length of the header, as an unsigned 64-bit integer         |
/// | 8..<8+n    | the header: a JSON object that starts with `{`, padded with spaces |
/// | 8+n..<end  | the data                                                           |
///
/// The header has one member for each tensor, `"name": {"dtype": "F32", "shape": [2, 3],
/// "data_offsets": [begin, end]}`, and may have one member `"__metadata__"`, an object from text to
/// text. Offsets count from the start of the data. Elements are row-major and little-endian.
///
/// A file is refused if names or keys occur twice, or if the tensors do not cover the data from the
/// first to the last byte without holes or overlap. Unlike the reference reader, this one also
/// refuses fields that it does not know, and ranks above ``maximumRank``. Names that are equivalent
/// in Unicode count as the same name.
///
/// Memory stays in proportion to the header; data are read when they are asked for. The parser
/// knows only the shape above, so that nesting deeper than that is an error and never recursion.
package struct Safetensors: Sendable {
  /// The longest header in bytes, as in the reference reader.
  package static let maximumHeaderLength = 100_000_000
  /// The highest number of axes of a tensor.
  package static let maximumRank = 64
  /// The member of the header that holds the metadata, so no tensor can have this name.
  package static let metadataKey = "__metadata__"

  /// One tensor as the header declares it.
  package struct Record: Hashable, Sendable {
    /// The tensor's name, which no other in the file has.
    package let name: String
    /// How the elements are stored.
    package let type: SafetensorsType
    /// The extents of the axes, outermost first.
    package let shape: Shape
    /// Where the elements lie, counted from the start of the file.
    package let range: Range<Int>
  }

  /// What tensors are read from when they are asked for.
  package let file: FileBytes
  /// The texts under ``metadataKey``; empty if the header has none.
  package let metadata: [String: String]
  /// Every tensor, in the order of the data.
  package let records: [Record]
  private let indices: [String: Int]

  /// Reads the header and checks all of it.
  package init(_ file: FileBytes) throws(SafetensorsError) {
    do throws(SafetensorsProblem) {
      var header = try SafetensorsHeader(file)
      try header.parse()
      self.file = file
      metadata = header.metadata
      records = try header.checkedRecords()
    } catch {
      throw SafetensorsError(file.name, error)
    }
    indices = Dictionary(uniqueKeysWithValues: records.enumerated().map { ($1.name, $0) })
  }

  /// Opens a file and reads its header.
  ///
  /// - Throws: ``FileError`` or ``SafetensorsError``.
  package init(at path: String) throws {
    try self.init(FileBytes(at: path))
  }

  /// The names of the tensors, in the order of the data.
  package var names: [String] { records.map(\.name) }

  /// The record of a tensor, `nil` if there is none of that name.
  package subscript(name: String) -> Record? { indices[name].map { records[$0] } }
}

extension Safetensors {
  /// A tensor as float32; other numbers are rounded to the nearest.
  ///
  /// - Throws: ``SafetensorsError`` if there is no such tensor, or its elements are smaller
  ///   than a byte, 8-bit floating point or complex.
  package func floats(_ name: String) throws(SafetensorsError) -> Tensor<Float> {
    let record = try self.record(name)
    let scalars: [Float]? = file.withUnsafeBytes(in: record.range) { bytes in
      switch record.type {
      case .float32: readNumbers(bytes, as: UInt32.self) { Float(bitPattern: $0) }
      case .float64: readNumbers(bytes, as: UInt64.self) { Float(Double(bitPattern: $0)) }
      case .float16: readNumbers(bytes, as: UInt16.self, HalfPrecision.float)
      case .bfloat16: readNumbers(bytes, as: UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
      case .bool: readNumbers(bytes, as: UInt8.self) { $0 == 0 ? 0 : 1 }
      case .uint8: readNumbers(bytes, as: UInt8.self) { Float($0) }
      case .int8: readNumbers(bytes, as: Int8.self) { Float($0) }
      case .uint16: readNumbers(bytes, as: UInt16.self) { Float($0) }
      case .int16: readNumbers(bytes, as: Int16.self) { Float($0) }
      case .uint32: readNumbers(bytes, as: UInt32.self) { Float($0) }
      case .int32: readNumbers(bytes, as: Int32.self) { Float($0) }
      case .uint64: readNumbers(bytes, as: UInt64.self) { Float($0) }
      case .int64: readNumbers(bytes, as: Int64.self) { Float($0) }
      case .float4, .float6e2m3, .float6e3m2, .float8e5m2, .float8e4m3, .float8e8m0,
        .float8e4m3fnuz, .float8e5m2fnuz, .complex64:
        nil
      }
    }
    return try tensor(record, scalars, "float32")
  }

  /// A tensor of whole numbers or truth values.
  ///
  /// - Throws: ``SafetensorsError`` if there is no such tensor, its elements are not whole
  ///   numbers, or one exceeds `Int64`.
  package func integers(_ name: String) throws(SafetensorsError) -> Tensor<Int64> {
    let record = try self.record(name)
    var isInRange = true
    let scalars: [Int64]? = file.withUnsafeBytes(in: record.range) { bytes in
      switch record.type {
      case .bool: readNumbers(bytes, as: UInt8.self) { $0 == 0 ? 0 : 1 }
      case .uint8: readNumbers(bytes, as: UInt8.self) { Int64($0) }
      case .int8: readNumbers(bytes, as: Int8.self) { Int64($0) }
      case .uint16: readNumbers(bytes, as: UInt16.self) { Int64($0) }
      case .int16: readNumbers(bytes, as: Int16.self) { Int64($0) }
      case .uint32: readNumbers(bytes, as: UInt32.self) { Int64($0) }
      case .int32: readNumbers(bytes, as: Int32.self) { Int64($0) }
      case .int64: readNumbers(bytes, as: Int64.self) { $0 }
      case .uint64:
        readNumbers(bytes, as: UInt64.self) { value in
          if value > UInt64(Int64.max) { isInRange = false }
          return Int64(truncatingIfNeeded: value)
        }
      default: nil
      }
    }
    guard isInRange else { throw SafetensorsError(file.name, .valueOutOfRange(tensor: name)) }
    return try tensor(record, scalars, "int64")
  }

  private func record(_ name: String) throws(SafetensorsError) -> Record {
    guard let record = self[name] else {
      throw SafetensorsError(file.name, .noSuchTensor(name, count: records.count))
    }
    return record
  }

  private func tensor<Scalar>(
    _ record: Record, _ scalars: [Scalar]?, _ wanted: String
  ) throws(SafetensorsError) -> Tensor<Scalar> {
    guard let scalars else {
      let problem = SafetensorsProblem.notConvertible(
        tensor: record.name, type: record.type, to: wanted)
      throw SafetensorsError(file.name, problem)
    }
    return Tensor(record.shape, scalars)
  }
}

/// Reads little-endian integers and turns each into a number.
@inlinable package func readNumbers<Stored: FixedWidthInteger & BitwiseCopyable, Scalar>(
  _ bytes: UnsafeRawBufferPointer, as type: Stored.Type, _ convert: (Stored) -> Scalar
) -> [Scalar] {
  let size = MemoryLayout<Stored>.size
  let count = bytes.count / size
  return [Scalar](unsafeUninitializedCapacity: count) { buffer, initialized in
    for i in 0..<count {
      let stored = bytes.loadUnaligned(fromByteOffset: i * size, as: type)
      buffer.initializeElement(at: i, to: convert(Stored(littleEndian: stored)))
    }
    initialized = count
  }
}

/// IEEE 754 binary16: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits. In integers, because
/// `Float16` does not exist on every platform.
package enum HalfPrecision {
  /// The same value as float32, which holds every binary16 exactly; a NaN keeps its fraction.
  package static func float(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10) & 0x1F
    let fraction = UInt32(bits & 0x3FF)
    switch exponent {
    case 0:  // zero and subnormal numbers: fraction · 2⁻²⁴
      return Float(bitPattern: (Float(fraction) * 0x1p-24).bitPattern | sign)
    case 0x1F:  // infinity and NaN
      return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default:
      return Float(bitPattern: sign | (exponent + 127 - 15) << 23 | fraction << 13)
    }
  }
}
