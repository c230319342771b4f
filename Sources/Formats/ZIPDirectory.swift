/// The parser of the end records, the directory and the local headers: see ``ZIPArchive``.
struct ZIPDirectory {
  private let file: FileBytes
  private let range: Range<Int>
  private let count: Int

  /// One record of the directory.
  private struct Record {
    var name: String
    var nameRange: Range<Int>
    var flags: UInt16
    var checksum: UInt32
    var byteCount: UInt64
    var headerOffset: UInt64

    var hasDescriptor: Bool { flags & 1 << 3 != 0 }
  }

  /// Finds the directory and checks the end records.
  init(_ file: FileBytes) throws(ZIPProblem) {
    self.file = file
    guard ZIPArchive.isZIP(file) || file.has([0x50, 0x4B, 5, 6]) else { throw .notZIP }
    let end = file.count - ZIPArchive.endLength
    guard end >= 0, file.has([0x50, 0x4B, 5, 6], at: end) else { throw Self.missingEnd(file) }
    let comment = file.number(UInt16.self, end + 20)
    guard comment == 0 else { throw .comment(byteCount: Int(comment)) }
    let small = [12, 16].map { file.number(UInt32.self, end + $0) }
    var (length, offset) = (UInt64(small[0]), UInt64(small[1]))
    var numbers = [4, 6, 8, 10].map { UInt64(file.number(UInt16.self, end + $0)) }
    var directoryEnd = end

    let locator = end - ZIPArchive.locatorLength
    if locator >= 0, file.has([0x50, 0x4B, 6, 7], at: locator) {
      let start = locator - ZIPArchive.largeEndLength
      guard start >= 0, file.has([0x50, 0x4B, 6, 6], at: start),
        file.integer(UInt64.self, at: locator + 8) == UInt64(start),
        file.integer(UInt64.self, at: start + 4) == UInt64(ZIPArchive.largeEndLength - 12)
      else { throw .wrongLargeEnd(offset: max(start, 0)) }
      guard file.integer(UInt32.self, at: locator + 4) == 0,
        file.integer(UInt32.self, at: locator + 16) == 1
      else { throw .severalDisks }
      let disks = [16, 20].map { UInt64(file.number(UInt32.self, start + $0)) }
      let large = [24, 32, 40, 48].map { file.number(UInt64.self, start + $0) }
      // Each number of the shorter record is either the same or all ones.
      guard
        zip(numbers, disks + large.prefix(2)).allSatisfy({ $0 == $1 || $0 == 0xFFFF }),
        zip([length, offset], large.suffix(2)).allSatisfy({ $0 == $1 || $0 == 0xFFFF_FFFF })
      else { throw .endRecordsDiffer }
      numbers = disks + large.prefix(2)
      (length, offset) = (large[2], large[3])
      directoryEnd = start
    }
    guard numbers[0] == 0, numbers[1] == 0, numbers[2] == numbers[3] else { throw .severalDisks }
    guard length <= UInt64(directoryEnd), offset == UInt64(directoryEnd) - length else {
      throw .directoryBeyondEnd(offset: offset, byteCount: length)
    }
    range = Int(offset)..<directoryEnd
    let most = range.count / ZIPArchive.directoryRecordLength
    guard numbers[3] <= UInt64(most) else {
      throw .tooManyEntries(count: numbers[3], most: most)
    }
    count = Int(numbers[3])
  }

  /// All entries in the order of the directory; together they cover the file up to it.
  func entries() throws(ZIPProblem) -> [ZIPArchive.Entry] {
    var offset = range.lowerBound
    var names: Set<String> = []
    var entries: [ZIPArchive.Entry] = []
    var extents: [(begin: Int, end: Int, index: Int)] = []
    entries.reserveCapacity(count)
    for index in 0..<count {
      let record = try record(at: &offset)
      guard names.insert(record.name).inserted else { throw .duplicateName(record.name) }
      let (entry, extent) = try entry(record)
      entries.append(entry)
      extents.append((extent.lowerBound, extent.upperBound, index))
    }
    guard offset == range.upperBound else {
      throw .unusedDirectory(begin: offset, end: range.upperBound)
    }
    var end = 0
    for extent in extents.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
      guard extent.begin >= end else {
        throw .overlap(
          name: entries[extent.index].name, begin: extent.begin, previousEnd: end)
      }
      guard extent.begin == end else { throw .hole(begin: end, end: extent.begin) }
      end = extent.end
    }
    guard end == range.lowerBound else { throw .hole(begin: end, end: range.lowerBound) }
    return entries
  }

  /// An end record elsewhere tells what stands after it.
  private static func missingEnd(_ file: FileBytes) -> ZIPProblem {
    let last = file.count - ZIPArchive.endLength
    for offset in stride(from: last, through: max(0, last - 0xFFFF), by: -1)
    where file.has([0x50, 0x4B, 5, 6], at: offset) {
      let comment = Int(file.number(UInt16.self, offset + 20))
      let end = offset + ZIPArchive.endLength
      return end + comment == file.count
        ? .comment(byteCount: comment) : .bytesBehindEnd(offset: end)
    }
    return .missingEnd
  }
}

