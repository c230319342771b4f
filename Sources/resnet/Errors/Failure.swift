import ArgumentParser
import Foundation
import ResidualPlatform
import ResidualRuns

/// How the program ends when something is wrong: one line on standard error, and a code of
/// sysexits.h that scripts can tell apart.
package enum Failure {
  package enum Code: Int32, CaseIterable {
    /// A flag, or a variable of the environment in its place.
    case usage = 64
    /// Data, a model, a configuration: missing ones included.
    case input = 65
    /// A library or hardware that is not there.
    case unavailable = 69
    /// The loss is NaN or infinite.
    case diverged = 70
    case memory = 71
    /// Something cannot be written.
    case output = 73
    // 128 and the signal.
    case hungUp = 129
    case interrupted = 130
    case warned = 138
    case terminated = 143
  }

  /// The code for an error, `nil` if ArgumentParser knows better.
  package static func code(for error: any Error) -> Code? {
    switch error {
    case let error as Interruption.Interrupted:
      return Code(rawValue: 128 + error.signal) ?? .interrupted
    case let refusal as any Refusal:
      return switch refusal.kind {
      case .usage: .usage
      case .input: .input
      case .unavailable: .unavailable
      case .diverged: .diverged
      case .memory: .memory
      case .output: .output
      }
    default: return nil
    }
  }

  /// Ends the program after an error of a verb.
  static func exit(_ error: any Error) -> Never {
    guard let code = code(for: error) else { ResNet.exit(withError: error) }
    exit(message(for: error), code)
  }

  /// Ends the program where its arguments cannot be parsed, or ask for help or the version.
  static func exit(parsing error: any Error, _ arguments: [String]) -> Never {
    if ResNet.exitCode(for: error).isSuccess { ResNet.exit(withError: error) }
    exit(usageMessage(ResNet.message(for: error), arguments), .usage)
  }

  private static func exit(_ message: String, _ code: Code) -> Never {
    if !message.isEmpty { Terminal.standardError().error(message) }
    ResidualPlatform.exit(code.rawValue)
  }

  /// What is wrong with the arguments in one line, and where to look them up.
  static func usageMessage(_ message: String, _ arguments: [String]) -> String {
    var command: any ParsableCommand.Type = ResNet.self
    var name = "resnet"
    for word in arguments {
      let verbs = command.configuration.subcommands
      if verbs.isEmpty || word.hasPrefix("-") || word == "help" { break }
      guard let next = verbs.first(where: { names(of: $0).contains(word) }) else {
        return "there is no '\(name) \(word)'"
          + Suggestion.ending(for: word, among: verbs.flatMap(names), then: "see '\(name) --help'")
      }
      (command, name) = (next, name + " " + word)
    }
    var line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
    line = line.replacing(". Did you", with: "; did you").replacing(". Please", with: "; please")
    // ArgumentParser's sentences begin with a capital; a variable's name keeps its own.
    if line.dropFirst().first?.isLowercase == true {
      line = line.prefix(1).lowercased() + line.dropFirst()
    }
    return (line.hasSuffix(".") ? String(line.dropLast()) : line) + "; see '\(name) --help'"
  }

  private static func names(of command: any ParsableCommand.Type) -> [String] {
    [command._commandName] + command.configuration.aliases
  }

  /// What is wrong, in the words of someone who types flags.
  static func message(for error: any Error) -> String {
    (error as? any Refusal)?.message.text(for: .commandLine) ?? "\(error)"
  }
}

/// A flag's value that cannot be.
struct UsageError: Refusal {
  let description: String
  var kind: RefusalKind { .usage }
  init(_ description: String) { self.description = description }
}

/// Input that is readable but not usable here.
struct InputError: Refusal {
  let description: String
  var kind: RefusalKind { .input }
  init(_ description: String) { self.description = description }
}
