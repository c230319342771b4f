import ResidualTensors

/// A safetensors file that cannot be read or written, and why.
public typealias SafetensorsError = FormatError<SafetensorsProblem>

/// What can be wrong with a safetensors file. Offsets count from the start of the file, except in
/// `data_offsets`, which count from the start of the data.
public enum SafetensorsProblem: Error, Equatable, Sendable, CustomStringConvertible {
  // The frame.
  case tooShort(byteCount: Int)
  case headerTooLong(byteCount: UInt64)
  case headerBeyondEnd(byteCount: Int, available: Int)
  case headerStart
  case headerTrailing(offset: Int)

  // The text of the header.
  case headerEnds(expected: String)
  case unexpected(byte: UInt8, offset: Int, expected: String)
  case controlCharacter(offset: Int)
  case invalidEscape(offset: Int)
  case loneSurrogate(offset: Int)
  case invalidText(offset: Int)
  case numberTooLarge(offset: Int)

  // Its members.
  case duplicateTensor(String)
  /// A name that is longer than any that is in use.
  case nameTooLong(offset: Int)
  case duplicateMetadata
  case duplicateMetadataKey(String)
  case duplicateField(tensor: String, field: String)
  case unknownField(tensor: String, field: String)
  case missingField(tensor: String, field: String)
  case unknownType(tensor: String, type: String)
  case rankTooHigh(tensor: String)
  case sizeOverflow(tensor: String, extents: [Int])
  case fractionOfByte(tensor: String, bitCount: Int)
  case wrongOffsets(tensor: String)
  case offsetsReversed(tensor: String, begin: Int, end: Int)
  case sizeMismatch(tensor: String, expected: Int, found: Int)

  // The data.
  case beyondEnd(tensor: String, end: Int, available: Int)
  case hole(before: String, begin: Int, end: Int)
  case overlap(tensor: String, begin: Int, previousEnd: Int)
  case unusedData(begin: Int, end: Int)

  // What the caller asks for.
  case noSuchTensor(String, count: Int)
  case notConvertible(tensor: String, type: SafetensorsType, to: String)
  case valueOutOfRange(tensor: String)

  public var description: String { "\(cause); \(remedy)" }

  private var cause: String {
    switch self {
    case .tooShort(let byteCount):
      "\(byteCount) bytes are too few for a safetensors file, which starts with 8"
    case .headerTooLong(let byteCount):
      "the header would have \(byteCount) bytes, more than \(Safetensors.maximumHeaderLength)"
    case .headerBeyondEnd(let byteCount, let available):
      "the header would have \(byteCount) bytes, but only \(available) follow"
    case .headerStart: "the header does not start with '{' at byte 8"
    case .headerTrailing(let offset): "the header goes on after its end, at byte \(offset)"
    case .headerEnds(let expected): "the header ends where \(expected) is expected"
    case .unexpected(let byte, let offset, let expected):
      "byte \(offset) of the header is \(name(of: byte)) where \(expected) is expected"
    case .controlCharacter(let offset):
      "byte \(offset) is a control character inside a string of the header"
    case .invalidEscape(let offset): "the escape at byte \(offset) of the header is not JSON"
    case .loneSurrogate(let offset): "the escape at byte \(offset) is half a surrogate pair"
    case .invalidText(let offset): "the string at byte \(offset) of the header is not UTF-8"
    case .numberTooLarge(let offset): "the number at byte \(offset) of the header is too large"
    case .duplicateTensor(let name): "tensor \(quoted(name)) occurs twice"
    case .nameTooLong(let offset):
      "the name at byte \(offset) is longer than \(FileBytes.maximumNameLength) bytes"
    case .duplicateMetadata: "\(Safetensors.metadataKey) occurs twice"
    case .duplicateMetadataKey(let key): "metadata key \(quoted(key)) occurs twice"
    case .duplicateField(let tensor, let field):
      "tensor \(quoted(tensor)) has the field \(field) twice"
    case .unknownField(let tensor, let field):
      "tensor \(quoted(tensor)) has the unknown field \(quoted(field))"
    case .missingField(let tensor, let field): "tensor \(quoted(tensor)) has no field \(field)"
    case .unknownType(let tensor, let type):
      "tensor \(quoted(tensor)) has the unknown element type \(quoted(type))"
    case .rankTooHigh(let tensor):
      "tensor \(quoted(tensor)) has more than \(Safetensors.maximumRank) axes"
    case .sizeOverflow(let tensor, let extents):
      "tensor \(quoted(tensor)) of shape \(extents) is larger than any memory"
    case .fractionOfByte(let tensor, let bitCount):
      "tensor \(quoted(tensor)) has \(bitCount) bits, not a whole number of bytes"
    case .wrongOffsets(let tensor):
      "the data_offsets of tensor \(quoted(tensor)) are not two numbers"
    case .offsetsReversed(let tensor, let begin, let end):
      "the data of tensor \(quoted(tensor)) end at \(end), before their begin at \(begin)"
    case .sizeMismatch(let tensor, let expected, let found):
      "tensor \(quoted(tensor)) needs \(expected) bytes by its shape, but has \(found)"
    case .beyondEnd(let tensor, let end, let available):
      "tensor \(quoted(tensor)) ends at data byte \(end), but the file has only \(available)"
    case .hole(let tensor, let begin, let end):
      "data bytes \(begin)..<\(end) before tensor \(quoted(tensor)) belong to no tensor"
    case .overlap(let tensor, let begin, let previousEnd):
      "tensor \(quoted(tensor)) begins at data byte \(begin), inside another that ends at "
        + "\(previousEnd)"
    case .unusedData(let begin, let end):
      "data bytes \(begin)..<\(end) at the end belong to no tensor"
    case .noSuchTensor(let name, let count):
      "there is no tensor \(quoted(name)) among the \(count) of the file"
    case .notConvertible(let tensor, let type, let wanted):
      "tensor \(quoted(tensor)) has elements of type \(type.rawValue), "
        + "which do not become \(wanted)"
    case .valueOutOfRange(let tensor):
      "tensor \(quoted(tensor)) has a number above \(Int64.max)"
    }
  }

  private var remedy: String {
    switch self {
    case .tooShort, .headerBeyondEnd, .beyondEnd: "the file is cut off: fetch or save it again"
    case .headerTooLong, .headerStart: "check that this is a safetensors file"
    case .unknownType, .notConvertible, .valueOutOfRange:
      "save the tensor as F32 or I64 with a current safetensors"
    case .rankTooHigh: "save it with fewer axes"
    case .noSuchTensor: "check that the file holds the network that is asked for"
    default: "save the file again with a current safetensors"
    }
  }

  private func name(of byte: UInt8) -> String {
    byte > 0x20 && byte < 0x7F
      ? "'\(Character(UnicodeScalar(byte)))'" : "0x" + String(byte, radix: 16)
  }
}
