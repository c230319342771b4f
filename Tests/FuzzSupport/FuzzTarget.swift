import ResidualFormats
import ResidualInterchange

/// A format under attack: what `scripts/fuzz` and the tests of mutations run.
///
/// Bytes are accepted or refused with a message. Whatever else happens is a finding: a trap, an
/// access outside the bytes (they lie in a heap block of just their size, for AddressSanitizer), too
/// much time or memory, or a message that is not fit to print.
package enum FuzzTarget: String, CaseIterable, Sendable {
  case safetensors, pickle, zip
  /// A checkpoint of PyTorch. A bare pickle is tried inside an archive whose checksums are right,
  /// which no mutation of a whole archive would find.
  case torch
  #if ONNX
    case onnx
  #endif

  /// Reads everything that the bytes claim to hold.
  ///
  /// - Returns: the message where they are refused, `nil` where they are accepted.
  package func refusal(of bytes: some Collection<UInt8>) -> String? {
    do {
      try read(FileBytes(bytes, name: Self.fileName))
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// The name of the bytes in messages.
  package static let fileName = "hostile"

  /// What is wrong with a message of this format, `nil` where nothing is.
  package func flaw(of message: String) -> String? {
    Self.flaw(of: message)
  }

  /// What is wrong with a message, `nil` where nothing is: it is one short line that begins with the
  /// file and gives a mend.
  package static func flaw(of message: String) -> String? {
    if !message.hasPrefix("\(fileName): ") { return "the file is not named" }
    if message.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "a control character" }
    if message.utf8.count >= 2000 { return "\(message.utf8.count) bytes long" }
    if !message.utf8.contains(UInt8(ascii: ";")) { return "no mend" }
    return nil
  }

  private func read(_ file: FileBytes) throws {
    switch self {
    case .safetensors: try readSafetensors(file)
    case .pickle: _ = try PickleReader.read(file).tensors
    case .zip:
      let archive = try ZIPArchive(file)
      for entry in archive.entries { attempt { _ = try archive.content(of: entry) } }
    case .torch:
      do {
        try readTorch(file)
      } catch let error as TorchError where error.problem == .plainPickle {
        try readTorch(
          FileBytes(HostileZIP.torch(pickle: file[0..<file.count]).bytes, name: file.name))
      }
    #if ONNX
      case .onnx: try readONNX(file)
    #endif
    }
  }

  private func readSafetensors(_ file: FileBytes) throws {
    let model = try Safetensors(file)
    for name in model.names {
      attempt { _ = try model.floats(name) }
      attempt { _ = try model.integers(name) }
    }
  }

  private func readTorch(_ file: FileBytes) throws {
    let checkpoint = try TorchFile(file)
    for (_, tensor) in checkpoint.root.tensors {
      attempt { _ = try checkpoint.floats(tensor) }
      attempt { _ = try checkpoint.integers(tensor) }
    }
  }

  #if ONNX
    private func readONNX(_ file: FileBytes) throws {
      let network = try ONNXNetwork(ONNXFile(file))
      // A constant may be much larger than its file, within limits.
      let count = network.graph.slots.reduce(0) { $0 + $1.shape.count }
      if count < 1 << 20 { _ = try OpenedModel(onnx: file, WeightsOptions()) }
      _ = (try? NetworkSummary(network.network))?.multiplyAdds
      // What a model file keeps of it is read again.
      _ = network.network.definition.map { try? Network(definition: $0, classes: 3) }
    }
  #endif

  /// Reads a part, which may be refused on its own.
  private func attempt(_ body: () throws -> Void) {
    do {
      try body()
    } catch {
      let message = "\(error)"
      if let flaw = flaw(of: message) { preconditionFailure("\(flaw): \(message)") }
    }
  }
}

extension ZIPArchive {
  /// The content of an entry, of which the checksum is verified.
  package func content(of entry: Entry) throws(ZIPError) -> [UInt8] {
    try verify(entry)
    return file[entry.range]
  }
}
