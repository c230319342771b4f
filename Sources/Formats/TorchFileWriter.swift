import ResidualTensors

/// One tensor to be written to a checkpoint: what a safetensors file takes, too.
package typealias TorchEntry = SafetensorsEntry

extension TorchFile {
  /// The version of the layout that is written, as PyTorch has written it since 1.6.
  static let writtenVersion = "3\n"

  /// Writes a state dict whole or not at all: an `OrderedDict` of tensors in the order given, which
  /// `torch.load` reads with `weights_only=True`.
  ///
  /// The layout is that of `torch.save`: one folder, `archive`, nothing compressed, elements at
  /// multiples of 64 bytes. Equal content gives equal bytes.
  ///
  /// - Precondition: names differ from each other; each closure gives as many elements as its shape
  ///   has.
  /// - Throws: ``FileError`` if the file cannot be written, and what the closures throw. The path
  ///   then holds what it held before.
  package static func write(_ entries: [TorchEntry], to path: String) throws {
    try write(entries, to: path, largeFrom: UInt64(UInt32.max))
  }

  /// As `write(_:to:)`, with sizes of 64 bits from a number on that a test can reach.
  package static func write(
    _ entries: [TorchEntry], to path: String, largeFrom: UInt64
  ) throws {
    let names = Set(entries.map(\.name))
    precondition(names.count == entries.count, "two of \(entries.count) tensors have one name")
    let items = entries.enumerated().map { index, entry in
      PickleWriter.Item(
        name: entry.name, key: String(index), type: entry.type, shape: entry.shape)
    }
    try AtomicFile.write(to: path) { file in
      var archive = ZIPWriter(largeFrom: largeFrom)
      func append(_ name: String, _ content: [UInt8]) throws(FileError) {
        try content.span.bytes.withUnsafeBytes { bytes throws(FileError) in
          try archive.append("archive/\(name)", bytes, to: &file)
        }
      }
      try append("data.pkl", PickleWriter.stateDict(items))
      try append(".format_version", Array("1".utf8))
      try append(".storage_alignment", Array("\(ZIPWriter.alignment)".utf8))
      try append("byteorder", Array("little".utf8))
      for (item, entry) in zip(items, entries) {
        try Safetensors.emit(entry) { bytes in
          try archive.append("archive/data/\(item.key)", bytes, to: &file)
        }
      }
      try append("version", Array(writtenVersion.utf8))
      try append(".data/serialization_id", identifier(names: items, archive.mixedChecksum))
      try archive.finish(&file)
    }
  }

  /// Forty digits that differ between files of different content, as PyTorch's do.
  private static func identifier(names items: [PickleWriter.Item], _ checksum: UInt64) -> [UInt8] {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in items.map(\.name).joined(separator: "\n").utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }
    return [hash, checksum].flatMap { number in
      let digits = Array(String(number).utf8)
      return [UInt8](repeating: UInt8(ascii: "0"), count: 20 - digits.count) + digits
    }
  }
}
