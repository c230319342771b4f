import Foundation
import ResidualFormats
import ResidualTensors

#if ONNX
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
      case .onnx: try [Self.layers(), Self.arithmetic()].map { try $0.serializedBytes() }
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
}
