/// Writes an archive entry by entry, none of them compressed, in the layout of ``ZIPArchive``.
///
/// Checksums and sizes are in the local headers, so that there are no descriptors. Content starts
/// at a multiple of 64 bytes: an extra field of the kind that PyTorch uses pads the header. Dates
/// are the earliest possible one (1980-01-01), so that equal content gives equal bytes.
struct ZIPWriter {
  /// Content starts at a multiple of this number of bytes.
  static let alignment = 64
  /// The kind of the extra field that pads the header: `FB`, as in PyTorch.
  private static let paddingField: UInt16 = 0x4246
  /// 1980-01-01 as the format has dates; a date of all zeros has no month.
  private static let date: UInt16 = 1 << 5 | 1

  /// From this number on, sizes and offsets are written in 64 bits.
  private let largeFrom: UInt64
  private var offset: UInt64 = 0
  private var directory: [UInt8] = []
  private var count: UInt64 = 0
  /// The checksums of all entries, mixed in their order.
  private(set) var mixedChecksum: UInt64 = 0

  /// - Parameter largeFrom: for tests, which cannot write four gigabytes.
  init(largeFrom: UInt64 = UInt64(UInt32.max)) {
    precondition(largeFrom <= UInt64(UInt32.max), "\(largeFrom) does not fit in 32 bits")
    self.largeFrom = largeFrom
  }

  /// Adds an entry.
  ///
  /// - Precondition: no entry of that name has been added.
  mutating func append(
    _ name: String, _ content: UnsafeRawBufferPointer, to file: inout AtomicFile
  ) throws(FileError) {
    let checksum = CRC32.checksum(content)
    let byteCount = UInt64(content.count)
    let isLarge = byteCount >= largeFrom
    let size = isLarge ? UInt32.max : UInt32(byteCount)
    let text = Array(name.utf8)

    var extra: [UInt8] = []
    if isLarge {
      extra +=
        bytes(ZIPArchive.largeField) + bytes(UInt16(16)) + bytes(byteCount)
        + bytes(byteCount)
    }
    let start = offset + UInt64(ZIPArchive.localHeaderLength + text.count + extra.count + 4)
    let padding = (Self.alignment - Int(start % UInt64(Self.alignment))) % Self.alignment
    extra += bytes(Self.paddingField) + bytes(UInt16(padding))
    extra += [UInt8](repeating: UInt8(ascii: "Z"), count: padding)

    let common =
      bytes(UInt16(isLarge ? 45 : 20)) + bytes(UInt16(1 << 11)) + bytes(UInt16(0))
      + bytes(UInt16(0)) + bytes(Self.date) + bytes(checksum) + bytes(size) + bytes(size)
      + bytes(UInt16(text.count))
    let header = ZIPArchive.magic + common + bytes(UInt16(extra.count)) + text + extra
    try file.append(header)
    try file.append(content)

    addRecord(common, text, byteCount: isLarge ? byteCount : nil)
    offset += UInt64(header.count) + byteCount
    count += 1
    mixedChecksum = (mixedChecksum ^ UInt64(checksum)) &* 0x100_0000_01B3
  }

  private mutating func addRecord(_ common: [UInt8], _ name: [UInt8], byteCount: UInt64?) {
    let isFar = offset >= largeFrom
    var large: [UInt8] = []
    if let byteCount { large += bytes(byteCount) + bytes(byteCount) }
    if isFar { large += bytes(offset) }
    let extra =
      large.isEmpty
      ? [] : bytes(ZIPArchive.largeField) + bytes(UInt16(large.count)) + large
    directory += [0x50, 0x4B, 1, 2] + bytes(UInt16(45)) + common + bytes(UInt16(extra.count))
    // No comment, the first disk, no attributes.
    directory += [UInt8](repeating: 0, count: 10)
    directory += bytes(isFar ? UInt32.max : UInt32(offset)) + name + extra
  }

  /// Writes the directory and the end records.
  consuming func finish(_ file: inout AtomicFile) throws(FileError) {
    try file.append(directory)
    let length = UInt64(directory.count)
    let isLarge = offset >= largeFrom || length >= largeFrom || count >= UInt64(UInt16.max)
    if isLarge {
      let start = offset + length
      let numbers = [count, count, length, offset].flatMap { bytes($0) }
      try file.append(
        [0x50, 0x4B, 6, 6] + bytes(UInt64(ZIPArchive.largeEndLength - 12)) + bytes(UInt16(45))
          + bytes(UInt16(45)) + bytes(UInt32(0)) + bytes(UInt32(0)) + numbers)
      try file.append([0x50, 0x4B, 6, 7] + bytes(UInt32(0)) + bytes(start) + bytes(UInt32(1)))
    }
    let entries = bytes(isLarge ? UInt16.max : UInt16(count))
    let place = isLarge ? [UInt32.max, UInt32.max] : [UInt32(length), UInt32(offset)]
    try file.append(
      [0x50, 0x4B, 5, 6] + bytes(UInt32(0)) + entries + entries + place.flatMap { bytes($0) }
        + bytes(UInt16(0)))
  }
}

/// The bytes of a number, little-endian.
private func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
  withUnsafeBytes(of: number.littleEndian) { Array($0) }
}
