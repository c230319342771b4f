import Foundation
import ResidualFormats
import ResidualTensors
import ResidualTestSupport
import Testing

@Suite struct SafetensorsTests {
  static var entries: [SafetensorsEntry] {
    [
      SafetensorsEntry("fc.weight", Tensor<Float>([2, 2], [1, -2, 0.5, .infinity])),
      SafetensorsEntry("bn.num_batches_tracked", Tensor<Int64>([], [-7])),
      SafetensorsEntry("empty", Tensor<Float>([0, 3], [])),
      SafetensorsEntry("bias \"é\\\u{1}😀", shape: [3], floats: { [1, 2, 3] }),
    ]
  }
  static let metadata = ["format": "pt", "text": "two\nlines \u{7F} \u{1F} \"\\/ 😀"]

  @Test func roundTrip() throws {
    let bytes = try Safetensors.encoded(Self.entries, metadata: Self.metadata)
    let file = try Safetensors(FileBytes(bytes))
    #expect(file.metadata == Self.metadata)
    #expect(
      file.names == ["bn.num_batches_tracked", "bias \"é\\\u{1}😀", "empty", "fc.weight"])
    #expect(try file.floats("fc.weight") == Tensor([2, 2], [1, -2, 0.5, .infinity]))
    #expect(try file.integers("bn.num_batches_tracked") == Tensor([], [-7]))
    #expect(try file.floats("bn.num_batches_tracked") == Tensor([], [-7]))
    #expect(try file.floats("empty") == Tensor([0, 3], []))
    #expect(try file.floats("bias \"é\\\u{1}😀").scalars == [1, 2, 3])
    #expect(file["fc.weight"]?.type == .float32)
    #expect(file["fc.weight"]?.range.upperBound == bytes.count)
    #expect(file["absent"] == nil)
  }

  @Test func theBytesOfTheLayout() throws {
    let header =
      #"{"__metadata__":{"k":"v"},"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"#
      + #""w":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#
    let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    let expected =
      [UInt8(padded.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(padded.utf8)
      + [5, 0, 0, 0, 0, 0, 0, 0] + [0, 0, 0x80, 0x3F]
    let entries = [
      SafetensorsEntry("w", Tensor<Float>([1], [1])), SafetensorsEntry("n", Tensor<Int64>([], [5])),
    ]
    #expect(try Safetensors.encoded(entries, metadata: ["k": "v"]) == expected)
  }

  @Test func aFileEqualsTheBytesAndElementsAreAskedForInTheOrderOfTheFile() throws {
    let folder = try TemporaryFolder()
    let path = folder["m.safetensors"]
    var asked: [String] = []
    func entry(_ name: String) -> SafetensorsEntry {
      SafetensorsEntry(
        name, shape: [1],
        floats: {
          asked.append(name)
          return [1]
        })
    }
    try Safetensors.write([entry("b"), entry("c"), entry("a")], to: path)
    #expect(asked == ["a", "b", "c"])
    try Safetensors.write(Self.entries, metadata: Self.metadata, to: path)
    #expect(
      try folder.bytes("m.safetensors")
        == Safetensors.encoded(Self.entries, metadata: Self.metadata))
    #expect(try Safetensors(at: path).names.count == 4)
  }

  @Test func anErrorWhileWritingLeavesTheOldFile() throws {
    struct Stop: Error {}
    let folder = try TemporaryFolder()
    let path = try folder.write([1], "m.safetensors")
    #expect(throws: Stop.self) {
      try Safetensors.write([SafetensorsEntry("w", shape: [1], floats: { throw Stop() })], to: path)
    }
    #expect(try folder.names == ["m.safetensors"])
    #expect(try folder.bytes("m.safetensors") == [1])
  }

  /// One element of each type, as bytes, with its number.
  @Test(arguments: [
    (SafetensorsType.bool, [UInt8(1)], Float(1)), (.uint8, [200], 200), (.int8, [0xFE], -2),
    (.int16, [0xFE, 0xFF], -2), (.uint16, [0xFF, 0xFF], 65535), (.float16, [0x00, 0x3E], 1.5),
    (.bfloat16, [0xC0, 0xBF], -1.5), (.int32, [0xFE, 0xFF, 0xFF, 0xFF], -2),
    (.uint32, [0, 0, 0, 0x80], 0x1p31), (.float32, [0, 0, 0xC0, 0xBF], -1.5),
    (.float64, [0x9A, 0x99, 0x99, 0x99, 0x99, 0x99, 0xB9, 0x3F], 0.1),
    (.int64, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], -1),
    (.uint64, [0, 0, 0, 0, 0, 0, 0, 0x80], 0x1p63),
  ])
  func convertsNumbers(_ type: SafetensorsType, _ bytes: [UInt8], _ number: Float) throws {
    let file = try Safetensors(Self.file(type, bytes))
    #expect(try file.floats("t").scalars == [number])
    let wanted: Result<[Int64], SafetensorsError> =
      switch type {
      case .float16, .bfloat16, .float32, .float64:
        .failure(
          SafetensorsError("hand", .notConvertible(tensor: "t", type: type, to: "int64")))
      case .uint64: .failure(SafetensorsError("hand", .valueOutOfRange(tensor: "t")))
      default: .success([Int64(number)])
      }
    let found = Result { () throws(SafetensorsError) in try file.integers("t").scalars }
    #expect(found == wanted)
  }

  @Test(arguments: SafetensorsType.allCases) func knowsEveryType(_ type: SafetensorsType) throws {
    // Eight elements are a whole number of bytes of any type.
    let bytes = [UInt8](repeating: 0, count: type.bitCount)
    let file = try Safetensors(Self.file(type, bytes, shape: "[2,4]"))
    #expect(file["t"]?.type == type)
    #expect(file["t"]?.shape == [2, 4])
    #expect(type.elementType.map { $0.size * 8 == type.bitCount } ?? true)
  }

  #if !(arch(x86_64) && os(macOS))
    @Test func everyHalfPrecisionNumber() {
      for bits in UInt16.min...UInt16.max {
        let (found, expected) = (HalfPrecision.float(bits), Float(Float16(bitPattern: bits)))
        // Conversion in hardware makes signalling NaNs quiet.
        #expect(expected.isNaN ? found.isNaN : found.bitPattern == expected.bitPattern)
      }
    }
  #endif

  @Test func spaceAndEscapesInTheHeader() throws {
    let header =
      #"{ "a\u00e9\ud83d\ude00\n\/" : { "shape" : [ 1 , 1 ] , "data_offsets" : [ 0 , 1 ] "#
      + ",\t\"dtype\":\"U8\" }\r\n} \n"
    let file = try Safetensors(Self.file(header, [9]))
    #expect(file.names == ["aé😀\n/"])
    #expect(try file.integers("aé😀\n/") == Tensor([1, 1], [9]))
    #expect(try Safetensors(Self.file("{}", [])).names == [])
  }

  static func file(_ header: String, _ data: [UInt8]) -> FileBytes {
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    return FileBytes(length + Array(header.utf8) + data, name: "hand")
  }

  static func file(_ type: SafetensorsType, _ data: [UInt8], shape: String = "[1]") -> FileBytes {
    file(
      #"{"t":{"dtype":"\#(type.rawValue)","shape":\#(shape),"data_offsets":[0,\#(data.count)]}}"#,
      data)
  }
}

