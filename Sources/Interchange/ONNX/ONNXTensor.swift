#if ONNX
  import ResidualFormats
  import ResidualONNXSchema
  import ResidualTensors

  /// A tensor of an ONNX file whose shape and size have been checked.
  package struct ONNXTensor {
    /// What its elements are.
    package enum Kind { case reals, integers }

    package let shape: Shape
    package let kind: Kind
    private let storage: Storage

    private enum Storage {
      case message(Onnx_TensorProto)
      case filled(Float)
    }

    /// The same number everywhere.
    init(filled number: Float, _ shape: Shape) {
      (storage, self.shape, kind) = (.filled(number), shape, .reals)
    }

    /// Checks a tensor.
    ///
    /// - Parameter hasData: whether its numbers must be there, not its shape alone.
    /// - Throws: ``ONNXProblem``.
    init(_ tensor: Onnx_TensorProto, hasData: Bool = true) throws(ONNXProblem) {
      let name = tensor.name
      guard tensor.dataLocation != .external, tensor.externalData.isEmpty else {
        let location = tensor.externalData.first { $0.key == "location" }?.value ?? ""
        throw .externalData(tensor: name, location: location)
      }
      guard !tensor.hasSegment else { throw .segmented(tensor: name) }
      let extents = tensor.dims.map { Int($0) }
      guard extents.count <= Self.maximumRank, let count = Shape.checkedCount(extents),
        Shape(extents).isComputable
      else { throw .wrongShape(tensor: name, extents: tensor.dims) }
      switch Onnx_TensorProto.DataType(rawValue: Int(tensor.dataType)) {
      case .float: kind = .reals
      case .int32, .int64, .bool: kind = .integers
      case let type:
        throw .unsupportedType(tensor: name, type: type.map { "\($0)" } ?? "\(tensor.dataType)")
      }
      shape = Shape(extents)
      storage = .message(tensor)
      guard hasData || !Self.isEmpty(tensor) else { return }
      let found = Self.byteCount(tensor)
      guard found == count * Self.elementSize(tensor) else {
        throw .wrongSize(tensor: name, expected: count * Self.elementSize(tensor), found: found)
      }
    }

    static let maximumRank = 8

    /// Whether a tensor has a shape, but no numbers.
    static func isEmpty(_ tensor: Onnx_TensorProto) -> Bool {
      tensor.rawData.isEmpty && tensor.floatData.isEmpty && tensor.int64Data.isEmpty
        && tensor.int32Data.isEmpty
    }

    /// The bytes of an element in `raw_data`.
    private static func elementSize(_ tensor: Onnx_TensorProto) -> Int {
      switch Onnx_TensorProto.DataType(rawValue: Int(tensor.dataType)) {
      case .int64: 8
      case .bool: 1
      default: 4
      }
    }

    private static func byteCount(_ tensor: Onnx_TensorProto) -> Int {
      if !tensor.rawData.isEmpty { return tensor.rawData.count }
      let elements =
        switch Onnx_TensorProto.DataType(rawValue: Int(tensor.dataType)) {
        case .float: tensor.floatData.count
        case .int64: tensor.int64Data.count
        default: tensor.int32Data.count
        }
      return elements * elementSize(tensor)
    }

    /// The elements of a tensor of reals.
    package var reals: [Float] {
      switch storage {
      case .filled(let number): return [Float](repeating: number, count: shape.count)
      case .message(let tensor):
        return tensor.rawData.isEmpty
          ? tensor.floatData
          : tensor.rawData.withUnsafeBytes {
            readNumbers($0, as: UInt32.self) { Float(bitPattern: $0) }
          }
      }
    }

    /// One over each real; `nil` if that is not finite. A tensor without numbers stays so.
    var reciprocal: ONNXTensor? {
      switch storage {
      case .message(let tensor) where Self.isEmpty(tensor): return self
      case .filled(let number):
        return (1 / number).isFinite ? ONNXTensor(filled: 1 / number, shape) : nil
      default: break
      }
      var message = Onnx_TensorProto()
      message.dataType = Int32(Onnx_TensorProto.DataType.float.rawValue)
      message.dims = shape.extents.map { Int64($0) }
      message.floatData = reals.map { 1 / $0 }
      return message.floatData.allSatisfy(\.isFinite) ? try? ONNXTensor(message) : nil
    }

    /// The elements of a tensor of integers.
    var integers: [Int64] {
      switch storage {
      case .filled: preconditionFailure("reals are no integers")
      case .message(let tensor):
        let data = tensor.rawData
        switch Onnx_TensorProto.DataType(rawValue: Int(tensor.dataType)) {
        case .int64:
          return data.isEmpty
            ? tensor.int64Data
            : data.withUnsafeBytes { readNumbers($0, as: Int64.self) { $0 } }
        case .bool:
          return data.isEmpty ? tensor.int32Data.map(Int64.init) : data.map { Int64($0) }
        default:
          return data.isEmpty
            ? tensor.int32Data.map(Int64.init)
            : data.withUnsafeBytes { readNumbers($0, as: Int32.self) { Int64($0) } }
        }
      }
    }
  }
#endif
