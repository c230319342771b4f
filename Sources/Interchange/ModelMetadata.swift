import Foundation
import ResidualFormats
import ResidualImages

/// The description in a model file's header: strings by name, as safetensors allows.
///
/// | field | value |
/// |---|---|
/// | `format`, `format_version` | `residual-model`, `1` |
/// | `network`, `classes`, `class_names` | canonical name, number, JSON array |
/// | `graph` | the layers of a network named `onnx`: an ONNX model without its numbers, in base64 |
/// | `shortcut`, `shortcut_padding` | `A`, `B`, `C` or `none`; `end` or `both` with A |
/// | `stride_on` | `1x1` or `3x3`, of networks with bottlenecks |
/// | `inception_branch` | `5x5` or `3x3`, of GoogLeNet |
/// | `input_side`, `channel_order` | pixels; `RGB` |
/// | `preprocessing` | `per-pixel-mean` (tensor `preprocessing.mean`) or `channels` |
/// | `mean`, `std` | JSON arrays of three numbers, with `channels` |
/// | `batch_normalization` | `exact` or `moving` |
/// | `provenance.…` | free |
struct ModelMetadata {
  let fields: [String: String]

  private enum Field {
    static let format = "format", version = "format_version", network = "network"
    static let classes = "classes", classNames = "class_names", shortcut = "shortcut"
    static let padding = "shortcut_padding", stride = "stride_on", branch = "inception_branch"
    static let side = "input_side", order = "channel_order"
    static let preprocessing = "preprocessing", mean = "mean", std = "std"
    static let statistics = "batch_normalization", provenance = "provenance."
    static let graph = "graph"
  }
  private enum Preprocessing {
    static let perPixelMean = "per-pixel-mean", channels = "channels"
  }

  init(_ model: ModelFile) {
    var fields = [
      Field.format: ModelFile.formatName, Field.version: String(ModelFile.formatVersion),
      Field.network: model.network.name, Field.classes: String(model.network.classes),
      Field.classNames: Self.json(model.classNames),
      Field.shortcut: model.network.shortcut?.option ?? "none",
      Field.side: String(model.network.inputSide), Field.order: "RGB",
      Field.statistics: model.statistics.rawValue,
    ]
    if case .padding(let padding) = model.network.shortcut {
      fields[Field.padding] = padding.rawValue
    }
    fields[Field.graph] = model.network.definition
    fields[Field.stride] = model.network.stridePlacement?.rawValue
    fields[Field.branch] = model.network.inceptionBranch?.rawValue
    switch model.normalization {
    case .perPixelMean: fields[Field.preprocessing] = Preprocessing.perPixelMean
    case .channels(let mean, let std):
      fields[Field.preprocessing] = Preprocessing.channels
      fields[Field.mean] = Self.json(mean)
      fields[Field.std] = Self.json(std)
    }
    for (key, value) in model.provenance { fields[Field.provenance + key] = value }
    self.fields = fields
  }

  /// A field that is a word: `nil` where it is missing, empty where it is so long that comparing it
  /// would take long.
  private func word(_ field: String) -> String? {
    fields[field].map { $0.utf8.count <= FileBytes.maximumNameLength ? $0 : "" }
  }

  /// Whether a file's header describes a model.
  static func describes(_ fields: [String: String]) -> Bool {
    fields[Field.format]?.utf8.elementsEqual(ModelFile.formatName.utf8) == true
  }

  /// - Throws: ``ModelFileError`` where the file is not of this format and version.
  init(_ fields: [String: String], file: String) throws(ModelFileError) {
    guard Self.describes(fields) else { throw .notAModel(file: file) }
    let version = fields[Field.version] ?? ""
    guard let number = Int(version), number >= 1 else {
      throw .badField(file: file, field: Field.version, value: version)
    }
    guard number <= ModelFile.formatVersion else {
      throw .newerVersion(file: file, version: version)
    }
    self.fields = fields
    classNames = try Self.decode([String].self, fields, Field.classNames, file: file)
    let statistics = word(Field.statistics) ?? ""
    guard let value = ModelFile.Statistics(rawValue: statistics) else {
      throw .badField(file: file, field: Field.statistics, value: statistics)
    }
    self.statistics = value
  }

  private(set) var classNames: [String] = []
  private(set) var statistics = ModelFile.Statistics.moving

  var provenance: [String: String] {
    Dictionary(
      uniqueKeysWithValues: fields.compactMap { key, value in
        key.hasPrefix(Field.provenance)
          ? (String(key.dropFirst(Field.provenance.count)), value) : nil
      })
  }