extension FileBytes {
  /// A number whose place is known to lie in the file.
  fileprivate func number<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type, _ offset: Int
  ) -> Value {
    guard let value = integer(type, at: offset) else {
      preconditionFailure("byte \(offset) of \(count) in \(name)")
    }
    return value
  }
}

extension ZIPDirectory {
  /// Reads the record at an offset, and moves the offset after it.
  private func record(at offset: inout Int) throws(ZIPProblem) -> Record {
    let start = offset
    let fixed = ZIPArchive.directoryRecordLength
    guard range.upperBound - start >= fixed else { throw .truncatedRecord(offset: start) }
    guard file.has([0x50, 0x4B, 1, 2], at: start) else { throw .wrongRecord(offset: start) }
    let lengths = [28, 30, 32].map { Int(file.number(UInt16.self, start + $0)) }
    guard range.upperBound - start - fixed >= lengths.reduce(0, +) else {
      throw .truncatedRecord(offset: start)
    }
    let nameRange = start + fixed..<start + fixed + lengths[0]
    let extraRange = nameRange.upperBound..<nameRange.upperBound + lengths[1]
    offset = extraRange.upperBound + lengths[2]

    guard lengths[0] <= FileBytes.maximumNameLength else { throw .nameTooLong(offset: start) }
    let flags = file.number(UInt16.self, start + 8)
    let name = try name(nameRange, flags, record: start)
    try check(flags, method: file.number(UInt16.self, start + 10), name)
    var values = [24, 20, 42].map { UInt64(file.number(UInt32.self, start + $0)) }
    var disk = UInt32(file.number(UInt16.self, start + 34))
    if let large = try largeField(extraRange, name) {
      var place = large.lowerBound
      for index in values.indices where values[index] == 0xFFFF_FFFF {
        guard large.upperBound - place >= 8 else { throw .wrongExtraField(name: name) }
        values[index] = file.number(UInt64.self, place)
        place += 8
      }
      if disk == 0xFFFF, large.upperBound - place >= 4 {
        disk = file.number(UInt32.self, place)
        place += 4
      }
      guard place == large.upperBound else { throw .wrongExtraField(name: name) }
    }
    guard disk == 0 else { throw .severalDisks }
    guard values[0] == values[1] else {
      throw .sizesDiffer(name: name, stored: values[1], content: values[0])
    }
    guard values[0] == 0 || !name.hasSuffix("/") else { throw .folderWithContent(name: name) }
    return Record(
      name: name, nameRange: nameRange, flags: flags,
      checksum: file.number(UInt32.self, start + 16), byteCount: values[0],
      headerOffset: values[2])
  }

  private func check(_ flags: UInt16, method: UInt16, _ name: String) throws(ZIPProblem) {
    // Bits 0, 6 and 13 encrypt; 1 and 2 say how a compressor was set; 3 stands for a descriptor and
    // 11 for UTF-8.
    guard flags & 0x2041 == 0 else { throw .encrypted(name: name) }
    guard flags & ~0x080E == 0 else { throw .unsupportedFlags(name: name, flags: flags) }
    guard method == 0 else { throw .compressed(name: name, method: method) }
  }

  /// A name whose parts stay inside a folder, whatever a program does with it.
  private func name(
    _ nameRange: Range<Int>, _ flags: UInt16, record: Int
  ) throws(ZIPProblem) -> String {
    guard !nameRange.isEmpty, let name = file.text(in: nameRange) else {
      throw .invalidName(offset: record)
    }
    // Without the flag, bytes above 0x7F mean something else to each program.
    let isPlain = name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    guard isPlain, flags & 1 << 11 != 0 || name.utf8.allSatisfy({ $0 < 0x80 }) else {
      throw .invalidName(offset: record)
    }
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    let isFolder = parts.count > 1 && parts.last?.isEmpty == true
    guard !name.contains("\\"), !name.contains(":"),
      (isFolder ? parts.dropLast() : parts[...]).allSatisfy({ !["", ".", ".."].contains($0) })
    else { throw .unsafeName(name) }
    return name
  }

