import Foundation
import ResidualFormats
import ResidualTensors

#if ONNX
  import ResidualONNXSchema
  import SwiftProtobuf
#endif

extension FuzzTarget {
  /// Small files that are accepted, to begin with.
  package func seeds() throws -> [[UInt8]] {
    switch self {
    case .safetensors: try Self.models()
    case .pickle: try Self.pickles + Self.fixtures("pkl")
    case .zip: Self.archives
    case .torch:
      try [Pickle.dictionary(Pickle.tensor(extents: [2, 2], [2, 1]))] + Self.fixtures("th", "pth")
    #if ONNX
      case .onnx: try [Self.message().serializedBytes()]
    #endif
    }
  }

  /// A file of several tensors with metadata, and one of a tensor of each kind that can be read.
  private static func models() throws -> [[UInt8]] {
    let entries = [
      SafetensorsEntry("a.weight", Tensor<Float>([2, 2], [1, 2, 3, 4])),
      SafetensorsEntry("a \"é\n", Tensor<Float>([0], [])),
      SafetensorsEntry("n", Tensor<Int64>([], [1])),
    ]
    let whole = try Safetensors.encoded(entries, metadata: ["k": "😀\\", "l": "v"])
    let types: [SafetensorsType] = [
      .bool, .uint8, .int16, .uint16, .float16, .bfloat16, .int32, .uint32, .float64, .uint64,
    ]
    var (members, data): ([String], [UInt8]) = ([], [])
    for type in types {
      let end = data.count + 2 * type.bitCount / 8
      members.append(
        #""\#(type)":{"dtype":"\#(type.rawValue)","shape":[2],"data_offsets":[\#(data.count),\#(end)]}"#
      )
      data += Array(repeating: 1, count: end - data.count)
    }
    let header = "{\(members.joined(separator: ","))}"
    return [whole, littleEndian(UInt64(header.utf8.count)) + Array(header.utf8) + data]
  }

  private static let pickles: [[UInt8]] = {
    let orderedWithMetadata =
      Pickle.proto + Pickle.orderedDictionary + Pickle.mark + Pickle.text("é.w") + Pickle.put(1)
      + Pickle.tensor(extents: [2, 2], [2, 1]) + Pickle.text("n") + Pickle.get(1)
      + Array("u}b".utf8) + Pickle.stop
    let best = Pickle.numPy("f8", [0, 0, 0, 0, 0, 0, 12, 64])
    let numbers =
      Pickle.proto
      + Pickle.members(
        Pickle.text("best"), best, [0x4B, 1], Array("](NNe".utf8), [0x4D, 2, 1],
        [0x8B] + littleEndian(Int32(9)) + Array(0..<9))
      + Pickle.stop
    let framed =
      [0x80, 4, 0x95] + littleEndian(UInt64(20)) + [0x7D, 0x94, 0x8C, 1, 119, 0x94, 0x8C, 5]
      + Array("torch".utf8) + [0x8C, 4] + Array("Size".utf8) + [0x93, 0x94]
      + [0x4B, 1, 0x4B, 2, 0x86, 0x85, 0x52, 0x73] + Pickle.stop
    return [orderedWithMetadata, numbers, framed]
  }()

  /// Archives with and without descriptors and the end records of ZIP64.
  private static var archives: [[UInt8]] {
    typealias Entry = HostileZIP.Entry
    let content: [UInt8] = [1, 2, 3]
    let descriptor =
      Array("PK\u{7}\u{8}".utf8) + littleEndian(content.withUnsafeBytes { CRC32.checksum($0) })
      + littleEndian(UInt32(3)) + littleEndian(UInt32(3))
    return [
      HostileZIP(Entry("f", content), Entry("d/"), Entry("d/é", Array(0..<40))).bytes,
      HostileZIP(
        Entry("f", content).with(\.flags, 0x808).with(\.descriptor, descriptor),
        Entry("g").with(\.localExtra, [0x46, 0x42, 2, 0, 90, 90])
      ).with(\.large) { HostileZIP.largeEnd(2, $0, $1) },
    ]
  }

