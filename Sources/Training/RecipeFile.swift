import Foundation
import Yams

/// Recipes as YAML files: a line `name: value` for each setting.
public enum RecipeFile {
  /// A recipe has some thirty short lines.
  static let maximumByteCount = 64 << 10

  /// Reads the choices that a file makes.
  ///
  /// - Throws: ``RecipeFileError``, ``FileError``.
  public static func read(_ path: String) throws -> RecipeOptions {
    let file = try FileBytes(at: path)
    guard file.count <= maximumByteCount else {
      throw RecipeFileError(
        path, "\(file.count) bytes, where a recipe has at most \(maximumByteCount)")
    }
    let text = file.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    // Aliases multiply: a few hundred bytes can stand for gigabytes. A recipe needs none.
    if let line = lineWithAlias(text) {
      throw RecipeFileError(
        path, "line \(line): anchors and aliases (& and *) are not allowed; write the value itself")
    }
    let node: Yams.Node?
    do { node = try Yams.compose(yaml: text) } catch {
      throw RecipeFileError(path, Message(describe(error)))
    }
    guard let node else { return RecipeOptions() }
    guard let mapping = node.mapping else {
      throw RecipeFileError(path, "a recipe is a list of 'name: value' lines")
    }
    var options = RecipeOptions()
    let known = RecipeOptions.settings.map(\.option.key)
    for (key, value) in mapping {
      let name = key.string ?? "?"
      guard
        let setting = RecipeOptions.settings.first(where: {
          $0.option.key == name || $0.option.formerKey == name
        })
      else {
        let ending = Suggestion.ending(
          for: name, among: known, then: "the settings are \(known.joined(separator: ", "))")
        throw RecipeFileError(
          path,
          "there is no setting '\(name.prefix(80))'\(ending)")
      }
      // Nothing, null and ~ stand for a setting that is not given.
      if value.null != nil { continue }
      guard let text = Self.text(value) else {
        throw RecipeFileError(path, "'\(name)' holds settings of its own; write one value")
      }
      do { try setting.set(text, in: &options) } catch {
        throw RecipeFileError(path, error.message)
      }
    }
    do { try options.validate() } catch let error as any Refusal {
      throw RecipeFileError(path, error.message)
    }
    return options
  }

  private static func text(_ node: Yams.Node) -> SettingText? {
    if let scalar = node.scalar { return .word(scalar.string) }
    let parts = node.sequence?.map(text)
    return parts.flatMap { $0.contains(nil) ? nil : .list($0.compactMap(\.self)) }
  }

  /// The text of a recipe: a line for each setting that has a value.
  public static func text(_ options: RecipeOptions) -> String {
    RecipeOptions.settings.compactMap { setting in
      setting.text(options).map { "\(setting.option.key): \(written($0))\n" }
    }.joined()
  }

  private static func written(_ text: SettingText) -> String {
    switch text {
    case .word(let word): word
    case .text(let text): quoted(text)
    case .list(let parts): "[\(parts.map(written).joined(separator: ", "))]"
    }
  }

  /// A text as YAML: as it is where that is safe, or else as JSON writes it, without & and *.
  private static func quoted(_ text: String) -> String {
    if text.contains(/^[\w.\/][\w.\/ @%+=,~-]*\w$/), text.lowercased() != "null" { return text }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    // A string always encodes.
    let json = (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "''"
    return json.replacing("&", with: "\\u0026").replacing("*", with: "\\u002a")
  }

  /// The first line with a word that begins with & or *. Some may be harmless text, but telling
  /// them apart takes a whole reader of YAML. Right behind a quotation mark there is none.
  private static func lineWithAlias(_ text: String) -> Int? {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    return lines.firstIndex { !$0.hasPrefix("#") && $0.contains(/(^|[^\w"'])[&*]\S/) }.map {
      $0 + 1
    }
  }

  /// What is wrong with the text, in one line.
  private static func describe(_ error: any Error) -> String {
    switch error {
    case YamlError.scanner(_, let problem, let mark, _),
      YamlError.parser(_, let problem, let mark, _),
      YamlError.composer(_, let problem, let mark, _):
      "line \(mark.line) is not YAML: \(problem)"
    default:
      "this is not YAML: " + "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
    }
  }
}

/// A recipe's file that cannot be used, and why.
public struct RecipeFileError: Refusal, Hashable {
  private let path: String
  private let reason: Message
  init(_ path: String, _ reason: Message) { (self.path, self.reason) = (path, reason) }
  public var kind: RefusalKind { .input }
  public var description: String { "\(path): " + reason.text(for: .file) }
}