@Suite(
  .enabled(
    if: Python.has("numpy", "safetensors.numpy"),
    "RESNET_PYTHON names no Python with numpy and safetensors"))
struct SafetensorsPythonTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test func pythonReadsOursAndWritesTheSameBytes() throws {
    let entries = SafetensorsTests.entries
    // The reference writer keeps metadata in a hash table, so one key only.
    try Safetensors.write(entries, metadata: ["format": "pt"], to: folder["ours"])
    let script = """
      import sys, numpy
      from safetensors import safe_open
      from safetensors.numpy import load_file, save_file
      with safe_open(sys.argv[1], "np") as f: metadata = f.metadata()
      tensors = load_file(sys.argv[1])
      print(metadata, tensors["fc.weight"].tolist(), len(tensors))
      print(tensors["bn.num_batches_tracked"])
      save_file(tensors, sys.argv[2], metadata)
      """
    let output = try Python.run(script, folder["ours"], folder["theirs"])
    #expect(output == "{'format': 'pt'} [[1.0, -2.0], [0.5, inf]] 4\n-7\n")
    #expect(try folder.bytes("theirs") == folder.bytes("ours"))
  }

  @Test func pythonReadsAllMetadata() throws {
    let path = folder["ours"]
    try Safetensors.write(
      SafetensorsTests.entries, metadata: SafetensorsTests.metadata, to: path)
    let script = """
      import sys
      from safetensors import safe_open
      with safe_open(sys.argv[1], "np") as f: print(ascii(f.metadata()["text"]))
      """
    #expect(
      try Python.run(script, path) == #"'two\nlines \x7f \x1f "\\/ \U0001f600'"# + "\n")
  }

  @Test func weReadEveryTypeThatPythonWrites() throws {
    let script = """
      import sys, numpy
      from safetensors.numpy import save_file
      types = "bool uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 float32 float64"
      save_file({t: numpy.array([[0, 1], [1, 0]], t) for t in types.split()}, sys.argv[1],
                {"a": "1", "é": "ü\\n"})
      """
    try Python.run(script, folder["theirs"])
    let file = try Safetensors(at: folder["theirs"])
    #expect(file.records.count == 12)
    #expect(file.metadata == ["a": "1", "é": "ü\n"])
    for name in file.names {
      #expect(try file.floats(name) == Tensor([2, 2], [0, 1, 1, 0]))
      if !name.hasPrefix("float") {
        #expect(try file.integers(name) == Tensor([2, 2], [0, 1, 1, 0]))
      }
    }
  }
}
