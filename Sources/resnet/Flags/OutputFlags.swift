import ArgumentParser
import Foundation

/// What is printed.
struct OutputFlags: ParsableArguments {
  @Flag(help: "Print one JSON document on standard output.")
  var json = false
  @Flag(help: "Print no progress and no remarks.")
  var quiet = false

  var terminal: Terminal { .standardError(isQuiet: quiet) }
}

extension String {
  /// The end of a verb's help: what a person may type.
  static func examples(_ commands: String...) -> String {
    "\n\nExamples:\n" + commands.map { "  resnet " + $0 }.joined(separator: "\n")
  }
}

/// Prints a document for machines.
enum JSONDocument {
  static func print(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    encoder.keyEncodingStrategy = .convertToSnakeCase
    Swift.print(String(decoding: try encoder.encode(value), as: UTF8.self))
  }
}
