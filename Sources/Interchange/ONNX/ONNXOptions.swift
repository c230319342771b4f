/// How a model is written as ONNX.
public struct ONNXOptions: Hashable, Sendable {
  /// The versions of ONNX's operators that are written.
  public static let opsets = 9...22

  /// Where the file has the preparation of images.
  public enum Preprocessing: String, Hashable, Sendable, CaseIterable {
    /// The network's input is a prepared image; what prepares it is in the metadata.
    case metadata
    /// The network's input is RGB from 0 to 255, and the first nodes prepare it.
    case nodes
  }

  /// The version of the operators, one of ``opsets``.
  public var opset = 17
  /// Whether a batch normalisation after a convolution becomes part of the convolution.
  public var foldsNormalization = false
  /// `nil` for metadata, or for nodes if there is a mean for each pixel.
  public var preprocessing: Preprocessing?
  /// The version of the program that writes the file.
  public var producerVersion = ""

  /// The operators of version 17, the network as it is.
  public init() {}
}

/// Why a model cannot be written as ONNX, or a file that was written is not the model.
public enum ONNXExportError: Refusal, Hashable {
  /// The program was built without the trait ONNX.
  case notBuilt
  /// An operation that only training has, by its node.
  case notForInference(node: String, operation: String)
  /// An operation that came later than the operators' version that was asked for.
  case needsOpset(node: String, opset: Int)
  /// A shape that ONNX can state for one batch only.
  case dependsOnBatch(node: String)
  /// A mean for each pixel, which metadata have no place for.
  case meanOfPixels
  /// More bytes than a protocol buffer can have.
  case tooLarge(byteCount: Int)
  /// A file that does not hold what was written to it.
  case changed(file: String, what: String)

  public var kind: RefusalKind {
    switch self {
    case .notBuilt: .unavailable
    case .needsOpset, .meanOfPixels: .usage
    case .notForInference, .dependsOnBatch, .tooLarge: .input
    case .changed: .output
    }
  }
  public var description: String { message.description }
  public var message: Message {
    switch self {
    case .notBuilt: "this program was built without ONNX; build it with the trait ONNX"
    case .notForInference(let node, let operation):
      "node '\(node)': \(operation) belongs to training and has no form in ONNX; "
        + "write the network's graph for inference"
    case .needsOpset(let node, let opset):
      "node '\(node)': ONNX has this only since opset \(opset); ask for \(OptionName.opset) \(opset) or later"
    case .dependsOnBatch(let node):
      "node '\(node)': ONNX cannot state its shape for every batch; keep the batch one axis of it"
    case .meanOfPixels:
      "a mean for each pixel has no place in metadata; ask for \(OptionName.preprocessing) nodes, or for "
        + "\(OptionName.averagingMean)"
    case .tooLarge(let byteCount):
      "an ONNX file holds less than 2 GB, and this model has \(byteCount) bytes; "
        + "write a .safetensors file"
    case .changed(let file, let what):
      "\(file): \(what) is not what was written; check the disk and write the file again"
    }
  }
}

extension OptionName {
  /// The version of ONNX's operators.
  public static let opset = OptionName("opset", key: "opset")
  /// Where ONNX has the preparation of images.
  public static let preprocessing = OptionName("preprocessing", key: "preprocessing")
  /// A mean for each channel in place of one for each pixel.
  public static let averagingMean = OptionName("averagingMean", key: "average_mean")
  /// The library that a folder of the Hub is for.
  public static let hubStyle = OptionName("style", key: "hub_style")
}
