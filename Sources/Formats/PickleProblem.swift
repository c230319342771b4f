/// A pickle that cannot be read, and why.
public typealias PickleError = FormatError<PickleProblem>

/// What can be wrong with a pickle. Offsets count from the start of the file.
public enum PickleProblem: Error, Equatable, Sendable, CustomStringConvertible {
  // The stream.
  case missingProtocol(offset: Int)
  case unknownProtocol(UInt8, offset: Int)
  case tooLong(byteCount: Int)
  case missingStop(offset: Int)
  case truncated(operation: String, offset: Int)
  case lengthBeyondEnd(UInt64, offset: Int, available: Int)
  case negativeLength(Int, offset: Int)
  case numberTooLong(byteCount: Int, offset: Int)
  case invalidText(offset: Int)
  case invalidName(offset: Int)
  case unknownOperation(UInt8, offset: Int)
  case refusedOperation(String, offset: Int)
  case leftOver(count: Int)

  // What it would do.
  case forbiddenGlobal(module: String, name: String, offset: Int)
  case emptyStack(operation: String, offset: Int)
  case missingMark(operation: String, offset: Int)
  case unknownMemo(UInt32, offset: Int)
  case wrongOperand(operation: String, expected: String, offset: Int)
  case wrongArguments(function: String, offset: Int)
  case wrongPersistentID(offset: Int)

  // What it would build.
  case tooManyObjects(limit: Int, offset: Int)
  case tooManyTensors(limit: Int, offset: Int)
  case tooDeep(limit: Int)
  case cyclic
  case expandsTooFar(limit: Int)
  case unfinished(String)
  case unsupportedKey
  case keyTooLong(limit: Int)
  case duplicateKey(String)

  public var description: String { "\(cause); \(remedy)" }

  private var cause: String {
    switch self {
    case .missingProtocol(let offset):
      "no pickle of protocol 2 or later starts at byte \(offset)"
    case .unknownProtocol(let number, let offset):
      "the pickle at byte \(offset) is of protocol \(number), and those from 2 to 5 are read"
    case .tooLong(let byteCount):
      "the pickle has \(byteCount) bytes, more than \(PickleReader.maximumLength)"
    case .missingStop(let offset): "the pickle ends at byte \(offset) without its end mark"
    case .truncated(let operation, let offset):
      "the pickle ends inside the operation \(operation) at byte \(offset)"
    case .lengthBeyondEnd(let length, let offset, let available):
      "byte \(offset) of the pickle promises \(length) bytes, but only \(available) follow"
    case .negativeLength(let length, let offset):
      "byte \(offset) of the pickle promises \(length) bytes"
    case .numberTooLong(let byteCount, let offset):
      "the number at byte \(offset) of the pickle has \(byteCount) bytes"
    case .invalidText(let offset): "the text at byte \(offset) of the pickle is not UTF-8"
    case .invalidName(let offset):
      "the name at byte \(offset) of the pickle is malformed or longer than "
        + "\(PickleReader.maximumNameLength) bytes"
    case .unknownOperation(let byte, let offset):
      "byte \(offset) of the pickle is no operation (0x\(String(byte, radix: 16)))"
    case .refusedOperation(let operation, let offset):
      "the pickle uses the operation \(operation) at byte \(offset), which no state dict needs"
    case .leftOver(let count): "the pickle leaves \(count) values on its stack, not one"
    case .forbiddenGlobal(let module, let name, let offset):
      "the pickle asks for '\(Printable(module)).\(Printable(name))' at byte \(offset), which is "
        + "not among the names that a state dict needs"
    case .emptyStack(let operation, let offset):
      "the operation \(operation) at byte \(offset) of the pickle has no operand"
    case .missingMark(let operation, let offset):
      "the operation \(operation) at byte \(offset) of the pickle has no mark to go back to"
    case .unknownMemo(let index, let offset):
      "byte \(offset) of the pickle refers to entry \(index) of the memo, which does not exist"
    case .wrongOperand(let operation, let expected, let offset):
      "the operation \(operation) at byte \(offset) of the pickle needs \(expected)"
    case .wrongArguments(let function, let offset):
      "the arguments of \(function) at byte \(offset) of the pickle are not those it takes"
    case .wrongPersistentID(let offset):
      "the reference at byte \(offset) of the pickle is not to a storage"
    case .tooManyObjects(let limit, let offset):
      "the pickle makes more than \(limit) objects up to byte \(offset)"
    case .tooManyTensors(let limit, let offset):
      "the pickle makes more than \(limit) tensors or storages up to byte \(offset)"
    case .tooDeep(let limit): "values are nested deeper than \(limit) in the pickle"
    case .cyclic: "a value of the pickle contains itself"
    case .expandsTooFar(let limit):
      "values of the pickle are repeated until there are more than \(limit)"
    case .unfinished(let name): "the pickle holds \(name) where a value is expected"
    case .unsupportedKey: "a key in the pickle is neither text nor a whole number"
    case .keyTooLong(let limit):
      "the keys that lead to a value of the pickle have more than \(limit) bytes together"
    case .duplicateKey(let key): "the key '\(Printable(key))' occurs twice in the pickle"
    }
  }

  private var remedy: String {
    switch self {
    case .truncated, .lengthBeyondEnd, .missingStop: "the file is cut off: fetch or save it again"
    case .forbiddenGlobal:
      "if you trust the file, load it in Python and save only model.state_dict()"
    case .refusedOperation, .missingProtocol, .unknownProtocol:
      "save the state dict again with torch.save and its own protocol"
    default: "do not trust the file, or save the state dict again with torch.save"
    }
  }
}
