import Foundation
import ResidualFormats
import ResidualImages

/// The description in a model file's header: strings by name, as safetensors allows.
///
/// | field | value |
/// |---|---|
/// | `format`, `format_version` | `residual-model`, `2` |
/// | `network`, `classes`, `class_names` | canonical name, number, JSON array |
/// | `class_names_from` | `imagenet` or `numbers`, where nobody has named the classes of this model |
/// | `graph` | the layers of a network named `onnx`: an ONNX model without its numbers, in base64 |
/// | `shortcut`, `shortcut_padding` | `A`, `B`, `C` or `none`; `end` or `both` with A |
/// | `stride_on` | `1x1` or `3x3`, of networks with bottlenecks |
/// | `inception_branch` | `5x5` or `3x3`, of GoogLeNet |
/// | `input_side`, `channel_order` | pixels; `RGB` |
/// | `view` | `squash`, or `center-crop` with `shorter_side`: how an image becomes a square |
/// | `interpolation` | `bilinear` |
/// | `preprocessing` | `per-pixel-mean` (tensor `preprocessing.mean`) or `channels` |
/// | `mean`, `std` | JSON arrays of three numbers, with `channels` |
/// | `storage` | `float32` |
/// | `batch_normalization` | `exact` or `moving` |
/// | `provenance.…` | free |
///
/// Version 1 has no `view`, `interpolation` and `storage`: images are squashed. A later view or storage
/// type is another value of its field, which this version refuses by name.
struct ModelMetadata {
  let fields: [String: String]

  enum Field {
    static let format = "format", version = "format_version", network = "network"
    static let classes = "classes", classNames = "class_names", shortcut = "shortcut"
    static let side = "input_side", order = "channel_order", storage = "storage"
    static let view = "view", shorterSide = "shorter_side", interpolation = "interpolation"
    static let preprocessing = "preprocessing", mean = "mean", std = "std"
    static let statistics = "batch_normalization", provenance = "provenance."
    static let graph = "graph", classNameSource = "class_names_from"
  }
  enum Preprocessing {
    static let perPixelMean = "per-pixel-mean", channels = "channels"
  }
  enum View { static let squash = "squash", centerCrop = "center-crop" }
  static let order = "RGB", interpolation = "bilinear", storage = "float32"
  private static let noShortcut = "none"

  init(_ model: ModelFile) {
    let network = model.network
    var fields = [
      Field.format: ModelFile.formatName, Field.version: String(ModelFile.formatVersion),
      Field.network: network.name, Field.classes: String(network.classes),
      Field.classNames: Self.json(model.classNames), Field.shortcut: Self.noShortcut,
      Field.side: String(network.inputSide), Field.order: Self.order,
      Field.interpolation: Self.interpolation, Field.storage: Self.storage,
      Field.statistics: model.statistics.rawValue,
    ]
    for option in NetworkVariant.settings {
      if let text = option.text(network.variant.structure)?.single {
        fields[option.option.key] = text
      }
    }
    switch model.classNameSource {
    case .own, .given: break
    case .imageNet, .numbers: fields[Field.classNameSource] = model.classNameSource.rawValue
    }
    fields[Field.graph] = network.definition
    switch model.preparation.view {
    case .squash: fields[Field.view] = View.squash
    case .centerCrop(let shorterSide):
      fields[Field.view] = View.centerCrop
      fields[Field.shorterSide] = String(shorterSide)
    }
    switch model.preparation.normalization {
    case .perPixelMean: fields[Field.preprocessing] = Preprocessing.perPixelMean
    case .channels(let mean, let std):
      fields[Field.preprocessing] = Preprocessing.channels
      fields[Field.mean] = Self.json(mean)
      fields[Field.std] = Self.json(std)
    }
    for (key, value) in model.provenance { fields[Field.provenance + key] = value }
    self.fields = fields
  }

  /// A field that is a word: `nil` if it is missing, empty if it is so long that comparing it
  /// would take long.
  func word(_ field: String) -> String? {
    fields[field].map { $0.utf8.count <= FileBytes.maximumNameLength ? $0 : "" }
  }

  func bad(_ field: String, file: String) -> ModelFileError {
    .badField(file: file, field: field, value: fields[field] ?? "")
  }

  func unknown(_ field: String, file: String) -> ModelFileError {
    .unknownValue(file: file, field: field, value: fields[field] ?? "")
  }

  /// Whether a file's header describes a model.
  static func describes(_ fields: [String: String]) -> Bool {
    fields[Field.format]?.utf8.elementsEqual(ModelFile.formatName.utf8) == true
  }

