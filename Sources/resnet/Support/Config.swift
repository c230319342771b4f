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
      throw ConfigError(path, "\(file.count) bytes are no recipe: at most \(maximumByteCount)")
    }
    let text = file.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    // Aliases multiply: a few hundred bytes can stand for gigabytes. A recipe needs none.
    if let line = lineWithAlias(text) {
      throw ConfigError(path, "line \(line): anchors and aliases (& and *) are not allowed")
    }
    let node: Yams.Node?
    do { node = try Yams.compose(yaml: text) } catch {
      throw ConfigError(path, "this is no YAML: \(firstLine(error))")
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
          path, "there is no setting '\(name)'" + Suggestion.question(for: name, among: known))
      }
    }
    do { return try decode(text) } catch { throw ConfigError(path, describe(error)) }
  }

  static func decode(_ text: String) throws -> RecipeOptions {
    try YAMLDecoder().decode(RecipeOptions.self, from: text)
  }

  /// The text of a recipe.
  static func text(_ options: RecipeOptions) throws -> String {
    let encoder = YAMLEncoder()
    encoder.options.sortKeys = true
    return try encoder.encode(options)
  }

  private static func lineWithAlias(_ text: String) -> Int? {
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      var quote: Character?
      var previous: Character = " "
      for character in line {
        if let open = quote {
          if character == open { quote = nil }
        } else if character == "#", previous == " " {
          break
        } else if character == "\"" || character == "'" {
          quote = character
        } else if character == "&" || character == "*", " :[{,-?".contains(previous) {
          return index + 1
        }
        previous = character
      }
    }
    return nil
  }

  static func describe(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return firstLine(error) }
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context),
      .dataCorrupted(let context), .keyNotFound(_, let context):
      let name = context.codingPath.map(\.stringValue).joined(separator: ".")
      return name.isEmpty ? "this is no recipe" : "the value of '\(name)' is of the wrong kind"
    @unknown default: return "this is no recipe"
    }
  }

  private static func firstLine(_ error: any Error) -> String {
    String("\(error)".split(separator: "\n").first ?? "")
  }
}

/// Why a configuration cannot be used.
struct ConfigError: Error, CustomStringConvertible {
  let description: String
  init(_ path: String, _ reason: String) { description = "\(path): \(reason)" }
}
