import ResidualTensors

/// Every name of Python that a pickle may use. None of them is looked up or called anywhere: each
/// stands for what ``PickleMachine`` builds in its place.
///
/// Anything else is refused, even if it would stand for metadata only, because it cannot be known
/// here what a name does when Python loads the file.
enum PickleGlobal: Hashable {
  case orderedDictionary, counter
  case rebuildTensor, rebuildTensorVersion2, rebuildParameter, parameter
  case storage(ElementType)
  case size
  case numberOfNumPy, typeOfNumPy, encode
  /// A class of which instances are opaque.
  case device, namespace
  /// A value that is opaque itself, such as `torch.float32`.
  case constant(ElementType)

  init?(module: String, name: String) {
    switch (module, name) {
    case ("collections", "OrderedDict"): self = .orderedDictionary
    case ("collections", "Counter"): self = .counter
    case ("torch._utils", "_rebuild_tensor"): self = .rebuildTensor
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensorVersion2
    case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
    case ("torch.nn.parameter", "Parameter"): self = .parameter
    case ("torch", "Size"): self = .size
    case ("torch", "device"): self = .device
    case ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"):
      self = .numberOfNumPy
    case ("numpy", "dtype"): self = .typeOfNumPy
    case ("_codecs", "encode"): self = .encode
    case ("argparse", "Namespace"): self = .namespace
    case ("torch", _):
      if let type = Self.storages[name] {
        self = .storage(type)
      } else if let type = ElementType(rawValue: name) {
        self = .constant(type)
      } else {
        return nil
      }
    case ("torch.storage", "UntypedStorage"): self = .storage(.uint8)
    default: return nil
    }
  }

  /// The name of Python, for messages.
  var name: String {
    switch self {
    case .orderedDictionary: "collections.OrderedDict"
    case .counter: "collections.Counter"
    case .rebuildTensor: "torch._utils._rebuild_tensor"
    case .rebuildTensorVersion2: "torch._utils._rebuild_tensor_v2"
    case .rebuildParameter: "torch._utils._rebuild_parameter"
    case .parameter: "torch.nn.parameter.Parameter"
    case .storage(let type): "torch's storage of \(type.rawValue)"
    case .size: "torch.Size"
    case .numberOfNumPy: "numpy.core.multiarray.scalar"
    case .typeOfNumPy: "numpy.dtype"
    case .encode: "_codecs.encode"
    case .device: "torch.device"
    case .namespace: "argparse.Namespace"
    case .constant(let type): "torch.\(type.rawValue)"
    }
  }

  private static let storages: [String: ElementType] = [
    "FloatStorage": .float32, "DoubleStorage": .float64, "HalfStorage": .float16,
    "BFloat16Storage": .bfloat16, "CharStorage": .int8, "ByteStorage": .uint8,
    "ShortStorage": .int16, "IntStorage": .int32, "LongStorage": .int64, "BoolStorage": .bool,
    "UntypedStorage": .uint8,
  ]
}