  /// - Throws: ``ModelFileError`` if the file is not of this format and version.
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
    self.version = number
    classNames = try Self.decode([String].self, fields, Field.classNames, file: file)
    if let text = word(Field.classNameSource) {
      guard let source = ClassNameSource(rawValue: text),
        source != .imageNet || classNames.count == ImageNetClasses.names.count
      else { throw bad(Field.classNameSource, file: file) }
      classNameSource = source
    }
    let statistics = word(Field.statistics) ?? ""
    guard let value = ModelFile.Statistics(rawValue: statistics) else {
      throw .badField(file: file, field: Field.statistics, value: statistics)
    }
    self.statistics = value
    guard number == 1 || word(Field.storage) == Self.storage else {
      throw unknown(Field.storage, file: file)
    }
  }

  private(set) var classNames: [String] = []
  private(set) var classNameSource = ClassNameSource.own
  private(set) var statistics = ModelFile.Statistics.moving
  /// Of the format.
  private(set) var version = ModelFile.formatVersion

  var provenance: [String: String] {
    Dictionary(
      uniqueKeysWithValues: fields.compactMap { key, value in
        key.hasPrefix(Field.provenance)
          ? (String(key.dropFirst(Field.provenance.count)), value) : nil
      })
  }

  // MARK: The network

  /// The network that is described.
  ///
  /// - Parameter expected: the network that it must be; `nil` for any that can be built from a name or
  ///   a graph.
  func network(_ expected: Network? = nil, file: String) throws(ModelFileError) -> Network {
    guard let classes = word(Field.classes).flatMap({ Int($0) }), classes >= 1,
      classes == classNames.count
    else { throw bad(Field.classes, file: file) }
    guard word(Field.order) == Self.order else { throw bad(Field.order, file: file) }
    let variant = try variant(file: file)
    guard let side = word(Field.side).flatMap({ Int($0) }), word(Field.side) == String(side),
      expected != nil || Network.inputSides.contains(side)
    else { throw bad(Field.side, file: file) }
    let name = word(Field.network) ?? ""
    if let expected {
      guard expected.name == name, expected.variant.structure == variant,
        (expected.definition ?? "").utf8.elementsEqual((fields[Field.graph] ?? "").utf8),
        expected.inputSide == side, expected.classes == classes
      else {
        throw .otherNetwork(file: file, found: name, expected: expected.name)
      }
      return expected
    }
    if let definition = fields[Field.graph] {
      guard name == Network.unnamed, variant == .init() else {
        throw bad(Field.network, file: file)
      }
      return try Self.network(definition, side: side, classes: classes, file: file)
    }
    let network: Network
    do {
      network = try NetworkCatalog.network(
        named: name, variant: variant, inputSide: side, classes: classes)
    } catch {
      throw bad(Field.network, file: file)
    }
    guard network.name == name else { throw bad(Field.network, file: file) }
    let differing = NetworkVariant.settings.differences(network.variant.structure, variant)
    if let option = differing.first?.option {
      throw bad(option == .shortcut ? Field.network : option.key, file: file)
    }
    return network
  }

  private func variant(file: String) throws(ModelFileError) -> NetworkVariant {
    var variant = NetworkVariant()
    for setting in NetworkVariant.settings {
      guard let text = word(setting.option.key) else { continue }
      if setting.option == .shortcut, text == Self.noShortcut { continue }
      do { try setting.set(.word(text), in: &variant) } catch {
        throw bad(setting.option.key, file: file)
      }
      // As it was written, not as a person may write it.
      guard setting.text(variant)?.single == text else { throw bad(setting.option.key, file: file) }
    }
    guard fields[Field.shortcut] != nil else { throw bad(Field.shortcut, file: file) }
    return variant.structure
  }

  private static func network(_ definition: String, side: Int, classes: Int, file: String)
    throws(ModelFileError) -> Network
  {
    #if ONNX
      let network: Network
      do throws(ONNXError) {
        let graph = try ONNXFile(definition: definition, name: file + ": " + Field.graph)
        network = try ONNXNetwork(graph, hasData: false).network
      } catch { throw .badGraph(file: file, reason: "\(error.problem)") }
      guard network.inputSide == side, network.classes == classes else {
        throw .badField(file: file, field: Field.classes, value: "\(classes)")
      }
      return network
    #else
      throw .badGraph(file: file, reason: "\(ONNXProblem.notBuiltIn)")
    #endif
  }

  // MARK: JSON

  /// Bytes of a field of JSON, which become many times as many in memory: enough for the numbered names
  /// of a million classes.
  private static let maximumJSONLength = 16 << 20

  private static func json(_ value: some Encodable) -> String {
    // Strings and numbers always encode.
    (try? JSONEncoder().encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
  }

  static func decode<Result: Decodable>(
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
