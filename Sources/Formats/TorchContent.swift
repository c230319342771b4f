import ResidualTensors

/// The entries of a ZIP checkpoint, under their folder.
struct TorchArchive: Sendable {
  let zip: ZIPArchive
  private let folder: String

  init(_ file: FileBytes) throws(TorchProblem) {
    do throws(ZIPError) {
      zip = try ZIPArchive(file)
    } catch {
      // The code of a TorchScript archive is compressed.
      if case .compressed(let name, _) = error.problem, name.contains("/code/") {
        throw .torchScript
      }
      throw .zip(error.problem)
    }
    var folders: Set<Substring> = []
    for entry in zip.entries {
      guard let slash = entry.name.firstIndex(of: "/") else { throw .noFolder(entry.name) }
      folders.insert(entry.name[...slash])
    }
    guard let first = folders.first, folders.count == 1 else {
      throw .severalFolders(count: folders.count)
    }
    folder = String(first)
    let (constants, code) = (folder + "constants.pkl", folder + "code/")
    let isScript = zip.entries.contains { $0.name == constants || $0.name.hasPrefix(code) }
    guard !isScript else { throw .torchScript }
  }

  func entry(_ name: String) -> ZIPArchive.Entry? { zip[folder + name] }

  func storage(_ key: String) -> ZIPArchive.Entry? { entry("data/" + key) }

  /// An entry whose checksum is verified, `nil` if there is none.
  func verified(_ name: String) throws(TorchProblem) -> ZIPArchive.Entry? {
    guard let entry = entry(name) else { return nil }
    do throws(ZIPError) {
      try zip.verify(entry)
    } catch {
      throw .zip(error.problem)
    }
    return entry
  }
}

/// What a checkpoint holds before its tensors are checked against their storages.
struct TorchContent {
  /// The archive, if the file is one.
  let archive: TorchArchive?
  private let file: FileBytes
  private let value: PickleValue<PickledTensor>
  /// Where each storage lies in the file.
  private var storages: [String: Range<Int>] = [:]
  /// The first description of each storage, from which others must not differ.
  private var described: [String: PickledStorage] = [:]

  /// Reads a ZIP checkpoint.
  init(zip file: FileBytes) throws(TorchProblem) {
    let archive = try TorchArchive(file)
    guard let pickle = try archive.verified("data.pkl") else { throw .noPickle }
    if let order = try archive.verified("byteorder") {
      let little = Array("little".utf8)
      guard order.range.count == little.count, file.has(little, at: order.range.lowerBound)
      else { throw .bigEndian }
    }
    guard let version = try archive.verified("version") else { throw .noVersion }
    let text = version.range.count < 20 ? file.text(in: version.range) : nil
    let number = text.flatMap { Int($0.hasSuffix("\n") ? $0.dropLast() : $0[...]) }
    guard let number, (1...10).contains(number) else { throw .unknownVersion(number) }
    self.file = file
    self.archive = archive
    let end: Int
    (value, end) = try Self.read(file, pickle.range)
    guard end == pickle.range.upperBound else { throw .bytesBehindPickle(offset: end) }
    for (name, tensor) in try Self.tensors(value) {
      try describe(tensor.storage, tensor: name)
      let key = tensor.storage.key
      guard storages[key] == nil else { continue }
      guard let entry = archive.storage(key) else { throw .missingStorage(key, tensor: name) }
      try check(tensor.storage, found: entry.range.count)
      storages[key] = entry.range
    }
  }

  /// Reads a stream.
  init(stream file: FileBytes) throws(TorchProblem) {
    guard !file.has(Array("ustar".utf8), at: 257) else { throw .oldTar }
    guard file.has([PickleOperation.proto.rawValue]) else { throw .notTorch }
    var offset = 0
    func next() throws(TorchProblem) -> PickleValue<PickledTensor> {
      let (value, end) = try Self.read(file, offset..<file.count)
      offset = end
      return value
    }
    // Enough for the number in any protocol, and no more of a pickle that is something else.
    guard let first = try? PickleReader.read(file, in: 0..<min(file.count, 64)),
      first.value == .largeInteger(Self.magic)
    else { throw .plainPickle }
    offset = first.end
    let version = try next()
    guard version == .integer(1001) else { throw .unknownStream }
    guard case .bool(let isLittleEndian)? = try next()["little_endian"] else {
      throw .unknownStream
    }
    guard isLittleEndian else { throw .bigEndian }
    self.file = file
    archive = nil
    value = try next()
    let tensors = try Self.tensors(value)
    for (name, tensor) in tensors { try describe(tensor.storage, tensor: name) }
    guard case .list(let keys) = try next() else { throw .wrongKeys }
    try locate(keys, from: offset)
    for (name, tensor) in tensors where storages[tensor.storage.key] == nil {
      throw .missingStorage(tensor.storage.key, tensor: name)
    }
  }

