#if ONNX
  import ResidualFormats

  /// A first walk over the bytes of an ONNX file, before anything is decoded.
  ///
  /// Two bytes of a file can become an object of hundreds in memory, so what is not a tensor's numbers
  /// is counted and limited first; and what is cut off is found with its place.
  struct ONNXStructure {
    /// Nodes, attributes, tensors and whatever else is a message.
    static let maximumParts = 100_000
    /// Bytes other than the numbers that memory keeps as they are.
    static let maximumByteCount = 4 << 20
    private static let maximumDepth = 40
    /// Bytes of what no network here has: two of them can become hundreds.
    static let maximumForeignByteCount = 64 << 10
    /// Chunks of packed numbers of a tensor: each is appended to a copy of those before.
    private static let maximumChunks = 16

    /// The messages that are walked into; others are counted as bytes.
    private enum Message {
      case model, graph, node, attribute, tensor, value, type, tensorType, shape
      /// A pair of texts.
      case entry
      /// Of a kind that no network here has, with whatever lies in it.
      case foreign

      /// The messages in the fields of this one.
      func message(inField number: UInt64) -> Message? {
        switch (self, number) {
        case (.model, 7): .graph
        case (.model, 8), (.model, 14): .entry
        case (.model, 20), (.model, 26): .foreign
        case (.graph, 1): .node
        case (.graph, 5): .tensor
        case (.graph, 11), (.graph, 12), (.graph, 13): .value
        case (.graph, 14), (.graph, 15): .foreign
        case (.graph, 16): .entry
        case (.node, 5): .attribute
        case (.node, 9): .entry
        case (.node, 10): .foreign
        case (.attribute, 5), (.attribute, 10): .tensor
        case (.attribute, 6), (.attribute, 11): .graph
        case (.attribute, 14), (.attribute, 15): .type
        case (.attribute, 22), (.attribute, 23): .foreign
        case (.tensor, 3), (.tensor, 13), (.tensor, 16), (.value, 4): .entry
        case (.value, 2): .type
        case (.type, 1), (.type, 8): .tensorType
        case (.type, 4), (.type, 5), (.type, 9): .foreign
        case (.tensorType, 2): .shape
        case (.shape, 1): .entry
        default: nil
        }
      }

      /// Whether a field holds a name, by which things are found.
      func isName(field number: UInt64) -> Bool {
        switch (self, number) {
        case (.node, 1), (.node, 2), (.node, 3), (.node, 4), (.node, 7): true
        case (.tensor, 8), (.value, 1), (.attribute, 1), (.attribute, 21), (.entry, 1): true
        default: false
        }
      }

      /// Whether a field holds numbers that take no more memory than their bytes.
      func isBulk(field number: UInt64) -> Bool {
        // float_data, raw_data, double_data
        self == .tensor && (number == 4 || number == 9 || number == 10)
      }

      /// Whether a field holds packed numbers, which may come in several chunks.
      func isPacked(field number: UInt64) -> Bool {
        // float_data, int32_data, int64_data, double_data, uint64_data
        self == .tensor && [4, 5, 7, 10, 11].contains(number)
      }
    }

    private let file: FileBytes
    private var parts = 0
    private var byteCount = 0
    private var foreignByteCount = 0

    /// Walks over a file.
    ///
    /// - Throws: ``ONNXProblem`` about the wire format.
    /// - Complexity: O(bytes apart from the numbers).
    static func check(_ file: FileBytes) throws(ONNXProblem) {
      var structure = ONNXStructure(file: file)
      try structure.walk(.model, 0..<file.count, depth: 0)
    }

    private mutating func walk(_ message: Message, _ range: Range<Int>, depth: Int)
      throws(ONNXProblem)
    {
      parts += 1
      guard parts <= Self.maximumParts else { throw .tooManyParts(limit: Self.maximumParts) }
      guard depth <= Self.maximumDepth else { throw .nestedTooDeep(offset: range.lowerBound) }
      var offset = range.lowerBound
      var chunks = 0
      while offset < range.upperBound {
        let start = offset
        var inner: Message?
        let key = try number(at: &offset, before: range.upperBound)
        let field = key >> 3
        guard field > 0, field < 1 << 29 else { throw .fieldZero(offset: start) }
        switch key & 7 {
        case 0: _ = try number(at: &offset, before: range.upperBound)
        case 1: try skip(8, &offset, before: range.upperBound)
        case 2:
          let length = try number(at: &offset, before: range.upperBound)
          let begin = offset
          try skip(length, &offset, before: range.upperBound)
          guard length <= UInt64(FileBytes.maximumNameLength) || !message.isName(field: field)
          else { throw .nameTooLong(offset: begin) }
          inner = message.message(inField: field)
          // Functions are refused whatever is in them.
          if message == .model, field == 25 { throw .localFunctions }
          if inner == .foreign { foreignByteCount += offset - begin }
          guard foreignByteCount <= Self.maximumForeignByteCount else {
            throw .tooMuchForeign(limit: Self.maximumForeignByteCount)
          }
          if message.isPacked(field: field) { chunks += 1 }
          guard chunks <= Self.maximumChunks else { throw .manyChunks(offset: range.lowerBound) }
          if let inner {
            try walk(inner, begin..<offset, depth: depth + 1)
          } else if message.isBulk(field: field) {
            byteCount -= offset - begin
          }
        case 5: try skip(4, &offset, before: range.upperBound)
        case let type: throw .unknownWireType(Int(type), offset: start)
        }
        // A message's own bytes are counted where they are walked.
        if inner == nil { byteCount += offset - start }
        guard byteCount <= Self.maximumByteCount else {
          throw .tooMuchStructure(limit: Self.maximumByteCount)
        }
      }
    }

    private func skip(_ length: UInt64, _ offset: inout Int, before end: Int)
      throws(ONNXProblem)
    {
      guard length <= UInt64(end - offset) else {
        throw .cutOff(offset: offset, needed: length, available: end - offset)
      }
      offset += Int(length)
    }

    private func number(at offset: inout Int, before end: Int) throws(ONNXProblem) -> UInt64 {
      let start = offset
      var value: UInt64 = 0
      for shift in stride(from: UInt64(0), to: 70, by: 7) {
        guard offset < end else { throw .cutOff(offset: start, needed: 1, available: 0) }
        let byte = file[offset]
        offset += 1
        value |= UInt64(byte & 0x7F) << shift
        if byte < 0x80 { return value }
      }
      throw .longNumber(offset: start)
    }
  }
#endif
