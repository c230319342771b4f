import ResidualFormats
import ResidualNetworks
import ResidualTensors

/// Why weights from elsewhere cannot be used.
public enum WeightsError: Refusal, Hashable {
  /// A file that begins as none that is read.
  case unknownKind(file: String)
  /// No dictionary of tensors where one is looked for.
  case noStateDictionary(file: String, found: String)
  /// Two tensors whose names mean the same slot.
  case sameSlot(file: String, first: String, second: String, slot: String)
  /// The tensors are of no network that is known.
  case notRecognized(file: String, reason: String)
  /// A tensor that the network needs, by the slot's name.
  case missingTensor(file: String, slot: String, network: String)
  /// A tensor that the network has no place for, by its name in the file.
  case extraTensor(file: String, name: String, network: String)
  /// A tensor of another shape than its slot's.
  case wrongShape(file: String, name: String, found: Shape, slot: String, expected: Shape)
  /// A model of ours, with options, by their names, that say what it says itself.
  case describesItself(file: String, given: [OptionName])
  /// A list of names that is not one for each class.
  case wrongClassNames(file: String, found: Int, classes: Int)
  /// A file of layers, with options, by their names, that say what it says itself.
  case describesLayers(file: String, given: [OptionName])
  /// An option about a part that the network has not.
  case notOfNetwork(file: String, option: OptionName, network: String, part: String)
  /// Channels to be turned, where no convolution reads the images.
  case noFirstFilter(network: String)
  /// A file whose bytes are not those that the hexadecimal digits in its name stand for.
  case wrongHash(file: String, expected: String, found: String)

  public var kind: RefusalKind {
    if case .notOfNetwork = self { .usage } else { .input }
  }
  public var description: String { message.description }
  public var message: Message {
    switch self {
    case .unknownKind(let file):
      "\(file): this is no safetensors, PyTorch or ONNX file; check the path, or fetch it again"
    case .noStateDictionary(let file, let found):
      "\(file): there are no named tensors in it, but \(found); save a state_dict"
    case .sameSlot(let file, let first, let second, let slot):
      "\(file): tensors '\(Printable(first))' and '\(Printable(second))' both mean '\(Printable(slot))'; keep one of them"
    case .notRecognized(let file, let reason):
      "\(file): it does not describe a network, and \(reason); name the network with \(OptionName.model)"
    case .missingTensor(let file, let slot, let network):
      "\(file): tensor '\(Printable(slot))' of \(network) is missing; the file is incomplete, or of another network "
        + "(\(OptionName.model))"
    case .extraTensor(let file, let name, let network):
      "\(file): tensor '\(Printable(name))' does not belong to \(network); take it out, or name the network that has "
        + "it with \(OptionName.model)"
    case .wrongShape(let file, let name, let found, let slot, let expected):
      "\(file): tensor '\(Printable(name))' has shape \(found), but '\(Printable(slot))' needs \(expected); "
        + "the file is damaged, or of another network (\(OptionName.model))"
    case .describesItself(let file, let given):
      "\(file): this model says itself what network it is and how images are prepared; leave "
        + "\(Self.list(given)) out"
    case .wrongClassNames(let file, let found, let classes):
      "\(file): \(found) names for \(classes) classes; write one a line, none of them empty"
    case .describesLayers(let file, let given):
      "\(file): this file says itself what its layers are; leave \(Self.list(given)) out"
    case .notOfNetwork(let file, let option, let network, let part):
      "\(file): \(network) has no \(part); leave \(option) out"
    case .noFirstFilter(let network):
      "\(network) does not begin with a convolution, so that its channels cannot be turned; leave "
        + "\(OptionName.channelOrder) out"
    case .wrongHash(let file, let expected, let found):
      "\(file): the file's SHA-256 begins with \(found), not with \(expected) as its name says; "
        + "fetch it again, or rename it if it was changed on purpose"
    }
  }

  /// Names of options as text.
  private static func list(_ options: [OptionName]) -> Message {
    let names = options.map { "\($0)" as Message }
    guard let last = names.last, names.count > 1 else { return names.first ?? "" }
    return names.dropLast().joined(", ") + " and " + last
  }
}