  /// The files of `Tests/Fixtures/Torch` with one of these endings, but for that of a whole module,
  /// which is refused.
  private static func fixtures(_ endings: String...) throws -> [[UInt8]] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/Torch")
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      .filter { name in name != "module.pth" && endings.contains { name.hasSuffix(".\($0)") } }
      .map { Array(try Data(contentsOf: folder.appending(path: $0))) }
  }

  #if ONNX
    /// A network of every kind of layer, with the shapes that exporters compute.
    private static func message() -> Onnx_ModelProto {
      func value(_ name: String, _ extents: [Int64]) -> Onnx_ValueInfoProto {
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
      func tensor(_ name: String, _ extents: [Int64]) -> Onnx_TensorProto {
        var tensor = Onnx_TensorProto()
        (tensor.name, tensor.dims, tensor.dataType) = (name, extents, 1)
        tensor.rawData = Data(count: 4 * Int(extents.reduce(1, *)))
        return tensor
      }
      func integers(_ name: String, _ numbers: [Int64]) -> Onnx_TensorProto {
        var tensor = Onnx_TensorProto()
        (tensor.name, tensor.dims, tensor.dataType) = (name, [Int64(numbers.count)], 7)
        tensor.int64Data = numbers
        return tensor
      }
      func node(
        _ type: String, _ input: [String], _ output: String, _ attributes: [String: [Int64]] = [:]
      ) -> Onnx_NodeProto {
        var node = Onnx_NodeProto()
        (node.opType, node.input, node.output) = (type, input, [output])
        node.attribute = attributes.sorted { $0.key < $1.key }.map { name, numbers in
          var attribute = Onnx_AttributeProto()
          attribute.name = name
          if ["axis", "transB"].contains(name) {
            (attribute.type, attribute.i) = (.int, numbers[0])
          } else {
            (attribute.type, attribute.ints) = (.ints, numbers)
          }
          return attribute
        }
        return node
      }
      var operators = Onnx_OperatorSetIdProto()
      operators.version = 17
      var model = Onnx_ModelProto()
      model.irVersion = 8
      model.opsetImport = [operators]
      model.graph.input = [value("x", [0, 3, 32, 32])]
      model.graph.output = [value("y", [0, 2])]
      model.graph.initializer = [
        tensor("w", [2, 3, 3, 3]), tensor("b", [2]), tensor("s", [2]), tensor("m", [2]),
        tensor("f", [2, 2]), tensor("d", [2]), tensor("c", [2, 1, 1]), integers("zero", [0]),
        integers("rest", [-1]),
        integers("pads", [0, 0, 1, 1, 0, 0, 0, 0]), integers("one", [1]), integers("end", [9999]),
        integers("axis", [2]), integers("step", [2]),
      ]
      model.graph.node = [
        node("Conv", ["x", "w", "b"], "1", ["strides": [2, 2], "pads": [1, 1, 1, 1]]),
        node("BatchNormalization", ["1", "s", "b", "m", "s"], "2"), node("Relu", ["2"], "3"),
        node("Pad", ["3", "pads"], "4"),
        node("MaxPool", ["4"], "5", ["kernel_shape": [3, 3], "strides": [2, 2]]),
        node("AveragePool", ["5"], "6", ["kernel_shape": [2, 2]]),
        node("Slice", ["6", "one", "end", "axis", "step"], "7"), node("Add", ["7", "c"], "8"),
        node("Sigmoid", ["8"], "9"), node("Mul", ["8", "9"], "10"), node("Sub", ["10", "8"], "11"),
        node("Concat", ["11", "10"], "12", ["axis": [1]]),
        node("Transpose", ["12"], "13", ["perm": [0, 2, 3, 1]]),
        node("Transpose", ["13"], "14", ["perm": [0, 3, 1, 2]]),
        node("GlobalAveragePool", ["14"], "15"), node("Shape", ["15"], "16"),
        node("Gather", ["16", "zero"], "17"), node("Concat", ["17", "rest"], "18", ["axis": [0]]),
        node("Reshape", ["15", "18"], "19"), node("Identity", ["19"], "20"),
        node("Slice", ["20", "zero", "step", "one"], "21"),
        node("Gemm", ["21", "f", "d"], "22", ["transB": [1]]),
        node("Softmax", ["22"], "y", ["axis": [1]]),
      ]
      return model
    }
  #endif
}