  private static let magic: [UInt8] = [
    0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19,
  ]

  private static func read(
    _ file: FileBytes, _ range: Range<Int>
  ) throws(TorchProblem) -> (PickleValue<PickledTensor>, Int) {
    do throws(PickleProblem) {
      return try PickleReader.read(file, in: range)
    } catch {
      throw .pickle(error)
    }
  }

  /// The tensors of a value, and their names; one that many places share is counted at each.
  private static func tensors(
    _ value: PickleValue<PickledTensor>
  ) throws(TorchProblem) -> [(name: String, tensor: PickledTensor)] {
    var result: [(name: String, tensor: PickledTensor)] = []
    _ = try value.mapTensors { (name, tensor) throws(TorchProblem) -> PickledTensor in
      guard result.count < PickleReader.maximumTensors else {
        throw .tooManyTensors(limit: PickleReader.maximumTensors)
      }
      result.append((name, tensor))
      return tensor
    }
    return result
  }

  private mutating func describe(
    _ storage: PickledStorage, tensor: String
  ) throws(TorchProblem) {
    let first = described[storage.key] ?? storage
    guard first.type == storage.type, first.count == storage.count else {
      throw .storagesDiffer(storage.key, tensor: tensor)
    }
    described[storage.key] = first
  }

  private func check(_ storage: PickledStorage, found: Int) throws(TorchProblem) {
    let (expected, overflow) = storage.count.multipliedReportingOverflow(
      by: Int64(storage.type.size))
    guard !overflow, expected == found else {
      throw .wrongStorageSize(
        storage.key, count: storage.count, type: storage.type, found: found)
    }
  }

  /// Finds the storages of a stream, one after another up to the end of the file.
  private mutating func locate(
    _ keys: [PickleValue<PickledTensor>], from start: Int
  ) throws(TorchProblem) {
    var offset = start
    for key in keys {
      guard case .text(let key) = key else { throw .wrongKeys }
      guard let storage = described[key] else { throw .unknownStorage(key) }
      guard storages[key] == nil else { throw .duplicateStorage(key) }
      guard let count = file.integer(Int64.self, at: offset) else {
        throw .truncatedStorage(key, available: file.count - offset)
      }
      let available = file.count - offset - 8
      guard count == storage.count else {
        throw .wrongStorageCount(key, expected: storage.count, found: count)
      }
      let (byteCount, overflow) = count.multipliedReportingOverflow(by: Int64(storage.type.size))
      guard !overflow, byteCount <= available else {
        throw .truncatedStorage(key, available: available)
      }
      storages[key] = offset + 8..<offset + 8 + Int(byteCount)
      offset += 8 + Int(byteCount)
    }
    guard offset == file.count else { throw .bytesBehindStorages(offset: offset) }
  }

  /// The value with every tensor checked against its storage.
  func located() throws(TorchProblem) -> TorchValue {
    let (product, overflow) = file.count.multipliedReportingOverflow(by: TorchFile.maximumRatio)
    let limit = overflow ? Int.max : max(product, TorchFile.alwaysAllowed)
    var left = limit
    return try value.mapTensors {
      (name: String, pickled: PickledTensor) throws(TorchProblem) -> TorchTensor in
      guard let range = storages[pickled.storage.key] else {
        throw .missingStorage(pickled.storage.key, tensor: name)
      }
      let tensor = try TorchTensor(name, pickled, range: range)
      guard tensor.shape.count <= left else {
        throw .tooManyElements(tensor: name, limit: limit)
      }
      left -= tensor.shape.count
      return tensor
    }
  }
}
