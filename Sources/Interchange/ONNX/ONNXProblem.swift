import ResidualFormats
import ResidualTensors

/// An ONNX file that cannot be read, and why.
public typealias ONNXError = FormatError<ONNXProblem>

/// What can be wrong with an ONNX file, or go beyond what is understood here. Offsets count from the
/// start of the file. A node is called by its name, or by that of its first result.
public enum ONNXProblem: Error, Equatable, Sendable, CustomStringConvertible {
  /// The program was built without the trait ONNX.
  case notBuiltIn

  // The wire format.
  case cutOff(offset: Int, needed: UInt64, available: Int)
  case longNumber(offset: Int)
  case unknownWireType(Int, offset: Int)
  case fieldZero(offset: Int)
  case nestedTooDeep(offset: Int)
  case nameTooLong(offset: Int)
  case tooManyParts(limit: Int)
  case tooMuchStructure(limit: Int)
  case tooMuchForeign(limit: Int)
  case manyChunks(offset: Int)
  case notDecodable

  // The model.
  case noGraph
  case unknownVersion(Int64)
  case noOperatorSet
  case oldOperatorSet(Int64)
  case newOperatorSet(Int64)
  case localFunctions
  case sparseTensor(String)
  case duplicateTensor(String)
  case duplicateField(String)
  case duplicateValue(String, node: String)
  case undefinedValue(String, node: String)

  // Tensors.
  case externalData(tensor: String, location: String)
  case segmented(tensor: String)
  case wrongShape(tensor: String, extents: [Int64])
  case unsupportedType(tensor: String, type: String)
  case noTensor(String)
  case wrongSize(tensor: String, expected: Int, found: Int)
  case reservedName(String)

  // Nodes.
  case unknownDomain(String, node: String)
  case unsupportedOperator(String, node: String)
  case unsupported(String, operator: String, node: String)
  case wrongAttribute(String, node: String)
  case wrongOperands(count: Int, operator: String, node: String)
  case wrongKind(value: String, node: String)
  case shapes(String, node: String)
  case tooLargeConstant(node: String, limit: Int)

  // The network.
  case inputs([String])
  case notImages(input: String, extents: String)
  case notSquare(height: Int, width: Int)
  case wrongSide(found: Int, wanted: Int)
  case outputs([String])
  case notLogits(output: String, shape: Shape)
  case fixedBatch(String)

  public var description: String { "\(cause); \(remedy)" }

