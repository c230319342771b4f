import ArgumentParser
import Foundation
import ResidualCPU
import ResidualTraining

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

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
    /// The loss is no longer a number.
    case diverged = 70
    case memory = 71
    /// Something cannot be written.
    case output = 73
    case interrupted = 130
    case terminated = 143
  }

  /// The code for an error, `nil` where ArgumentParser knows better.
  package static func code(for error: any Error) -> Code? {
    switch error {
    case let error as ShapeError: error.isTooLarge ? .memory : .usage
    case WeightsError.notOfNetwork: .usage
    case is RecipeError, is NetworkNameError, is UsageError,
      InstructionSetError.unknown:
      .usage
    case let error as ImageError:
      switch error {
      case .codecMissing, .codecUnavailable: .unavailable
      case .notEncoded: .output
      default: .input
      }
    case let error as ONNXExportError:
      switch error {
      case .notBuilt: .unavailable
      case .needsOpset, .meanOfPixels: .usage
      case .notForInference, .dependsOnBatch, .tooLarge: .input
      case .changed: .output
      }
    case DatasetError.image(let error): code(for: error)
    case is DatasetError, is FileError, is SafetensorsError, is TorchError, is ONNXError,
      is ModelFileError,
      is WeightsError, is HubFolder.Unsupported,
      is CheckpointError, is ConfigError, is InputError:
      .input
    case is DeviceUnavailable, is InstructionSetError: .unavailable
    case is Divergence: .diverged
    case is AllocationError, is MemoryLimitError: .memory
    case is OutputError: .output
    case let error as Interruption.Interrupted: error.isTermination ? .terminated : .interrupted
    default: nil
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
    if !message.isEmpty {
      let prefix = Terminal.standardError().styled("error:", .red)
      Terminal.write(prefix + " " + message.onOneLine + "\n")
    }
    #if canImport(Darwin)
      Darwin.exit(code.rawValue)
    #elseif canImport(Musl)
      Musl.exit(code.rawValue)
    #else
      Glibc.exit(code.rawValue)
    #endif
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
          + Suggestion.question(for: word, among: verbs.flatMap(names)) + "; see '\(name) --help'"
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

  static func message(for error: any Error) -> String {
    switch error {
    case NetworkNameError.unknown(let name), RecipeError.network(.unknown(let name)):
      unknownNetwork(name)
    case let error as RecipeError: error.message(equals: " ") { $0.flag }
    case let error as ShapeError where error.isTooLarge:
      "\(error); choose a smaller batch or smaller images"
    case let error as ShapeError: "\(error); choose a larger --img-size, or another network"
    default: "\(error)".namingFlags
    }
  }

  private static func unknownNetwork(_ name: String) -> String {
    "no network is named '\(name)'"
      + Suggestion.question(for: name, among: NetworkCatalog.knownNames)
      + "; 'resnet networks' says which there are"
  }
}

/// A flag's value that cannot be.
struct UsageError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Input that is readable but not usable here.
struct InputError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// An error of writing, which a file's error does not tell apart from one of reading.
struct OutputError: Error, CustomStringConvertible {
  let description: String

  /// Runs something that writes.
  static func wrap<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as FileError {
      throw OutputError(description: error.description)
    }
  }

  /// Refuses a folder in which nothing can be made, before work is done for it. It may be missing,
  /// in a folder that is not.
  static func checkWritable(folder: String, option: String) throws {
    guard !folder.isEmpty else { throw UsageError("\(option) has no value; name a folder") }
    var path = folder
    while path != ".", path != "/", !FileManager.default.fileExists(atPath: path) {
      path = (path as NSString).deletingLastPathComponent
      if path.isEmpty { path = "." }
    }
    // Permissions do not tell all, so try.
    var template = Array((path + "/.residual-XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else {
      let reason =
        switch errno {
        case ENOTDIR: "this is a file, a folder is needed"
        case ENOENT: "the system lets nothing be written there"
        case let code: String(cString: strerror(code)).lowercased()
        }
      throw OutputError(description: "\(path): \(reason); choose another \(option)")
    }
    rmdir(template)
  }

  /// The same for a file, whose folder must be there.
  static func checkWritable(file: String, option: String) throws {
    guard !file.isEmpty else { throw UsageError("\(option) has no value; name a file") }
    let folder = (file as NSString).deletingLastPathComponent
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: file, isDirectory: &isFolder), isFolder.boolValue {
      throw OutputError(description: "\(file): this is a folder; name a file with \(option)")
    }
    guard folder.isEmpty || FileManager.default.fileExists(atPath: folder) else {
      throw OutputError(description: "\(folder): there is no such folder; create it first")
    }
    try checkWritable(folder: folder.isEmpty ? "." : folder, option: option)
  }
}
