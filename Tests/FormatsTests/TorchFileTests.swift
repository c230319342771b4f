import Foundation
import ResidualFormats
import ResidualTensors
import ResidualTestSupport
import Testing

@Suite struct TorchFileTests {
  static let fixtures = [
    "types.pth", "types-stream.th", "views.pth", "views-stream.th", "views-repacked.pth",
    "training.pth", "training-stream.th", "protocol3.pth", "protocol4.pth", "protocol5.pth",
    "protocol4-stream.th", "old-stream.th", "tensor.pth",
  ]

  @Test(arguments: fixtures) func readsWhatPyTorchReads(_ name: String) throws {
    let expected = try TorchFixture(of: name)
    let file = try TorchFile(FileBytes(at: TorchFixture.path(name)))
    #expect(file.layout == (name.hasSuffix(".th") ? .stream : .zip))
    let found = file.root.tensors
    #expect(found.map(\.name) == expected.tensors.map(\.name))
    for ((name, tensor), wanted) in zip(found, expected.tensors) {
      #expect(tensor.name == name)
      #expect(tensor.type == wanted.type, "\(name)")
      #expect(tensor.shape == Shape(wanted.shape), "\(name)")
      #expect(tensor.strides == wanted.strides, "\(name)")
      let floats = try file.floats(tensor)
      #expect(floats.shape == tensor.shape)
      #expect(
        try floats.scalars.map(\.bitPattern) == wanted.floats.map(\.bitPattern), "\(name)")
      if wanted.type.isFloatingPoint {
        let problem = TorchProblem.notConvertible(tensor: name, type: wanted.type, to: .int64)
        #expect(throws: TorchError(TorchFixture.path(file: file), problem)) {
          try file.integers(tensor)
        }
      } else {
        #expect(try file.integers(tensor) == Tensor(tensor.shape, try wanted.integers), "\(name)")
      }
    }
    let numbers = try expected.numbers.mapValues { try #require(Double($0)) }
    #expect(file.root.numbers() == numbers)
  }

  @Test(arguments: ["training.pth", "training-stream.th"])
  func whatIsNotATensor(_ name: String) throws {
    let root = try TorchFile(FileBytes(at: TorchFixture.path(name))).root
    #expect(root["arch"] == .text("resnet20"))
    #expect(root["epoch"] == .integer(3))
    #expect(root["best_acc1"] == .float(91.78125))
    #expect(root["seen"] == .integer(-3))
    #expect(root["args"] == .opaque("argparse.Namespace"))
    #expect(root["device"] == .opaque("torch.device"))
    #expect(root["dtype"] == .opaque("torch.float32"))
    #expect(root["large"] == .largeInteger([0, 0, 0, 0, 0, 0, 0, 0, 64]))
    #expect(root["scheduler"]?["milestones"]?.members?.map(\.key) == [.integer(2), .integer(3)])
    #expect(root["absent"] == nil)
    #expect(root["arch"]?["absent"] == nil)
  }

  @Test func viewsShareStorages() throws {
    let file = try TorchFile(FileBytes(at: TorchFixture.path("views.pth")))
    let tensors = Dictionary(uniqueKeysWithValues: file.root.tensors.map { ($0.name, $0.tensor) })
    let keys = ["base", "transposed", "slice", "column", "scalar", "expanded"]
      .map { tensors[$0]?.storageKey }
    #expect(Set(keys).count == 1 && keys[0] != nil)
  }

  /// What else these programs make is refused, and the message says what it is.
  @Test(arguments: [
    ("script.pt", TorchProblem.torchScript), ("pickle.pkl", .plainPickle),
    (
      "module.pth",
      .pickle(.forbiddenGlobal(module: "torch.nn.modules.linear", name: "Linear", offset: 66))
    ),
  ])
  func refuses(_ name: String, _ problem: TorchProblem) {
    let error = #expect(throws: TorchError.self) {
      try TorchFile(FileBytes(at: TorchFixture.path(name)))
    }
    #expect(error?.problem == problem)
  }

  @Test func checksumsAreVerifiedWhenTensorsAreRead() throws {
    var bytes = try [UInt8](Data(contentsOf: TorchFixture.folder.appending(path: "types.pth")))
    let whole = try TorchFile(FileBytes(bytes))
    let tensor = try #require(whole.root["float32"]?.tensors.first?.tensor)
    bytes[tensor.storage.lowerBound] ^= 1
    let file = try TorchFile(FileBytes(bytes, name: "changed"))
    let error = #expect(throws: TorchError.self) { try file.floats(tensor) }
    guard case .zip(.wrongChecksum("types/data/0", _, _))? = error?.problem else {
      Issue.record("\(error.map { "\($0)" } ?? "no error")")
      return
    }
    let other = try #require(file.root["float64"]?.tensors.first?.tensor)
    #expect(try file.floats(other).scalars == whole.floats(other).scalars)
  }

  @Test func messagesAreOneLineWithTheMend() throws {
    let error = #expect(throws: TorchError.self) {
      try TorchFile(FileBytes(at: TorchFixture.path("module.pth")))
    }
    #expect(
      error?.problem.description
        == "the pickle asks for 'torch.nn.modules.linear.Linear' at byte 66, which is not among "
        + "the names that a state dict needs; if you trust the file, load it in Python and save "
        + "only model.state_dict()")
  }
}

extension TorchFixture {
  static func path(file: TorchFile) -> String { file.file.name }
}

@Suite struct CRC32Tests {
  /// Bit by bit, as the standard defines it.
  static func slow(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in
        value >> 1 ^ (value & 1 == 0 ? 0 : 0xEDB8_8320)
      }
    }
  }

  @Test func knownAndBitByBit() {
    #expect(Array("123456789".utf8).withUnsafeBytes { CRC32.checksum($0) } == 0xCBF4_3926)
    let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 7 &+ 3) }
    for count in [0, 1, 7, 8, 9, 15, 16, 17, 63, 300] {
      let part = Array(bytes.prefix(count))
      #expect(part.withUnsafeBytes { CRC32.checksum($0) } == Self.slow(part), "\(count)")
    }
  }
}
