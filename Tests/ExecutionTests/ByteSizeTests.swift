import ResidualExecution
import Testing

@Suite struct ByteSizeTests {
  @Test(arguments: [
    ("1", 1), ("6442450944", 6 << 30), ("6GiB", 6 << 30), ("6 gib", 6 << 30),
    ("6GB", 6_000_000_000), ("1.5GiB", 3 << 29), ("500MB", 500_000_000), ("64KiB", 65_536),
    ("10B", 10), ("1TiB", 1 << 40), ("4611686018427387904", 1 << 62),
  ])
  func sizes(text: String, bytes: Int) { #expect(ByteSize.bytes(text) == bytes) }

  @Test(arguments: [
    "", "0", "-1", "GiB", "6XB", "6GiBs", "1.2.3GB", "nan", "inf", "1e3", "0.1", "٣GB",
    "9223372036854775808", "99999999999TiB", "6G",
  ])
  func others(text: String) { #expect(ByteSize.bytes(text) == nil) }

  @Test func texts() {
    #expect(ByteSize.text(0) == "0 bytes")
    #expect(ByteSize.text(600) == "600 bytes")
    #expect(ByteSize.text(100_000) == "0.1 MiB")
    #expect(ByteSize.text(3 << 19) == "1.5 MiB")
    #expect(ByteSize.text(148 << 20) == "148 MiB")
    #expect(ByteSize.text(6 << 30) == "6.00 GiB")
    #expect(ByteSize.text(3 << 29) == "1.50 GiB")
    #expect(ByteSize.text(1023 << 20) == "1.00 GiB")
  }
}