  /// Where the content of the ZIP64 field lies, `nil` if there is none.
  private func largeField(
    _ extraRange: Range<Int>, _ name: String
  ) throws(ZIPProblem) -> Range<Int>? {
    var offset = extraRange.lowerBound
    var found: Range<Int>?
    while offset < extraRange.upperBound {
      guard extraRange.upperBound - offset >= 4 else { throw .wrongExtraField(name: name) }
      let kind = file.number(UInt16.self, offset)
      let length = Int(file.number(UInt16.self, offset + 2))
      offset += 4
      guard extraRange.upperBound - offset >= length else { throw .wrongExtraField(name: name) }
      if kind == ZIPArchive.unicodePathField { throw .anotherName(name: name) }
      if kind == ZIPArchive.largeField {
        guard found == nil else { throw .wrongExtraField(name: name) }
        found = offset..<offset + length
      }
      offset += length
    }
    return found
  }

  /// Checks an entry's local header against its record, and gives the bytes that both take up.
  private func entry(
    _ record: Record
  ) throws(ZIPProblem) -> (ZIPArchive.Entry, extent: Range<Int>) {
    let name = record.name
    let limit = range.lowerBound
    guard record.headerOffset <= UInt64(limit),
      limit - Int(record.headerOffset) >= ZIPArchive.localHeaderLength,
      file.has(ZIPArchive.magic, at: Int(record.headerOffset))
    else { throw .wrongLocalHeader(name: name, offset: record.headerOffset) }
    let start = Int(record.headerOffset)
    let nameStart = start + ZIPArchive.localHeaderLength
    let nameEnd = nameStart + Int(file.number(UInt16.self, start + 26))
    let contentStart = nameEnd + Int(file.number(UInt16.self, start + 28))
    guard contentStart <= limit, record.byteCount <= UInt64(limit - contentStart) else {
      let (end, overflow) = UInt64(contentStart).addingReportingOverflow(record.byteCount)
      throw .beyondEnd(name: name, end: overflow ? .max : end, available: limit)
    }
    let content = contentStart..<contentStart + Int(record.byteCount)

    try require(file.number(UInt16.self, start + 6) == record.flags, "flags", of: record)
    try require(file.number(UInt16.self, start + 8) == 0, "method", of: record)
    try require(file[nameStart..<nameEnd] == file[record.nameRange], "name", of: record)
    let large = try largeField(nameEnd..<contentStart, name)
    try checkSizes(record, header: start, large)
    let end = try endOfDescriptor(record, at: content.upperBound, isLarge: large != nil)
    return (
      ZIPArchive.Entry(name: name, range: content, checksum: record.checksum), start..<end
    )
  }

  /// Checksum and sizes of a local header: those of the record, or zeros before a descriptor.
  private func checkSizes(
    _ record: Record, header: Int, _ large: Range<Int>?
  ) throws(ZIPProblem) {
    let checksum = file.number(UInt32.self, header + 14)
    var sizes = [22, 18].map { UInt64(file.number(UInt32.self, header + $0)) }
    if record.hasDescriptor, checksum == 0, sizes == [0, 0] { return }
    if let large {
      var place = large.lowerBound
      for index in sizes.indices where sizes[index] == 0xFFFF_FFFF {
        guard large.upperBound - place >= 8 else { throw .wrongExtraField(name: record.name) }
        sizes[index] = file.number(UInt64.self, place)
        place += 8
      }
      // Python's `zipfile` announces its descriptor in this way.
      if record.hasDescriptor, checksum == 0, sizes == [0, 0] { return }
    }
    try require(checksum == record.checksum, "checksum", of: record)
    try require(sizes.allSatisfy { $0 == record.byteCount }, "size", of: record)
  }

  /// Refuses an entry whose header says something else than its record.
  private func require(_ agree: Bool, _ field: String, of record: Record) throws(ZIPProblem) {
    guard agree else { throw .headersDiffer(name: record.name, field: field) }
  }

  /// The end of the descriptor after an entry's content, if it has one.
  private func endOfDescriptor(
    _ record: Record, at offset: Int, isLarge: Bool
  ) throws(ZIPProblem) -> Int {
    guard record.hasDescriptor else { return offset }
    let end = offset + (isLarge ? 24 : 16)
    guard end <= range.lowerBound, file.has([0x50, 0x4B, 7, 8], at: offset),
      file.number(UInt32.self, offset + 4) == record.checksum
    else { throw .wrongDescriptor(name: record.name, offset: offset) }
    let sizes =
      isLarge
      ? [8, 16].map { file.number(UInt64.self, offset + $0) }
      : [8, 12].map { UInt64(file.number(UInt32.self, offset + $0)) }
    guard sizes.allSatisfy({ $0 == record.byteCount }) else {
      throw .wrongDescriptor(name: record.name, offset: offset)
    }
    return end
  }
}
