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
      var operators = Onnx_OperatorSetIdProto()
      operators.version = 17
      var model = Onnx_ModelProto()
      model.irVersion = 8
      model.opsetImport = [operators]
      model.graph.input = [HostileONNX.value("x", [0, 3, 32, 32])]
      model.graph.output = [HostileONNX.value("y", [0, 2])]
      model.graph.initializer = [
        HostileONNX.tensor("w", [2, 3, 3, 3]), HostileONNX.tensor("b", [2]),
        HostileONNX.tensor("s", [2]), HostileONNX.tensor("m", [2]),
        HostileONNX.tensor("f", [2, 2]), HostileONNX.tensor("d", [2]),
        HostileONNX.tensor("c", [2, 1, 1]), HostileONNX.integers("zero", [0]),
        HostileONNX.integers("rest", [-1]),
        HostileONNX.integers("pads", [0, 0, 1, 1, 0, 0, 0, 0]), HostileONNX.integers("one", [1]),
        HostileONNX.integers("end", [9999]),
        HostileONNX.integers("axis", [2]), HostileONNX.integers("step", [2]),
      ]
      model.graph.node = [
        HostileONNX.node(
          "Conv", ["x", "w", "b"], "1",
          [
            HostileONNX.attribute("strides", ints: [2, 2]),
            HostileONNX.attribute("pads", ints: [1, 1, 1, 1]),
          ]),
        HostileONNX.node("BatchNormalization", ["1", "s", "b", "m", "s"], "2"),
        HostileONNX.node("Relu", ["2"], "3"),
        HostileONNX.node("Pad", ["3", "pads"], "4"),
        HostileONNX.node(
          "MaxPool", ["4"], "5",
          [
            HostileONNX.attribute("kernel_shape", ints: [3, 3]),
            HostileONNX.attribute("strides", ints: [2, 2]),
          ]),
        HostileONNX.node(
          "AveragePool", ["5"], "6", [HostileONNX.attribute("kernel_shape", ints: [2, 2])]),
        HostileONNX.node("Slice", ["6", "one", "end", "axis", "step"], "7"),
        HostileONNX.node("Add", ["7", "c"], "8"),
        HostileONNX.node("Sigmoid", ["8"], "9"), HostileONNX.node("Mul", ["8", "9"], "10"),
        HostileONNX.node("Sub", ["10", "8"], "11"),
        HostileONNX.node("Concat", ["11", "10"], "12", [HostileONNX.attribute("axis", 1)]),
        HostileONNX.node(
          "Transpose", ["12"], "13", [HostileONNX.attribute("perm", ints: [0, 2, 3, 1])]),
        HostileONNX.node(
          "Transpose", ["13"], "14", [HostileONNX.attribute("perm", ints: [0, 3, 1, 2])]),
        HostileONNX.node("GlobalAveragePool", ["14"], "15"),
        HostileONNX.node("Shape", ["15"], "16"),
        HostileONNX.node("Gather", ["16", "zero"], "17"),
        HostileONNX.node("Concat", ["17", "rest"], "18", [HostileONNX.attribute("axis", 0)]),
        HostileONNX.node("Reshape", ["15", "18"], "19"), HostileONNX.node("Identity", ["19"], "20"),
        HostileONNX.node("Slice", ["20", "zero", "step", "one"], "21"),
        HostileONNX.node("Gemm", ["21", "f", "d"], "22", [HostileONNX.attribute("transB", 1)]),
        HostileONNX.node("Softmax", ["22"], "y", [HostileONNX.attribute("axis", 1)]),
      ]
      return model
    }
  #endif
}
