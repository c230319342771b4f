/// One header block of a tar archive; ``TarArchive`` describes its fields.
struct TarHeader {
  private let file: FileBytes
  let offset: Int

  /// - Precondition: a whole block lies at the offset.
  init(_ file: FileBytes, at offset: Int) {
    self.file = file
    self.offset = offset
  }

  var kind: UInt8 { file[offset + 156] }

  var isZero: Bool {
    file.withUnsafeBytes(in: offset..<offset + TarArchive.blockSize) { $0.allSatisfy { $0 == 0 } }
  }

  /// Compares the sum of the bytes with the one that is stored. Some old programs summed signed
  /// bytes, which is accepted.
  func checkSum() throws(TarProblem) {
    let sumField = 148..<156
    let (unsigned, signed) = file.withUnsafeBytes(in: offset..<offset + TarArchive.blockSize) {
      block in
      var sums = (unsigned: 0, signed: 0)
      for i in 0..<block.count {
        let byte = sumField.contains(i) ? 0x20 : block[i]
        sums.unsigned += Int(byte)
        sums.signed += Int(Int8(bitPattern: byte))
      }
      return sums
    }
    let stored = number(in: sumField)
    guard stored == unsigned || stored == signed else {
      throw .wrongChecksum(offset: offset, stored: stored, computed: unsigned)
    }
  }

  /// The size of the content in bytes.
  func size() throws(TarProblem) -> Int {
    guard let size = number(in: 124..<136) else { throw .invalidSize(offset: offset + 124) }
    return size
  }

  func name() throws(TarProblem) -> String {
    let name = try Self.name(in: file, offset..<offset + 100)
    guard file.has(Array("ustar\0".utf8), at: offset + 257) else { return name }
    let prefix = try Self.name(in: file, offset + 345..<offset + 500)
    return prefix.isEmpty ? name : prefix + "/" + name
  }

  /// The text of a range up to its first zero byte.
  static func name(in file: FileBytes, _ range: Range<Int>) throws(TarProblem) -> String {
    var cursor = ByteCursor(file, range)
    let text = cursor.take { $0 != 0 }
    guard text.count <= TarArchive.maximumNameLength else {
      throw .nameTooLong(offset: range.lowerBound)
    }
    guard let name = file.text(in: text) else { throw .invalidName(offset: range.lowerBound) }
    return name
  }

  /// A number: spaces, octal digits, then only spaces and zero bytes; or, if the top bit of the
  /// first byte is set, the other bits as a big-endian number.
  ///
  /// - Returns: `nil` if it is neither, is negative or exceeds `Int`.
  private func number(in field: Range<Int>) -> Int? {
    var cursor = ByteCursor(file, offset + field.lowerBound..<offset + field.upperBound)
    var value: Int? = 0
    if let first = cursor.peek, first & 0x80 != 0 {
      // The second bit is the sign.
      guard first & 0x40 == 0 else { return nil }
      value = Int(first & 0x3F)
      _ = cursor.next()
      while let byte = cursor.next() { value = value?.appending(digit: byte, radix: 256) }
      return value
    }
    cursor.take { $0 == 0x20 }
    let digits = cursor.take { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
    for i in digits {
      value = value?.appending(digit: file[i] - UInt8(ascii: "0"), radix: 8)
    }
    cursor.take { $0 == 0x20 || $0 == 0 }
    return cursor.peek == nil ? value : nil
  }
}

/// The records of a pax extension, `length key=value\n`, as far as they matter.
struct PaxRecords {
  private(set) var path: String?
  private(set) var size: Int?
  private var hasLinkPath = false

  /// The key of a record that overrides a field of an entry.
  var override: String? {
    path != nil ? "path" : size != nil ? "size" : hasLinkPath ? "linkpath" : nil
  }

  init(_ file: FileBytes, _ range: Range<Int>) throws(TarProblem) {
    var cursor = ByteCursor(file, range)
    while cursor.peek != nil {
      let start = cursor.offset
      let (length, digits) = cursor.takeNumber()
      // The shortest record is `5 a=\n`.
      guard let length, !digits.isEmpty, length >= 5, length <= range.upperBound - start,
        cursor.take(0x20)
      else { throw .invalidRecord(offset: start) }
      let end = start + length
      let key = cursor.take { $0 != UInt8(ascii: "=") && $0 != 0x0A }
      let valueStart = cursor.offset + 1
      guard !key.isEmpty, cursor.take(UInt8(ascii: "=")), valueStart < end,
        file[end - 1] == 0x0A
      else { throw .invalidRecord(offset: start) }
      try take(file, key: key, value: valueStart..<end - 1, at: start)
      cursor = ByteCursor(file, end..<range.upperBound)
    }
  }

  private mutating func take(
    _ file: FileBytes, key: Range<Int>, value: Range<Int>, at offset: Int
  ) throws(TarProblem) {
    guard key.count <= 100, let name = file.text(in: key) else { return }
    switch name {
    case "path":
      guard path == nil else { throw .duplicateKey(name, offset: offset) }
      let text = try TarHeader.name(in: file, value)
      guard text.utf8.count == value.count else { throw .invalidName(offset: offset) }
      path = text
    case "size":
      guard size == nil else { throw .duplicateKey(name, offset: offset) }
      var digits = ByteCursor(file, value)
      let (number, range) = digits.takeNumber()
      guard let number, !range.isEmpty, digits.peek == nil else {
        throw .invalidSize(offset: value.lowerBound)
      }
      size = number
    case "linkpath":
      guard !hasLinkPath else { throw .duplicateKey(name, offset: offset) }
      hasLinkPath = true
    case _ where name.hasPrefix("GNU.sparse."):
      throw .unsupportedKind(UInt8(ascii: "S"), offset: offset)
    default: break
    }
  }
}
