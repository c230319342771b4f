import ResidualTensors

/// One tensor to be written to a safetensors file.
///
/// Its elements are asked for when their turn comes and released after it, so that a model that is
/// kept elsewhere needs memory for its largest tensor only.
package struct SafetensorsEntry {
  enum Elements {
    case floats(() throws -> [Float])
    case integers(() throws -> [Int64])
  }

  /// The tensor's name, which no other in the file may have.
  package let name: String
  /// The extents of the axes, outermost first.
  package let shape: Shape
  let elements: Elements

  /// - Parameter floats: gives the elements, row-major, as many as the shape has.
  package init(_ name: String, shape: Shape, floats: @escaping () throws -> [Float]) {
    self.init(name, shape, .floats(floats))
  }

  /// - Parameter integers: gives the elements, row-major, as many as the shape has.
  package init(_ name: String, shape: Shape, integers: @escaping () throws -> [Int64]) {
    self.init(name, shape, .integers(integers))
  }

  /// A tensor in memory, stored as float32.
  package init(_ name: String, _ tensor: Tensor<Float>) {
    self.init(name, tensor.shape, .floats { tensor.scalars })
  }

  /// A tensor in memory, stored as int64.
  package init(_ name: String, _ tensor: Tensor<Int64>) {
    self.init(name, tensor.shape, .integers { tensor.scalars })
  }

  private init(_ name: String, _ shape: Shape, _ elements: Elements) {
    self.name = name
    self.shape = shape
    self.elements = elements
  }

  /// How the elements are stored: float32 or int64.
  package var type: SafetensorsType {
    switch elements {
    case .floats: .float32
    case .integers: .int64
    }
  }

  var byteCount: Int { shape.count * (type.bitCount / 8) }

  /// Gives the elements' bytes as they are stored.
  ///
  /// - Throws: what the closure of the elements and `sink` throw.
  package func emit(_ sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    try Safetensors.emit(self, sink)
  }
}

extension Safetensors {
  /// Writes a file whole or not at all.
  ///
  /// The order is that of the reference writer: decreasing alignment of the element type, then
  /// name. Metadata are sorted by key, so equal content gives equal bytes.
  ///
  /// - Precondition: names differ from each other and from ``metadataKey``; each closure gives as
  ///   many elements as its shape has.
  /// - Throws: ``FileError`` if the file cannot be written, ``SafetensorsError`` if the
  ///   header would be too long, and what the closures throw. The path then holds what it held
  ///   before.
  package static func write(
    _ entries: [SafetensorsEntry], metadata: [String: String] = [:], to path: String
  ) throws {
    try AtomicFile.write(to: path) { file in try write(entries, metadata: metadata, into: &file) }
  }

  /// Writes the bytes of a file into one that its caller commits.
  ///
  /// - Throws: as the other.
  package static func write(
    _ entries: [SafetensorsEntry], metadata: [String: String], into file: inout AtomicFile
  ) throws {
    let (sorted, header) = try layout(entries, metadata, path: file.path)
    try file.append(header)
    for entry in sorted {
      try emit(entry) { bytes in try file.append(bytes) }
    }
  }

  /// The bytes of a file.
  ///
  /// - Throws: ``SafetensorsError`` if the header would be too long, and what the closures
  ///   throw.
  package static func encoded(
    _ entries: [SafetensorsEntry], metadata: [String: String] = [:]
  ) throws -> [UInt8] {
    var (sorted, result) = try layout(entries, metadata, path: "bytes in memory")
    for entry in sorted { try emit(entry) { result.append(contentsOf: $0) } }
    return result
  }

  /// The entries in the order of the file, and the bytes before the data.
  private static func layout(
    _ entries: [SafetensorsEntry], _ metadata: [String: String], path: String
  ) throws(SafetensorsError) -> ([SafetensorsEntry], header: [UInt8]) {
    // Of the types that are written, the longer one has the larger alignment.
    let sorted = entries.sorted {
      $0.type == $1.type ? precedes($0.name, $1.name) : $0.type.bitCount > $1.type.bitCount
    }
    let names = Set(entries.map(\.name))
    precondition(names.count == entries.count, "two of \(entries.count) tensors have one name")
    precondition(!names.contains(metadataKey), "no tensor can be named \(metadataKey)")

    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { precedes($0.key, $1.key) }
        .map { "\(JSONString($0.key)):\(JSONString($0.value))" }
      members.append("\(JSONString(metadataKey)):{\(pairs.joined(separator: ","))}")
    }
    var end = 0
    for entry in sorted {
      let begin = end
      end += entry.byteCount
      let extents = entry.shape.extents.map(String.init).joined(separator: ",")
      members.append(
        "\(JSONString(entry.name)):{\"dtype\":\"\(entry.type.rawValue)\","
          + "\"shape\":[\(extents)],\"data_offsets\":[\(begin),\(end)]}")
    }
    var text = Array("{\(members.joined(separator: ","))}".utf8)
    // Spaces to a multiple of 8, so that the data of a mapped file are aligned.
    text += Array(repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    guard text.count <= maximumHeaderLength else {
      throw SafetensorsError(path, .headerTooLong(byteCount: UInt64(text.count)))
    }
    let length = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) }
    return (sorted, length + text)
  }

  private static func precedes(_ first: String, _ second: String) -> Bool {
    first.utf8.lexicographicallyPrecedes(second.utf8)
  }

  static func emit(
    _ entry: SafetensorsEntry, _ sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    switch entry.elements {
    case .floats(let floats): try emit(try floats(), entry, \.bitPattern.littleEndian, sink)
    case .integers(let integers): try emit(try integers(), entry, \.littleEndian, sink)
    }
  }

  private static func emit<Scalar: BitwiseCopyable, Stored>(
    _ scalars: [Scalar], _ entry: SafetensorsEntry, _ stored: (Scalar) -> Stored,
    _ sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    precondition(
      scalars.count == entry.shape.count,
      "\(scalars.count) elements for '\(entry.name)' of shape \(entry.shape)")
    #if _endian(little)
      try scalars.withUnsafeBytes(sink)
    #else
      try scalars.map(stored).withUnsafeBytes(sink)
    #endif
  }
}

/// Text as a JSON string, with the escapes that the reference writer uses.
private struct JSONString: CustomStringConvertible {
  let description: String

  init(_ text: String) {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\u{8}": result += "\\b"
      case "\u{C}": result += "\\f"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\0"..<" ":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    description = result + "\""
  }
}
