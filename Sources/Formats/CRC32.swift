/// CRC-32 as ZIP, gzip and PNG define it (ISO 3309): the polynomial 0xEDB88320, bits reflected.
///
/// Eight bytes at a time with eight tables ("slicing by eight": Kounavis and Berry, A Systematic
/// Approach to Building High Performance Software-Based CRC Generators, 2005), so that checking a
/// model takes a fraction of reading it, and the module needs no codec for it.
package enum CRC32 {
  /// The checksum of some bytes.
  ///
  /// - Complexity: O(bytes); two gigabytes a second.
  package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    tables.withUnsafeBufferPointer { tables in
      var sum = ~UInt32(0)
      var offset = 0
      while bytes.count - offset >= 8 {
        let low =
          UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) ^ sum
        let high = UInt32(
          littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
        sum = 0
        for k in 0..<4 {
          sum ^= tables[(7 - k) << 8 | Int(low >> UInt32(8 * k) & 0xFF)]
          sum ^= tables[(3 - k) << 8 | Int(high >> UInt32(8 * k) & 0xFF)]
        }
        offset += 8
      }
      while offset < bytes.count {
        sum = sum >> 8 ^ tables[Int((sum ^ UInt32(bytes[offset])) & 0xFF)]
        offset += 1
      }
      return ~sum
    }
  }

  /// Table k holds, for each byte, its remainder with k zero bytes after it.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 << 8)
    for byte in 0..<256 {
      tables[byte] = (0..<8).reduce(UInt32(byte)) { sum, _ in
        sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xEDB8_8320
      }
    }
    for index in 256..<tables.count {
      let shorter = tables[index - 256]
      tables[index] = shorter >> 8 ^ tables[Int(shorter & 0xFF)]
    }
    return tables
  }()
}
