import ResidualFormats
import ResidualTensors

/// Named tensors from a file of any format, taken out of what they are wrapped in.
///
/// Read are safetensors, and PyTorch's checkpoints of both layouts. In a checkpoint the tensors may
/// lie under a key such as `state_dict`, and a network under a prefix such as `module.`, which
/// `DataParallel` puts there, or `backbone.`, see ``WeightsFile/under(_:)``.
package struct WeightsFile: Sendable {
  /// One tensor.
  package struct Entry: Sendable {
    /// The name, without the prefix of the part that it belongs to.
    package let name: String
    /// The name in the file.
    package let fullName: String
    /// The extents of the axes, outermost first.
    package let shape: Shape
    fileprivate let place: Place
  }

  fileprivate enum Place: Sendable {
    case safetensors(Safetensors, name: String)
    case torch(TorchFile, TorchTensor)
  }

  /// The path as it was given.
  package let path: String
  /// In the order of the file.
  package let entries: [Entry]
  /// What was taken off, in words.
  package let remarks: [String]
  /// The file, where it is of that format.
  let safetensors: Safetensors?

  /// The keys under which checkpoints keep a model's tensors; the first that is there counts.
  static let wrappers = [
    "state_dict", "model_state_dict", "model_state", "model", "state_dict_ema", "model_ema", "net",
    "weights",
  ]

  /// Reads the names and shapes of a file's tensors.
  ///
  /// - Throws: `SafetensorsError`, `TorchError` or ``WeightsError``.
  package init(_ bytes: FileBytes) throws {
    path = bytes.name
    var remarks: [String] = []
    if Self.isTorch(bytes) {
      try WeightsHash.check(bytes)
      let file = try TorchFile(bytes)
      let (tensors, remark) = try Self.unwrapped(file)
      if let remark { remarks.append(remark) }
      entries = tensors.map {
        Entry(name: $0, fullName: $0, shape: $1.shape, place: .torch(file, $1))
      }
      safetensors = nil
    } else {
      guard bytes.count < 9 || bytes[8..<9] == [UInt8(ascii: "{")] else {
        throw WeightsError.unknownKind(file: path)
      }
      let file = try Safetensors(bytes)
      entries = file.records.map {
        Entry(
          name: $0.name, fullName: $0.name, shape: $0.shape,
          place: .safetensors(file, name: $0.name))
      }
      safetensors = file
    }
    self.remarks = remarks
  }

  private init(_ whole: WeightsFile, entries: [Entry], remark: String) {
    (path, safetensors, self.entries) = (whole.path, whole.safetensors, entries)
    remarks = whole.remarks + [remark]
  }

  /// What stands before the first tensor of a network, wherever one may lie in the file: the shortest
  /// first, the empty one among them.
  ///
  /// - Parameter names: the names that a network's first tensor may have.
  /// - Complexity: O(tensors · names). At most 16 are given, whatever the file holds.
  func prefixes(before names: [String]) -> [String] {
    var found: Set<String> = [""]
    for entry in entries {
      for name in names where entry.name.hasSuffix("." + name) {
        found.insert(String(entry.name.dropLast(name.count)))
      }
    }
    return found.sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }.prefix(16).map { $0 }
  }

  /// The tensors whose names begin with a prefix; the others are left out.
  func under(_ prefix: String) -> WeightsFile {
    guard !prefix.isEmpty else { return self }
    var (inside, outside) = ([Entry](), [String]())
    for entry in entries {
      guard entry.name.hasPrefix(prefix) else {
        outside.append(entry.name)
        continue
      }
      inside.append(
        Entry(
          name: String(entry.name.dropFirst(prefix.count)), fullName: entry.fullName,
          shape: entry.shape, place: entry.place))
    }
    let shown = outside.prefix(5).map(quoted).joined(separator: ", ")
    let named = shown + (outside.count > 5 ? ", …" : "")
    return WeightsFile(
      self, entries: inside,
      remark: outside.isEmpty
        ? "all names begin with '\(Printable(prefix))', which is left out"
        : "the network lies under '\(Printable(prefix))'; \(outside.count) tensors elsewhere are left "
          + "out: \(named)")
  }

  /// A tensor's elements as float32.
  ///
  /// - Throws: `SafetensorsError` or `TorchError`.
  package func floats(_ entry: Entry) throws -> Tensor<Float> {
    switch entry.place {
    case .safetensors(let file, let name): try file.floats(name)
    case .torch(let file, let tensor): try file.floats(tensor)
    }
  }

  /// Safetensors begin with a length of 8 bytes, before a brace.
  static func beginsAsSafetensors(_ bytes: FileBytes) -> Bool {
    let start = bytes[0..<min(9, bytes.count)]
    return start.count == 9 && start[8] == UInt8(ascii: "{")
      && start[4..<8].allSatisfy { $0 == 0 }
  }

  /// ZIP files and pickles begin in their own ways, and safetensors with a length that could be taken
  /// for a pickle's start, before a brace.
  private static func isTorch(_ bytes: FileBytes) -> Bool {
    let start = bytes[0..<min(2, bytes.count)]
    return !beginsAsSafetensors(bytes)
      && (start.starts(with: [0x50, 0x4B]) || start.count > 1 && start[0] == 0x80 && start[1] < 6)
  }

  /// The members that are tensors, and which key they lie under, in words.
  private static func unwrapped(_ file: TorchFile) throws -> (
    [(String, TorchTensor)], remark: String?
  ) {
    func tensors(_ value: TorchValue) -> [(String, TorchTensor)]? {
      guard let members = value.members else { return nil }
      let tensors = members.compactMap { member -> (String, TorchTensor)? in
        guard case .text(let name) = member.key, case .tensor(let tensor) = member.value else {
          return nil
        }
        return (name, tensor)
      }
      return tensors.isEmpty ? nil : tensors
    }
    let wrapped = wrappers.compactMap { key in
      file.root[key].flatMap(tensors).map { (key: key, tensors: $0) }
    }
    if let first = wrapped.first {
      let others = wrapped.dropFirst().map { "'\($0.key)'" }.joined(separator: ", ")
      return (
        first.tensors,
        "the tensors lie under '\(first.key)'"
          + (others.isEmpty ? "" : "; those under \(others) are left out")
      )
    }
    if let found = tensors(file.root) { return (found, nil) }
    throw WeightsError.noStateDictionary(file: file.file.name, found: kind(file.root))
  }

  private static func kind(_ value: TorchValue) -> String {
    switch value {
    case .dictionary(let members):
      members.isEmpty
        ? "an empty dictionary"
        : "a dictionary of "
          + members.prefix(5).map { "'\(Printable("\($0.key)"))'" }.joined(separator: ", ")
    case .tensor: "a single tensor"
    case .opaque(let name): "an object of \(name)"
    default: "a value of another kind"
    }
  }
}

/// The hash in a checkpoint's name: torchvision's end in the first digits of the file's SHA-256, as in
/// `resnet18-f37072fd.pth`.
package enum WeightsHash {
  /// - Throws: ``WeightsError/wrongHash(file:expected:found:)``.
  static func check(_ file: FileBytes) throws(WeightsError) {
    guard let expected = digits(inName: file.name) else { return }
    let found = SHA256.digits(of: file).prefix(expected.count)
    guard found == expected else {
      throw .wrongHash(file: file.name, expected: expected, found: String(found))
    }
  }

  /// Eight or more hexadecimal digits between a hyphen and the extension, a letter or more among them
  /// or else a date would count.
  package static func digits(inName path: String) -> String? {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), let hyphen = name[..<dot].lastIndex(of: "-") else {
      return nil
    }
    let digits = name[name.index(after: hyphen)..<dot]
    let isHash =
      (8...64).contains(digits.count) && digits.allSatisfy { $0.isHexDigit && !$0.isUppercase }
      && digits.contains { $0.isLetter } && digits.allSatisfy(\.isASCII)
    return isHash ? String(digits) : nil
  }
}
