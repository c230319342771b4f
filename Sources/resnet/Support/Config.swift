import Foundation
import ResidualTraining
import Yams

/// Recipes as YAML files.
enum Config {
  /// A recipe has some twenty short lines.
  static let maximumByteCount = 64 << 10

  /// Reads the choices that a file makes.
  ///
  /// - Throws: ``ConfigError``, ``FileError``.
  static func read(_ path: String) throws -> RecipeOptions {
    let file = try FileBytes(at: path)
    guard file.count <= maximumByteCount else {
      throw ConfigError(path, "\(file.count) bytes, where a recipe has at most \(maximumByteCount)")
    }
    let text = file.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    // Aliases multiply: a few hundred bytes can stand for gigabytes. A recipe needs none.
    if let line = lineWithAlias(text) {
      throw ConfigError(
        path, "line \(line): anchors and aliases (& and *) are not allowed; write the value itself")
    }
    let node: Yams.Node?
    do { node = try Yams.compose(yaml: text) } catch {
      throw ConfigError(path, describe(error))
    }
    guard let node else { return RecipeOptions() }
    guard let mapping = node.mapping else {
      throw ConfigError(path, "a recipe is a list of 'name: value' lines")
    }
    let known = RecipeOptions.CodingKeys.allCases.map(\.rawValue)
    for key in mapping.keys {
      let name = key.string ?? "?"
      guard known.contains(name) else {
        throw ConfigError(
          path,
          "there is no setting '\(name.prefix(80))'" + Suggestion.question(for: name, among: known)
            + "; the settings are \(known.joined(separator: ", "))")
      }
    }
    let options: RecipeOptions
    do { options = try decode(text) } catch { throw ConfigError(path, describe(error)) }
    do { try options.validate() } catch { throw ConfigError(path, describe(error)) }
    return options
  }

  static func decode(_ text: String) throws -> RecipeOptions {
    try YAMLDecoder().decode(RecipeOptions.self, from: text)
  }

  /// The text of a recipe: a line for each setting that has a value.
  static func text(_ options: RecipeOptions) throws -> String {
    try RecipeOptions.CodingKeys.allCases.compactMap { key in
      let value: String? =
        switch key {
        case .data: try options.data.map(quoted)
        case .model: options.model
        case .shortcut: options.shortcut
        case .shortcutPadding: options.shortcutPadding
        case .stridePlacement: options.stridePlacement
        case .gateBias: options.gateBias?.description
        case .inceptionBranch: options.inceptionBranch
        case .imageSize: options.imageSize?.description
        case .initialization: options.initialization
        case .seed: options.seed?.description
        case .batchSize: options.batchSize?.description
        case .epochs: options.epochs?.description
        case .steps: options.steps?.description
        case .learningRate: options.learningRate?.description
        case .milestones: options.milestones?.description
        case .momentum: options.momentum?.description
        case .weightDecay: options.weightDecay?.description
        case .warmupRate: options.warmupRate?.description
        case .warmupError: options.warmupError?.description
        case .warmupLimit: options.warmupLimit?.description
        case .classifierRateScale: options.classifierRateScale?.description
        case .augmentation: options.augmentation?.description
        case .validation: options.validation?.description
        case .exactStatistics: options.exactStatistics?.description
        case .recomputation: options.recomputation
        case .memoryLimit: options.memoryLimit
        case .initialCheckpoint: try options.initialCheckpoint.map(quoted)
        case .classes: options.classes?.description
        case .freeze:
          try options.freeze.map { "[\(try $0.map(quoted).joined(separator: ", "))]" }
        case .mean: options.mean?.description
        case .std: options.std?.description
        case .channelOrder: options.channelOrder
        case .inputRange: options.inputRange
        }
      return value.map { "\(key.rawValue): \($0)\n" }
    }.joined()
  }

  /// A path as YAML: as it is where that is safe, or else as JSON writes it, without & and *.
  private static func quoted(_ path: String) throws -> String {
    if path.contains(/^[\w.\/][\w.\/ @%+=,~-]*\w$/), path.lowercased() != "null" { return path }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return String(decoding: try encoder.encode(path), as: UTF8.self)
      .replacing("&", with: "\\u0026").replacing("*", with: "\\u002a")
  }

  /// The first line with a word that begins with & or *. Some may be harmless text, but telling
  /// them apart takes a whole reader of YAML. Right behind a quotation mark there is none.
  private static func lineWithAlias(_ text: String) -> Int? {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    return lines.firstIndex { !$0.hasPrefix("#") && $0.contains(/(^|[^\w"'])[&*]\S/) }.map {
      $0 + 1
    }
  }

  /// What is wrong, in one line and in the words of a file.
  static func describe(_ error: any Error) -> String {
    switch error {
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
      DecodingError.dataCorrupted(let context), DecodingError.keyNotFound(_, let context):
      guard let name = context.codingPath.first?.stringValue else {
        return "a recipe is a list of 'name: value' lines"
      }
      return "the value of '\(name)' must be \(kind(of: .init(rawValue: name)))"
    case YamlError.scanner(_, let problem, let mark, _),
      YamlError.parser(_, let problem, let mark, _),
      YamlError.composer(_, let problem, let mark, _):
      return "line \(mark.line) is no YAML: \(problem)"
    case let error as YamlError:
      return "this is no YAML: "
        + "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
    case RecipeError.network(.unknown): return Failure.message(for: error)
    default: return "\(error)"
    }
  }

  private static func kind(of key: RecipeOptions.CodingKeys?) -> String {
    switch key {
    case .data, .model, .shortcut, .shortcutPadding, .stridePlacement, .inceptionBranch,
      .initialization, .recomputation, .memoryLimit, .initialCheckpoint, .channelOrder,
      .inputRange:
      "text"
    case .imageSize, .seed, .batchSize, .steps, .warmupLimit, .validation, .classes:
      "a whole number"
    case .freeze: "a list of paths, such as [conv1, bn1]"
    case .mean, .std: "a list of three numbers, such as [0.485, 0.456, 0.406]"
    case .milestones: "a list of whole numbers, such as [390, 585]"
    case .augmentation, .exactStatistics: "true or false"
    default: "a number"
    }
  }
}

/// Why a configuration cannot be used.
struct ConfigError: Error, CustomStringConvertible {
  let description: String
  init(_ path: String, _ reason: String) { description = "\(path): \(reason)" }
}