  /// The network that is described.
  ///
  /// - Parameter expected: the network that it must be; `nil` for any that can be built from a name or
  ///   a graph.
  func network(_ expected: Network? = nil, file: String) throws(ModelFileError) -> Network {
    func bad(_ field: String) -> ModelFileError {
      .badField(file: file, field: field, value: fields[field] ?? "")
    }
    guard let classes = word(Field.classes).flatMap({ Int($0) }), classes >= 1,
      classes == classNames.count
    else { throw bad(Field.classes) }
    let option = word(Field.shortcut) ?? ""
    let shortcut = Shortcut(option: option, padding: word(Field.padding) ?? "")
    guard shortcut != nil || option == "none" else { throw bad(Field.shortcut) }
    guard word(Field.order) == "RGB" else { throw bad(Field.order) }
    let placement = word(Field.stride).flatMap(StridePlacement.init)
    guard (placement == nil) == (word(Field.stride) == nil) else { throw bad(Field.stride) }
    let branch = word(Field.branch).flatMap(InceptionBranch.init)
    guard (branch == nil) == (word(Field.branch) == nil) else { throw bad(Field.branch) }
    guard let side = word(Field.side).flatMap({ Int($0) }), word(Field.side) == String(side),
      expected != nil || Network.inputSides.contains(side)
    else { throw bad(Field.side) }
    let name = word(Field.network) ?? ""
    if let expected {
      guard expected.name == name, expected.shortcut == shortcut,
        expected.stridePlacement == placement, expected.inceptionBranch == branch,
        (expected.definition ?? "").utf8.elementsEqual((fields[Field.graph] ?? "").utf8),
        expected.inputSide == side, expected.classes == classes
      else {
        throw .otherNetwork(file: file, found: name, expected: expected.name)
      }
      return expected
    }
    if let definition = fields[Field.graph] {
      guard name == Network.unnamed, shortcut == nil, placement == nil, branch == nil else {
        throw bad(Field.network)
      }
      return try Self.network(definition, side: side, classes: classes, file: file)
    }
    let network: Network
    do {
      network = try NetworkCatalog.network(
        named: name, shortcut: shortcut, stridePlacement: placement, inceptionBranch: branch,
        inputSide: side, classes: classes)
    } catch {
      throw bad(Field.network)
    }
    guard network.name == name, network.shortcut == shortcut else {
      throw bad(Field.network)
    }
    guard network.stridePlacement == placement else { throw bad(Field.stride) }
    guard network.inceptionBranch == branch else { throw bad(Field.branch) }
    return network
  }

  private static func network(_ definition: String, side: Int, classes: Int, file: String)
    throws(ModelFileError) -> Network
  {
    #if ONNX
      do {
        let name = file + ": " + Field.graph
        let network = try ONNXNetwork(
          ONNXFile(definition: definition, name: name), hasData: false
        ).network
        guard network.inputSide == side, network.classes == classes else {
          throw ModelFileError.badField(file: file, field: Field.classes, value: "\(classes)")
        }
        return network
      } catch let error as ONNXError {
        throw .badGraph(file: file, reason: "\(error.problem)")
      } catch let error as ModelFileError {
        throw error
      } catch { throw .badGraph(file: file, reason: "\(error)") }
    #else
      throw .badGraph(file: file, reason: "\(ONNXProblem.notBuiltIn)")
    #endif
  }

  func normalization(file: String, in tensors: Safetensors) throws -> Normalization {
    try normalization(file: file) {
      guard let record = tensors[ModelFile.meanTensor] else {
        throw ModelFileError.missingTensor(
          file: file, name: ModelFile.meanTensor, network: fields[Field.network] ?? "")
      }
      let side = Int(fields[Field.side] ?? "") ?? 0
      let expected = Shape([side, side, 3])
      guard record.shape == expected else {
        throw ModelFileError.wrongShape(
          file: file, name: ModelFile.meanTensor, found: record.shape, expected: expected)
      }
      return try tensors.floats(ModelFile.meanTensor).scalars
    }
  }

  /// How images are prepared.
  ///
  /// - Parameter mean: reads that of each pixel, `[side, side, 3]`, where there is one.
  func normalization(file: String, perPixel mean: () throws -> [Float]) throws -> Normalization {
    let kind = word(Field.preprocessing) ?? ""
    switch kind {
    case Preprocessing.perPixelMean: return .perPixelMean(try mean())
    case Preprocessing.channels:
      let mean = try Self.decode([Float].self, fields, Field.mean, file: file)
      let std = try Self.decode([Float].self, fields, Field.std, file: file)
      guard mean.count == 3 else {
        throw ModelFileError.badField(
          file: file, field: Field.mean, value: fields[Field.mean] ?? "")
      }
      guard std.count == 3, std.allSatisfy({ $0 > 0 }) else {
        throw ModelFileError.badField(
          file: file, field: Field.std, value: fields[Field.std] ?? "")
      }
      return .channels(mean: mean, std: std)
    default:
      throw ModelFileError.badField(file: file, field: Field.preprocessing, value: kind)
    }
  }

  /// Bytes of a field of JSON, which become many times as many in memory: enough for the numbered names
  /// of a million classes.
  private static let maximumJSONLength = 16 << 20

  private static func json(_ value: some Encodable) -> String {
    // Strings and numbers always encode.
    (try? JSONEncoder().encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
  }

  private static func decode<Result: Decodable>(
    _ type: Result.Type, _ fields: [String: String], _ field: String, file: String
  ) throws(ModelFileError) -> Result {
    let text = fields[field] ?? ""
    guard text.utf8.count <= maximumJSONLength,
      let value = try? JSONDecoder().decode(type, from: Data(text.utf8))
    else {
      throw .badField(file: file, field: field, value: text)
    }
    return value
  }
}
