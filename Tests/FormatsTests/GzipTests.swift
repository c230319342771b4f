import Foundation
import ResidualFormats
import ResidualTestSupport
import Testing

@Suite struct GzipTests {
  @Test func theLimitGrowsWithTheFile() {
    #expect(Gzip.defaultLimit(for: 0) == 64 << 20)
    #expect(Gzip.defaultLimit(for: 1 << 20) == 200 << 20)
    #expect(Gzip.defaultLimit(for: 1 << 40) == 8 << 30)
    #expect(Gzip.defaultLimit(for: .max) == 8 << 30)
  }

  @Test func isKnownByItsFirstBytes() {
    #expect(Gzip.isGzip(FileBytes([0x1F, 0x8B, 8])))
    #expect(!Gzip.isGzip(FileBytes([0x1F])) && !Gzip.isGzip(FileBytes([0x1F, 0x8C])))
  }

  #if GZIP
    /// One mebibyte of zeros as zlib compresses it.
    static let zeros: [UInt8] =
      [
        0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 3, 0xED, 0xC1, 0x31, 1, 0, 0, 0, 0xC2, 0xA0, 0xF5, 0x4F,
        0x6D, 8, 0x5F, 0xA0,
      ] + [UInt8](repeating: 0, count: 1016)
      + [0x3E, 3, 0x1C, 0xEA, 0x38, 0xA7, 0, 0, 0x10, 0]

    @Test func inflatesAndJoinsMembers() throws {
      let one = try Gzip.inflate(FileBytes(Self.zeros, name: "zeros.gz"))
      #expect(one.name == "zeros.gz")
      #expect(one.count == 1 << 20)
      #expect(one.withUnsafeBytes { $0.allSatisfy { $0 == 0 } })
      let three = try Gzip.inflate(FileBytes(Self.zeros + Self.zeros + Self.zeros))
      #expect(three.count == 3 << 20)
    }

    @Test func zerosBehindTheEndAreIgnored() throws {
      let padded = Self.zeros + [UInt8](repeating: 0, count: 1000)
      #expect(try Gzip.inflate(FileBytes(padded)).count == 1 << 20)
    }

    @Test func theLimitIsExact() throws {
      let file = FileBytes(Self.zeros)
      #expect(try Gzip.inflate(file, limit: 1 << 20).count == 1 << 20)
      #expect(try Gzip.inflate(file, limit: .max).count == 1 << 20)
      for limit in [0, 1, 1 << 20 - 1] {
        #expect(throws: GzipError("bytes in memory", .tooLarge(limit: limit))) {
          try Gzip.inflate(file, limit: limit)
        }
      }
    }

    @Test(.enabled(if: Python.has("numpy"), "RESNET_PYTHON names no Python with numpy"))
    func inflatesWhatPythonCompresses() throws {
      let folder = try TemporaryFolder()
      let script = """
        import gzip, random, sys
        random.seed(1)
        data = random.randbytes(300000) + bytes(300000) + b"text " * 50000
        open(sys.argv[1] + "/data", "wb").write(data)
        with gzip.GzipFile("a name", "wb", 6, open(sys.argv[1] + "/data.gz", "wb")) as f:
          f.write(data)
        open(sys.argv[1] + "/empty.gz", "wb").write(gzip.compress(b""))
        """
      try Python.run(script, folder.path)
      let found = try Gzip.inflate(FileBytes(at: folder["data.gz"]))
      #expect(try found[0..<found.count] == folder.bytes("data"))
      #expect(try Gzip.inflate(FileBytes(at: folder["empty.gz"])).count == 0)
    }
  #else
    @Test func namesTheTraitThatIsMissing() {
      #expect(throws: GzipError("bytes in memory", .notBuilt)) {
        try Gzip.inflate(FileBytes([0x1F, 0x8B]))
      }
      #expect("\(GzipProblem.notBuilt)".contains("GZIP"))
    }
  #endif
}
