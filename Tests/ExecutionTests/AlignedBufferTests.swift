import ResidualExecution
import Testing

/// Small buffers are allocated, large ones mapped.
@Suite struct AlignedBufferTests {
  static let page = 2 << 20

  @Test(arguments: [0, 1, 64, page - 1, page, page + 1, 3 * page, 3 * page + 4097])
  func bytesAreZeroAndWritable(byteCount: Int) throws {
    for _ in 0..<3 {
      let buffer = try AlignedBuffer(byteCount: byteCount)
      #expect(buffer.byteCount == byteCount)
      #expect(UInt(bitPattern: buffer.base) % UInt(AlignedBuffer.alignment) == 0)
      let bytes = UnsafeMutableRawBufferPointer(start: buffer.base, count: byteCount)
      #expect(bytes.allSatisfy { $0 == 0 })
      for index in bytes.indices { bytes[index] = 0xFF }
    }
  }

  /// What goes back to the system when a buffer ends leaves its neighbours alone.
  @Test func buffersAreApart() throws {
    var buffers: [AlignedBuffer?] = []
    for number in 0..<16 {
      let buffer = try AlignedBuffer(byteCount: Self.page + 4096 * number + number)
      buffer.elements(of: UInt8.self).update(repeating: UInt8(number + 1))
      buffers.append(buffer)
    }
    for number in stride(from: 0, to: 16, by: 2) { buffers[number] = nil }
    for number in stride(from: 1, to: 16, by: 2) {
      let bytes = buffers[number]?.elements(of: UInt8.self)
      #expect(bytes?.allSatisfy { $0 == UInt8(number + 1) } == true)
    }
  }

  @Test func moreThanTheMachineHasIsRefused() {
    for byteCount in [AlignedBuffer.machineByteCount, Int.max - 1] where byteCount < .max {
      #expect(throws: AllocationError.self) { try AlignedBuffer(byteCount: byteCount + 1) }
    }
  }
}
