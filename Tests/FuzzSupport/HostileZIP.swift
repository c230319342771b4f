import ResidualFormats

/// An archive of stored entries in which every field can be made to lie.
package struct HostileZIP {
  package struct Entry {
    package var name: [UInt8]
    package var content: [UInt8]
    /// Changes the local header, its name and its extra field.
    package var local: (inout [UInt8]) -> Void = { _ in }
    /// Changes the record of the directory.
    package var record: (inout [UInt8]) -> Void = { _ in }
    package var localExtra: [UInt8] = []
    package var recordExtra: [UInt8] = []
    package var descriptor: [UInt8] = []
    package var flags: UInt16 = 1 << 11
    /// Whether the local header and its content are left out.
    package var isMissing = false

    package init(_ name: String, _ content: [UInt8] = []) {
      (self.name, self.content) = (Array(name.utf8), content)
    }
  }

  package var entries: [Entry]
  /// What stands between the entries and the directory.
  package var gap: [UInt8] = []
  /// Changes the end record.
  package var end: (inout [UInt8]) -> Void = { _ in }
  /// The end records of ZIP64 for a directory of so many bytes at an offset.
  package var large: ((_ length: UInt64, _ offset: UInt64) -> [UInt8])?

  package init(_ entries: Entry...) { self.entries = entries }
  package init(_ entries: [Entry]) { self.entries = entries }

  package var bytes: [UInt8] {
    var (file, directory): ([UInt8], [UInt8]) = ([], [])
    for entry in entries {
      let offset = file.count
      let sizes =
        littleEndian(UInt32(entry.content.count)) + littleEndian(UInt32(entry.content.count))
      let common =
        littleEndian(entry.flags) + [0, 0, 0, 0, 0, 0]
        + littleEndian(checksum(entry.content)) + sizes + littleEndian(UInt16(entry.name.count))
      if !entry.isMissing {
        var local =
          Array("PK\u{3}\u{4}".utf8) + [20, 0] + common
          + littleEndian(UInt16(entry.localExtra.count)) + entry.name + entry.localExtra
        entry.local(&local)
        file += local + entry.content + entry.descriptor
      }
      var record =
        Array("PK\u{1}\u{2}".utf8) + [20, 0, 20, 0] + common
        + littleEndian(UInt16(entry.recordExtra.count)) + [UInt8](repeating: 0, count: 10)
        + littleEndian(UInt32(offset)) + entry.name + entry.recordExtra
      entry.record(&record)
      directory += record
    }
    file += gap
    let offset = file.count
    file += directory
    file += large?(UInt64(directory.count), UInt64(offset)) ?? []
    let count = littleEndian(UInt16(entries.count))
    var end =
      Array("PK\u{5}\u{6}".utf8) + [0, 0, 0, 0] + count + count
      + littleEndian(UInt32(directory.count)) + littleEndian(UInt32(offset)) + [0, 0]
    self.end(&end)
    return file + end
  }

  /// ZIP64's end record and its locator, for so many entries.
  package static func largeEnd(
    _ count: UInt64, _ length: UInt64, _ offset: UInt64, at start: UInt64? = nil
  ) -> [UInt8] {
    Array("PK\u{6}\u{6}".utf8) + littleEndian(UInt64(44)) + [45, 0, 45, 0]
      + [UInt8](repeating: 0, count: 8) + littleEndian(count) + littleEndian(count)
      + littleEndian(length) + littleEndian(offset) + Array("PK\u{6}\u{7}".utf8) + [0, 0, 0, 0]
      + littleEndian(start ?? offset + length) + [1, 0, 0, 0]
  }
}

extension HostileZIP {
  /// A checkpoint of PyTorch in which storage `0` has sixteen bytes.
  package static func torch(
    pickle: [UInt8]? = Pickle.dictionary(), storage: [UInt8]? = .init(repeating: 0, count: 16),
    version: String? = "3\n", order: String? = "little"
  ) -> HostileZIP {
    var entries: [Entry] = []
    if let pickle { entries.append(Entry("a/data.pkl", pickle)) }
    if let order { entries.append(Entry("a/byteorder", Array(order.utf8))) }
    if let storage { entries.append(Entry("a/data/0", storage)) }
    if let version { entries.append(Entry("a/version", Array(version.utf8))) }
    return HostileZIP(entries)
  }
}

extension HostileZIP.Entry {
  /// The same entry with another local header.
  package func local(_ change: @escaping (inout [UInt8]) -> Void) -> Self {
    var copy = self
    copy.local = change
    return copy
  }
  /// The same entry with another record.
  package func record(_ change: @escaping (inout [UInt8]) -> Void) -> Self {
    var copy = self
    copy.record = change
    return copy
  }
  package func with<Value>(_ path: WritableKeyPath<Self, Value>, _ value: Value) -> Self {
    var copy = self
    copy[keyPath: path] = value
    return copy
  }
}

extension HostileZIP {
  package func with<Value>(_ path: WritableKeyPath<Self, Value>, _ value: Value) -> [UInt8] {
    var copy = self
    copy[keyPath: path] = value
    return copy.bytes
  }
}

extension [UInt8] {
  /// Replaces the bytes of a number.
  package mutating func put<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
    replaceSubrange(offset..<offset + MemoryLayout<Number>.size, with: littleEndian(number))
  }
}

package func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
  withUnsafeBytes(of: number.littleEndian) { Array($0) }
}

private func checksum(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { CRC32.checksum($0) } }