  private var cause: String {
    switch self {
    case .notBuiltIn: "this program was built without ONNX"
    case .cutOff(let offset, let needed, let available):
      "the field at byte \(offset) has \(needed) bytes, but only \(available) follow"
    case .longNumber(let offset): "the number at byte \(offset) has more than 10 bytes"
    case .unknownWireType(let type, let offset):
      "the field at byte \(offset) is of wire type \(type), which ONNX does not use"
    case .fieldZero(let offset): "the field at byte \(offset) has a number that no field has"
    case .nestedTooDeep(let offset): "graphs lie too deep within graphs at byte \(offset)"
    case .nameTooLong(let offset):
      "the name at byte \(offset) is longer than \(FileBytes.maximumNameLength) bytes"
    case .tooManyParts(let limit): "there are more than \(limit) nodes, attributes and tensors"
    case .tooMuchStructure(let limit):
      "beside the tensors' numbers there are more than \(limit) bytes"
    case .tooMuchForeign(let limit):
      "training graphs, sparse tensors, sequences and quantization take more than \(limit) bytes"
    case .manyChunks(let offset):
      "the numbers of the tensor at byte \(offset) are in too many chunks"
    case .notDecodable: "its fields are not those of an ONNX model"
    case .noGraph: "there is no graph in it"
    case .unknownVersion(let version): "its format version is \(version)"
    case .noOperatorSet: "it does not say which operators it means"
    case .oldOperatorSet(let version):
      "its operators are of version \(version), before \(ONNXFile.operatorSets.lowerBound)"
    case .newOperatorSet(let version):
      "its operators are of version \(version), after \(ONNXFile.operatorSets.upperBound)"
    case .localFunctions: "it brings functions of its own"
    case .sparseTensor(let name): "tensor \(quoted(name)) is sparse"
    case .duplicateField(let name): "\(quoted(name)) is given twice"
    case .duplicateTensor(let name): "tensor \(quoted(name)) occurs twice"
    case .duplicateValue(let name, let node):
      "node \(quoted(node)) makes \(quoted(name)), which is there already"
    case .undefinedValue(let name, let node):
      "node \(quoted(node)) reads \(quoted(name)), which nothing before it makes"
    case .externalData(let tensor, let location):
      "the numbers of tensor \(quoted(tensor)) are in another file, \(quoted(location))"
    case .segmented(let tensor): "tensor \(quoted(tensor)) is one segment of several"
    case .wrongShape(let tensor, let extents):
      "tensor \(quoted(tensor)) has the shape \(shape(extents)), which is none that can be computed with"
    case .unsupportedType(let tensor, let type):
      "\(quoted(tensor)) has elements of type \(Printable(type))"
    case .noTensor(let name): "\(quoted(name)) is no tensor"
    case .wrongSize(let tensor, let expected, let found):
      "tensor \(quoted(tensor)) needs \(expected) bytes by its shape, but has \(found)"
    case .reservedName(let name):
      "tensor \(quoted(name)) has a name that is kept for the program's own"
    case .unknownDomain(let domain, let node):
      "node \(quoted(node)) is an operator of \(quoted(domain)), not of ONNX itself"
    case .unsupportedOperator(let name, let node):
      "operator \(Printable(name)) of node \(quoted(node)) is not supported"
    case .unsupported(let what, let name, let node):
      "\(Printable(name)) of node \(quoted(node)) has \(what), which is not supported"
    case .wrongAttribute(let name, let node):
      "attribute \(quoted(name)) of node \(quoted(node)) is not what ONNX says it is"
    case .wrongOperands(let count, let name, let node):
      "\(Printable(name)) of node \(quoted(node)) has \(count) operands"
    case .wrongKind(let value, let node):
      "\(quoted(value)) is not of the kind that node \(quoted(node)) takes"
    case .shapes(let message, let node): "node \(quoted(node)): \(Printable(message))"
    case .tooLargeConstant(let node, let limit):
      "the constants up to node \(quoted(node)) have more than \(limit) numbers"
    case .inputs(let names): "it takes \(list(names)), not one batch of images"
    case .notImages(let input, let extents):
      "input \(quoted(input)) is \(Printable(extents)), not images of 3 channels"
    case .notSquare(let height, let width): "its images are \(height) × \(width), not square"
    case .wrongSide(let found, let wanted):
      "it takes images of \(found) pixels, not of \(wanted)"
    case .outputs(let names): "it gives \(list(names)), not one result"
    case .notLogits(let output, let shape):
      "its result \(quoted(output)) is \(shape), not a number for each class"
    case .fixedBatch(let message):
      "it works for one size of batch only: \(Printable(message))"
    }
  }

  private var remedy: String {
    switch self {
    case .notBuiltIn: "build it with the trait ONNX"
    case .cutOff: "the file is cut off, or not ONNX: fetch or save it again"
    case .longNumber, .unknownWireType, .fieldZero, .notDecodable, .noGraph, .unknownVersion:
      "check that this is an ONNX file"
    case .tooMuchStructure, .manyChunks: "save tensors as raw_data, and without comments"
    case .oldOperatorSet, .newOperatorSet, .noOperatorSet:
      "export it with an opset from \(ONNXFile.operatorSets.lowerBound) to "
        + "\(ONNXFile.operatorSets.upperBound)"
    case .externalData: "save the model as one file"
    case .unsupportedType, .noTensor: "export the network in float32"
    case .fixedBatch, .notImages: "export it with a dynamic batch as its first axis"
    case .wrongSide, .notSquare: "export it for the size that is wanted"
    case .inputs, .outputs: "export the classifier alone"
    case .notLogits: "export the network up to its classifier"
    case .unsupportedOperator, .unsupported, .unknownDomain, .localFunctions, .sparseTensor,
      .tooMuchForeign:
      "export the network in its plain form for inference"
    case .reservedName: "rename it"
    default: "export the network again"
    }
  }

  /// Extents as text, the first of many.
  private func shape(_ extents: [Int64]) -> String {
    let shown = extents.prefix(8).map(String.init) + (extents.count > 8 ? ["…"] : [])
    return "[\(shown.joined(separator: ", "))]"
  }
  private func list(_ names: [String]) -> String {
    names.isEmpty
      ? "nothing"
      : names.prefix(5).map(quoted).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
  }
}
