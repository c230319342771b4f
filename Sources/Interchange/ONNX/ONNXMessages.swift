#if ONNX
  import Foundation
  import ResidualONNXSchema
  import ResidualTensors

  // The messages of ONNX's schema, made in one expression each.

  extension Onnx_AttributeProto {
    static func integer(_ name: String, _ value: Int) -> Self {
      with(name, .int) { $0.i = Int64(value) }
    }
    static func integers(_ name: String, _ values: [Int]) -> Self {
      with(name, .ints) { $0.ints = values.map(Int64.init) }
    }
    static func float(_ name: String, _ value: Float) -> Self {
      with(name, .float) { $0.f = value }
    }

    private static func with(
      _ name: String, _ type: AttributeType, _ set: (inout Self) -> Void
    ) -> Self {
      var attribute = Self()
      attribute.name = name
      attribute.type = type
      set(&attribute)
      return attribute
    }
  }

  extension Onnx_TensorProto {
    /// Numbers in row-major order, as bytes in the order of this machine, which is ONNX's.
    init(_ name: String, _ type: DataType, _ extents: [Int], _ numbers: [some BitwiseCopyable]) {
      self.init()
      self.name = name
      dataType = Int32(type.rawValue)
      dims = extents.map(Int64.init)
      rawData = numbers.withUnsafeBytes { Data($0) }
    }
  }

  extension Onnx_ValueInfoProto {
    /// A tensor of float32.
    ///
    /// - Parameter extents: numbers or names.
    init(_ name: String, _ extents: [Onnx_TensorShapeProto.Dimension.OneOf_Value?]) {
      self.init()
      self.name = name
      var tensor = Onnx_TypeProto.Tensor()
      tensor.elemType = Int32(Onnx_TensorProto.DataType.float.rawValue)
      tensor.shape.dim = extents.map { extent in
        var dimension = Onnx_TensorShapeProto.Dimension()
        dimension.value = extent
        return dimension
      }
      type.tensorType = tensor
    }
  }

  extension Onnx_StringStringEntryProto {
    init(_ key: String, _ value: String) {
      self.init()
      (self.key, self.value) = (key, value)
    }
  }
#endif
