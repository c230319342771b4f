import ResidualFormats
import ResidualFuzzSupport
import ResidualTensors
import Testing

@Suite struct FormatsTorchAttacks {
  struct Attack: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    let problem: TorchProblem

    init(_ name: String, _ bytes: [UInt8], _ problem: TorchProblem) {
      (testDescription, self.bytes, self.problem) = (name, bytes, problem)
    }

    /// An archive with one tensor `t`, whose storage `0` has four elements of float32.
    init(_ name: String, tensor: [UInt8], _ problem: TorchProblem) {
      self.init(name, HostileZIP.torch(pickle: Pickle.dictionary(tensor)).bytes, problem)
    }
  }

  typealias Entry = HostileZIP.Entry

  static let sixteen = [UInt8](repeating: 0, count: 16)

  static func adding(_ entry: Entry) -> [UInt8] {
    HostileZIP(HostileZIP.torch().entries + [entry]).bytes
  }

  static let magic: [UInt8] =
    [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
  static let version: [UInt8] = [0x80, 2, 0x4D, 0xE9, 3, 0x2E]
  static func machine(littleEndian: UInt8 = 0x88) -> [UInt8] {
    Pickle.proto + Pickle.members(Pickle.text("little_endian"), [littleEndian]) + Pickle.stop
  }
  static let head = magic + version + machine()

  static func stream(
    head: [UInt8] = head, pickle: [UInt8] = Pickle.dictionary(), keys: [UInt8] = keys("0"),
    storages: [UInt8] = littleEndian(Int64(4)) + sixteen
  ) -> [UInt8] {
    head + pickle + keys + storages
  }

  static func keys(_ keys: String...) -> [UInt8] {
    let texts = keys.flatMap { Pickle.text($0) }
    return Pickle.proto + Pickle.list + Pickle.mark + texts + Array("e.".utf8)
  }

  static let archives: [Attack] = [
    Attack("no bytes", [], .notTorch),
    Attack("text", Array("hello".utf8), .notTorch),
    Attack("safetensors", littleEndian(UInt64(2)) + Array("{}".utf8), .notTorch),
    Attack("another pickle", Pickle.dictionary(), .plainPickle),
    Attack("only the start of a pickle", [0x80], .plainPickle),
    Attack("cut archive", Array(HostileZIP.torch().bytes.prefix(200)), .zip(.missingEnd)),
    Attack("no pickle", HostileZIP.torch(pickle: nil).bytes, .noPickle),
    Attack("no version", HostileZIP.torch(version: nil).bytes, .noVersion),
    Attack("version of text", HostileZIP.torch(version: "new").bytes, .unknownVersion(nil)),
    Attack("version 11", HostileZIP.torch(version: "11\n").bytes, .unknownVersion(11)),
    Attack("version −1", HostileZIP.torch(version: "-1").bytes, .unknownVersion(-1)),
    Attack(
      "version of a mebibyte",
      HostileZIP.torch(version: String(repeating: "1", count: 1 << 20)).bytes,
      .unknownVersion(nil)),
    Attack("big-endian", HostileZIP.torch(order: "big").bytes, .bigEndian),
    Attack("TorchScript by its constants", adding(Entry("a/constants.pkl")), .torchScript),
    Attack("TorchScript by its code", adding(Entry("a/code/__torch__.py")), .torchScript),
    Attack(
      "TorchScript by its compressed code",
      adding(Entry("a/code/x.py").record { $0[10] = 8 }), .torchScript),
    Attack("two folders", adding(Entry("b/data.pkl")), .severalFolders(count: 2)),
    Attack("an entry in no folder", adding(Entry("data.pkl")), .noFolder("data.pkl")),
    Attack("pickle twice", adding(Entry("a/data.pkl")), .zip(.duplicateName("a/data.pkl"))),
    Attack(
      "storage outside the folder", adding(Entry("a/../../data/0")),
      .zip(.unsafeName("a/../../data/0"))),
    Attack(
      "compressed storage", adding(Entry("a/data/1").record { $0[10] = 8 }),
      .zip(.compressed(name: "a/data/1", method: 8))),
    Attack(
      "bytes behind the pickle", HostileZIP.torch(pickle: Pickle.dictionary() + [0]).bytes,
      .bytesBehindPickle(offset: 40 + Pickle.dictionary().count)),
    Attack("no storage", HostileZIP.torch(storage: nil).bytes, .missingStorage("0", tensor: "t")),
    Attack(
      "storage too short", HostileZIP.torch(storage: Array(sixteen.dropLast())).bytes,
      .wrongStorageSize("0", count: 4, type: .float32, found: 15)),
    Attack(
      "storage too long", HostileZIP.torch(storage: sixteen + [0]).bytes,
      .wrongStorageSize("0", count: 4, type: .float32, found: 17)),
    Attack(
      "os.system",
      HostileZIP.torch(pickle: Pickle.proto + Pickle.global("os", "system") + Pickle.stop).bytes,
      .pickle(.forbiddenGlobal(module: "os", name: "system", offset: 42))),
    Attack(
      "two descriptions of a storage",
      HostileZIP.torch(
        pickle: Pickle.proto
          + Pickle.members(
            Pickle.text("a"), Pickle.tensor(), Pickle.text("b"),
            Pickle.tensor(Pickle.storage("IntStorage"))) + Pickle.stop
      ).bytes, .storagesDiffer("0", tensor: "b")),
  ]

  static let tensors: [Attack] = [
    Attack(
      "storage of 2⁶³ − 1 elements", tensor: Pickle.tensor(Pickle.storage(count: .max)),
      .wrongStorageSize("0", count: .max, type: .float32, found: 16)),
    Attack(
      "storage of ten gigabytes", tensor: Pickle.tensor(Pickle.storage(count: 2_500_000_000)),
      .wrongStorageSize("0", count: 2_500_000_000, type: .float32, found: 16)),
    Attack(
      "storage by a path", tensor: Pickle.tensor(Pickle.storage("FloatStorage", "../data/0")),
      .missingStorage("../data/0", tensor: "t")),
    Attack(
      "one element too many", tensor: Pickle.tensor(extents: [5]),
      .beyondStorage(tensor: "t", storage: "0", last: 4, count: 4)),
    Attack(
      "offset behind the end", tensor: Pickle.tensor(offset: 1),
      .beyondStorage(tensor: "t", storage: "0", last: 4, count: 4)),
    Attack(
      "offset of 2⁶³ − 1", tensor: Pickle.tensor(offset: .max),
      .beyondStorage(tensor: "t", storage: "0", last: nil, count: 4)),
    Attack(
      "offset of −1", tensor: Pickle.tensor(offset: -1),
      .wrongShape(tensor: "t", extents: [4], strides: [1])),
    Attack(
      "stride too long", tensor: Pickle.tensor(extents: [2, 2], [3, 1]),
      .beyondStorage(tensor: "t", storage: "0", last: 4, count: 4)),
    Attack(
      "stride of 2⁶³ − 1", tensor: Pickle.tensor(extents: [3], [.max]),
      .beyondStorage(tensor: "t", storage: "0", last: nil, count: 4)),
    Attack(
      "strides whose sum overflows", tensor: Pickle.tensor(extents: [2, 2], [.max, .max]),
      .beyondStorage(tensor: "t", storage: "0", last: nil, count: 4)),
    Attack(
      "negative stride", tensor: Pickle.tensor(offset: 3, extents: [4], [-1]),
      .wrongShape(tensor: "t", extents: [4], strides: [-1])),
    Attack(
      "negative extent", tensor: Pickle.tensor(extents: [-4]),
      .wrongShape(tensor: "t", extents: [-4], strides: [1])),
    Attack(
      "two negative extents", tensor: Pickle.tensor(extents: [-2, -2], [-2, 1]),
      .wrongShape(tensor: "t", extents: [-2, -2], strides: [-2, 1])),
    Attack(
      "stride missing", tensor: Pickle.tensor(extents: [2, 2], [2]),
      .wrongShape(tensor: "t", extents: [2, 2], strides: [2])),
    Attack(
      "product of extents above Int", tensor: Pickle.tensor(extents: [1 << 32, 1 << 32], [0, 0]),
      .sizeOverflow(tensor: "t", extents: [1 << 32, 1 << 32])),
    Attack(
      "product above Int behind a zero",
      tensor: Pickle.tensor(extents: [0, 1 << 32, 1 << 32], [0, 0, 0]),
      .sizeOverflow(tensor: "t", extents: [0, 1 << 32, 1 << 32])),
    Attack(
      "ten gigabytes by strides of zero", tensor: Pickle.tensor(extents: [2_500_000_000], [0]),
      .tooManyElements(tensor: "t", limit: 1 << 20)),
    Attack(
      "many tensors of one element each",
      HostileZIP.torch(
        pickle: Pickle.proto + Pickle.list + Pickle.tensor(extents: [1 << 19], [0]) + Pickle.put(0)
          + Array("a".utf8)
          + Array(repeatElement(Pickle.get(0) + Array("a".utf8), count: 3).joined())
          + Pickle.stop
      ).bytes, .tooManyElements(tensor: "2", limit: 1 << 20)),
    Attack(
      "one empty tensor again and again",
      HostileZIP.torch(
        pickle: Pickle.proto + Pickle.list + Pickle.tensor(extents: [0]) + Pickle.put(0)
          + Array("a".utf8)
          + Array(repeatElement(Pickle.get(0) + Array("a".utf8), count: 1 << 16).joined())
          + Pickle.stop
      ).bytes, .tooManyTensors(limit: 1 << 16)),
    Attack(
      "view before the storage", tensor: Pickle.tensor(view(-1, 2)),
      .viewBeyondStorage(tensor: "t", storage: "0")),
    Attack(
      "view behind the storage", tensor: Pickle.tensor(view(3, 2)),
      .viewBeyondStorage(tensor: "t", storage: "0")),
    Attack(
      "view of 2⁶³ − 1 elements", tensor: Pickle.tensor(view(1, .max)),
      .viewBeyondStorage(tensor: "t", storage: "0")),
    Attack(
      "tensor behind its view", tensor: Pickle.tensor(view(1, 3)),
      .beyondStorage(tensor: "t", storage: "0", last: 3, count: 3)),
  ]

  static func view(_ offset: Int64, _ count: Int64) -> [UInt8] {
    let numbers: [UInt8] = [0x8A, 8] + littleEndian(offset) + [0x8A, 8] + littleEndian(count)
    return Pickle.storage(view: Pickle.text("v") + numbers + [0x87])
  }

  static let streams: [Attack] = [
    Attack("magic number only", magic, .pickle(.missingProtocol(offset: 15))),
    Attack("another magic number", stream(head: [0x80, 2, 0x4B, 1, 0x2E]), .plainPickle),
    Attack(
      "version 1002", stream(head: magic + [0x80, 2, 0x4D, 0xEA, 3, 0x2E] + machine()),
      .unknownStream),
    Attack(
      "facts that are a number", stream(head: magic + version + version), .unknownStream),
    Attack("big-endian", stream(head: magic + version + machine(littleEndian: 0x89)), .bigEndian),
    Attack(
      "byte order that is nothing", stream(head: magic + version + machine(littleEndian: 0x4E)),
      .unknownStream),
    Attack(
      "cut before the keys", head + Pickle.dictionary(),
      .pickle(.missingProtocol(offset: (head + Pickle.dictionary()).count))),
    Attack("keys that are a dictionary", stream(keys: Pickle.dictionary()), .wrongKeys),
    Attack(
      "keys that are numbers",
      stream(keys: Pickle.proto + Pickle.list + [0x4B, 0, 0x61, 0x2E]), .wrongKeys),
    Attack(
      "no keys", stream(keys: keys()),
      .bytesBehindStorages(offset: (head + Pickle.dictionary() + keys()).count)),
    Attack(
      "no keys and no storages", stream(keys: keys(), storages: []),
      .missingStorage("0", tensor: "t")),
    Attack("another key", stream(keys: keys("1")), .unknownStorage("1")),
    Attack("a key twice", stream(keys: keys("0", "0")), .duplicateStorage("0")),
    Attack(
      "cut count", stream(storages: [4, 0, 0]), .truncatedStorage("0", available: 3)),
    Attack(
      "cut storage", stream(storages: littleEndian(Int64(4)) + sixteen.dropLast()),
      .truncatedStorage("0", available: 15)),
    Attack(
      "another count", stream(storages: littleEndian(Int64(3)) + sixteen),
      .wrongStorageCount("0", expected: 4, found: 3)),
    Attack(
      "negative count", stream(storages: littleEndian(Int64(-1)) + sixteen),
      .wrongStorageCount("0", expected: 4, found: -1)),
    Attack(
      "2⁶³ − 1 elements on both sides",
      stream(
        pickle: Pickle.dictionary(Pickle.tensor(Pickle.storage(count: .max))),
        storages: littleEndian(Int64.max) + sixteen), .truncatedStorage("0", available: 16)),
    Attack(
      "bytes behind the storages", stream(storages: littleEndian(Int64(4)) + sixteen + [0]),
      .bytesBehindStorages(offset: stream().count)),
    Attack("tar of PyTorch 0.1", tar, .oldTar),
    Attack(
      "os.system in the head",
      stream(head: magic + Pickle.proto + Pickle.global("os", "system") + Pickle.stop),
      .pickle(.forbiddenGlobal(module: "os", name: "system", offset: 17))),
    Attack(
      "os.system in the keys",
      stream(keys: Pickle.proto + Pickle.global("os", "system") + Pickle.stop),
      .pickle(
        .forbiddenGlobal(
          module: "os", name: "system", offset: (head + Pickle.dictionary()).count + 2))),
  ]

  static let tar: [UInt8] =
    Array("pickle".utf8) + [UInt8](repeating: 0, count: 251) + Array("ustar".utf8)
    + [UInt8](repeating: 0, count: 250)

  @Test(arguments: archives + tensors + streams)
  func isRefused(_ attack: Attack) {
    let error = #expect(throws: TorchError.self) {
      try TorchFile(FileBytes(attack.bytes, name: "hostile"))
    }
    guard let error else { return }
    #expect(error.problem == attack.problem)
    expectGoodMessage(error)
  }

  @Test func harmlessOnesAreRead() throws {
    for bytes in [HostileZIP.torch(order: nil).bytes, Self.stream()] {
      let file = try TorchFile(FileBytes(bytes))
      let tensor = try #require(file.root.tensors.first?.tensor)
      #expect(try file.floats(tensor) == Tensor([4], [0, 0, 0, 0]))
    }
    // A view of the older layout: two elements from the second on, of which the second is read.
    let storage: [Float] = [1, 2, 3, 4]
    let elements = storage.flatMap { littleEndian($0.bitPattern) }
    let pickle = Pickle.dictionary(Pickle.tensor(Self.view(1, 2), offset: 1, extents: [1]))
    let file = try TorchFile(
      FileBytes(Self.stream(pickle: pickle, storages: littleEndian(Int64(4)) + elements)))
    let tensor = try #require(file.root["t"]?.tensors.first?.tensor)
    #expect(try file.floats(tensor).scalars == [3])
    // A long stride along an axis that takes no step, and a tensor without elements.
    for (extents, strides) in [([4, 1], [1, .max]), ([0, 9], [.max, .max])] as [([Int64], [Int64])]
    {
      let pickle = Pickle.dictionary(Pickle.tensor(extents: extents, strides))
      let file = try TorchFile(FileBytes(Self.stream(pickle: pickle)))
      let tensor = try #require(file.root["t"]?.tensors.first?.tensor)
      #expect(try file.floats(tensor).scalars.count == extents.reduce(1, *))
    }
  }
}
