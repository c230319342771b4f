#if ONNX
  import Foundation
  import ResidualONNXSchema

  /// The parts of ONNX models, for tests to put together rightly or wrongly.
  package enum HostileONNX {
    /// An input or output of float32; an extent of 0 stands for any.
    package static func value(_ name: String, _ extents: [Int64]) -> Onnx_ValueInfoProto {
      var value = Onnx_ValueInfoProto()
      value.name = name
      value.type.tensorType.elemType = 1
      value.type.tensorType.shape.dim = extents.map { extent in
        var dimension = Onnx_TensorShapeProto.Dimension()
        if extent > 0 { dimension.dimValue = extent } else { dimension.dimParam = "n" }
        return dimension
      }
      return value
    }

    /// A tensor of float32, filled with one number.
    package static func tensor(
      _ name: String, _ extents: [Int64], of number: Float = 0
    ) -> Onnx_TensorProto {
      var tensor = Onnx_TensorProto()
      (tensor.name, tensor.dims, tensor.dataType) = (name, extents, 1)
      let bytes = withUnsafeBytes(of: number.bitPattern.littleEndian) { Array($0) }
      for _ in 0..<extents.reduce(1, *) { tensor.rawData.append(contentsOf: bytes) }
      return tensor
    }

    /// A row of int64.
    package static func integers(_ name: String, _ numbers: [Int64]) -> Onnx_TensorProto {
      var tensor = Onnx_TensorProto()
      (tensor.name, tensor.dims, tensor.dataType) = (name, [Int64(numbers.count)], 7)
      tensor.int64Data = numbers
      return tensor
    }

    /// A node that is called as its result.
    package static func node(
      _ type: String, _ input: [String], _ output: String,
      _ attributes: [Onnx_AttributeProto] = []
    ) -> Onnx_NodeProto {
      var node = Onnx_NodeProto()
      (node.opType, node.name, node.input, node.output) = (type, output, input, [output])
      node.attribute = attributes
      return node
    }

    package static func attribute(_ name: String, ints: [Int64]) -> Onnx_AttributeProto {
      var attribute = Onnx_AttributeProto()
      (attribute.name, attribute.type, attribute.ints) = (name, .ints, ints)
      return attribute
    }

    package static func attribute(_ name: String, _ number: Int64) -> Onnx_AttributeProto {
      var attribute = Onnx_AttributeProto()
      (attribute.name, attribute.type, attribute.i) = (name, .int, number)
      return attribute
    }
  }
#endif
