import Foundation
import ResidualFormats
import ResidualTensors
import ResidualTestSupport
import Testing

@Suite struct TorchFileWriterTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  static var entries: [TorchEntry] {
    let long = (0..<300).map { Float($0) / 7 }
    return [
      TorchEntry("conv1.weight", Tensor<Float>([2, 1, 1, 2], [1, -2, 0.5, .infinity])),
      TorchEntry("bn.num_batches_tracked", Tensor<Int64>([], [-7])),
      TorchEntry("empty", Tensor<Float>([0, 3], [])),
      TorchEntry("bias é😀\n'", shape: [3], floats: { [1, -0.0, Float(bitPattern: 0x7FC0_1234)] }),
      TorchEntry("long", Tensor<Float>([300], long)),
      TorchEntry("whole", Tensor<Int64>([3, 1], [.min, 0, .max])),
    ]
  }

  /// Every tensor of the entries, in bits.
  static func expect(_ file: TorchFile, has entries: [TorchEntry]) throws {
    let tensors = file.root.tensors
    #expect(tensors.map(\.name) == entries.map(\.name))
    let reference = try Safetensors(FileBytes(Safetensors.encoded(entries)))
    for (name, tensor) in tensors {
      #expect(tensor.shape == reference[name]?.shape)
      if tensor.type == .int64 {
        #expect(try file.integers(tensor) == reference.integers(name))
      } else {
        let bits = try reference.floats(name).scalars.map(\.bitPattern)
        #expect(try file.floats(tensor).scalars.map(\.bitPattern) == bits)
      }
    }
  }

  @Test(arguments: [UInt64(UInt32.max), 1000, 1]) func roundTrip(_ largeFrom: UInt64) throws {
    try TorchFile.write(Self.entries, to: folder["m.pth"], largeFrom: largeFrom)
    let file = try TorchFile(FileBytes(at: folder["m.pth"]))
    try Self.expect(file, has: Self.entries)
    for (name, tensor) in file.root.tensors {
      #expect(tensor.storage.lowerBound.isMultiple(of: 64), "\(name)")
    }
  }

  @Test func noTensors() throws {
    try TorchFile.write([], to: folder["m.pth"])
    #expect(try TorchFile(FileBytes(at: folder["m.pth"])).root == .dictionary([]))
  }

  @Test func equalContentGivesEqualBytesAndOtherContentAnotherIdentifier() throws {
    try TorchFile.write(Self.entries, to: folder["a"])
    try TorchFile.write(Self.entries, to: folder["b"])
    try TorchFile.write(Array(Self.entries.dropLast()), to: folder["c"])
    #expect(try folder.bytes("a") == folder.bytes("b"))
    func identifier(_ name: String) throws -> [UInt8] {
      let zip = try ZIPArchive(FileBytes(at: folder[name]))
      return try zip.file[#require(zip["archive/.data/serialization_id"]).range]
    }
    #expect(try identifier("a").count == 40)
    #expect(try identifier("a") != identifier("c"))
  }

  @Test func anErrorWhileWritingLeavesTheOldFile() throws {
    struct Stop: Error {}
    let path = try folder.write([1], "m.pth")
    #expect(throws: Stop.self) {
      try TorchFile.write([TorchEntry("w", shape: [1], floats: { throw Stop() })], to: path)
    }
    #expect(try folder.names == ["m.pth"])
    #expect(try folder.bytes("m.pth") == [1])
  }
}

@Suite(.enabled(if: Python.has("torch"), "RESNET_PYTHON names no Python with torch"))
struct TorchPythonTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// Reads with PyTorch's own restricted reader, and checks every entry with Python's `zipfile`.
  static let script = """
    import collections, sys, zipfile, torch
    with zipfile.ZipFile(sys.argv[1]) as archive:
        assert archive.testzip() is None
        print(len(archive.infolist()), all(i.compress_type == 0 for i in archive.infolist()))
    tensors = torch.load(sys.argv[1], weights_only=True)
    assert type(tensors) is collections.OrderedDict
    for name, tensor in tensors.items():
        assert tensor.is_contiguous() and not tensor.requires_grad
        bits = tensor.view(torch.int32) if tensor.dtype == torch.float32 else tensor
        print(ascii(name), tensor.dtype, list(tensor.shape), bits.flatten().tolist()[:4])
    torch.save(tensors, sys.argv[2])
    torch.save(tensors, sys.argv[3], _use_new_zipfile_serialization=False)
    """

  @Test(arguments: [UInt64(UInt32.max), 1000, 1])
  func pythonReadsOursAndWeReadItBack(_ largeFrom: UInt64) throws {
    let entries = TorchFileWriterTests.entries
    try TorchFile.write(entries, to: folder["ours.pth"], largeFrom: largeFrom)
    let output = try Python.run(
      Self.script, folder["ours.pth"], folder["theirs.pth"], folder["stream.th"])
    #expect(
      output == """
        12 True
        'conv1.weight' torch.float32 [2, 1, 1, 2] [1065353216, -1073741824, 1056964608, 2139095040]
        'bn.num_batches_tracked' torch.int64 [] [-7]
        'empty' torch.float32 [0, 3] []
        "bias \\xe9\\U0001f600\\n'" torch.float32 [3] [1065353216, -2147483648, 2143294004]
        'long' torch.float32 [300] [0, 1041385765, 1049774373, 1054567863]
        'whole' torch.int64 [3, 1] [-9223372036854775808, 0, 9223372036854775807]

        """)
    for name in ["theirs.pth", "stream.th"] {
      try TorchFileWriterTests.expect(TorchFile(FileBytes(at: folder[name])), has: entries)
    }
  }
}

/// Published weights, compared with PyTorch's reading bit for bit.
@Suite(
  .enabled(if: Python.has("torch"), "RESNET_PYTHON names no Python with torch"),
  .enabled(if: PublishedWeights.folder != nil, "RESNET_SHARED names no folder with weights"))
struct PublishedWeightsTests {
  static let script = """
    import sys, torch, zlib
    tensors = torch.load(sys.argv[1], map_location="cpu", weights_only=False)["state_dict"]
    for name, tensor in tensors.items():
        print(name, list(tensor.shape), zlib.crc32(tensor.contiguous().numpy().tobytes()))
    """

  @Test(arguments: ["resnet20-12fca82f.th", "resnet32-d509ac18.th"])
  func sameBitsAsPyTorch(_ name: String) throws {
    let path = try #require(PublishedWeights.folder) + name
    let file = try TorchFile(FileBytes(at: path))
    var lines = ""
    for (name, tensor) in try #require(file.root["state_dict"]).tensors {
      let sum = try file.floats(tensor).scalars.withUnsafeBytes { CRC32.checksum($0) }
      lines += "\(name) \(tensor.shape) \(sum)\n"
    }
    #expect(try Python.run(Self.script, path) == lines)
  }
}

enum PublishedWeights {
  static let folder = ProcessInfo.processInfo.environment["RESNET_SHARED"]
    .map { $0 + "/weights/" }.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
}
