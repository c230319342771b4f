import Foundation
import ResidualFormats
import ResidualTensors
import Testing

/// A checkpoint that `Tests/Fixtures/make-torch-fixtures.py` has made, and PyTorch's reading of it.
struct TorchFixture: Decodable {
  struct Tensor: Decodable {
    let name: String
    let type: ElementType
    let shape: [Int]
    let strides: [Int]
    /// Numbers as text, in hexadecimal where they are floating point.
    let elements: [String]

    enum CodingKeys: CodingKey { case name, type, shape, strides, elements }

    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      name = try fields.decode(String.self, forKey: .name)
      type = try #require(ElementType(rawValue: fields.decode(String.self, forKey: .type)))
      shape = try fields.decode([Int].self, forKey: .shape)
      strides = try fields.decode([Int].self, forKey: .strides)
      elements = try fields.decode([String].self, forKey: .elements)
    }

    /// The elements rounded to float32.
    var floats: [Float] {
      get throws { try elements.map { Float(try #require(Double($0))) } }
    }
    var integers: [Int64] {
      get throws { try elements.map { try #require(Int64($0)) } }
    }
  }

  let tensors: [Tensor]
  /// The numbers that are not tensors, in hexadecimal, by the keys that lead to them.
  let numbers: [String: String]

  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/Torch")

  static func path(_ name: String) -> String { folder.appending(path: name).path }

  /// PyTorch's reading of a checkpoint.
  init(of name: String) throws {
    let file = Self.folder.appending(path: name).deletingPathExtension()
      .appendingPathExtension("json")
    self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: file))
  }
}

extension PickleValue {
  /// Every number outside of tensors, by the keys that lead to it.
  func numbers(_ name: String = "") -> [String: Double] {
    func inner(_ part: some CustomStringConvertible) -> String {
      name.isEmpty ? "\(part)" : "\(name).\(part)"
    }
    let parts: [(String, PickleValue)]
    switch self {
    case .bool(let value): return [name: value ? 1 : 0]
    case .integer(let value): return [name: Double(value)]
    case .float(let value): return [name: value]
    case .largeInteger(let bytes):
      return [name: bytes.reversed().reduce(0) { $0 * 256 + Double($1) }]
    case .tuple(let items), .list(let items): parts = items.enumerated().map { (inner($0), $1) }
    case .dictionary(let members): parts = members.map { (inner($0.key), $0.value) }
    case .none, .text, .bytes, .tensor, .opaque: return [:]
    }
    return parts.reduce(into: [:]) { all, part in
      all.merge(part.1.numbers(part.0)) { first, _ in first }
    }
  }
}
