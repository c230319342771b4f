import ArgumentParser
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
enum Failure {
  enum Code: Int32, CaseIterable {
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
  static func code(for error: any Error) -> Code? {
    switch error {
    case is RecipeError, is NetworkNameError, is UsageError: .usage
    case let error as ImageError:
      switch error {
      case .codecMissing, .codecUnavailable: .unavailable
      default: .input
      }
    case DatasetError.image(let error): code(for: error)
    case is DatasetError, is FileError, is SafetensorsError, is ModelFileError, is CheckpointError,
      is ConfigError, is InputError:
      .input
    case is DeviceUnavailable: .unavailable
    case is Divergence: .diverged
    case is AllocationError: .memory
    case is OutputError: .output
    case let error as Interruption.Interrupted: error.isTermination ? .terminated : .interrupted
    default: nil
    }
  }

  static func exit(_ error: any Error) -> Never {
    guard let code = code(for: error) else { ResNet.exit(withError: error) }
    let terminal = Terminal.standardError()
    let message = message(for: error)
    if !message.isEmpty {
      Terminal.write(terminal.styled("error:", .red) + " " + message + "\n")
    }
    #if canImport(Darwin)
      Darwin.exit(code.rawValue)
    #elseif canImport(Musl)
      Musl.exit(code.rawValue)
    #else
      Glibc.exit(code.rawValue)
    #endif
  }

  static func message(for error: any Error) -> String {
    switch error {
    case let error as RecipeError: flagged(error)
    case NetworkNameError.unknown(let name): unknownNetwork(name)
    default: "\(error)"
    }
  }

  /// A recipe's error in the words of the command line.
  private static func flagged(_ error: RecipeError) -> String {
    switch error {
    case .network(.unknown(let name)): unknownNetwork(name)
    case .outOfRange(let option, let value, let allowed):
      "\(option.flag) \(value) is out of range: \(allowed)"
    case .unknownChoice(let option, let value, let choices):
      "\(option.flag) '\(value)' is not one of \(choices.joined(separator: ", "))"
    case .epochsAndSteps: "--epochs and --steps both say how long to train; give one of them"
    case .batchLargerThanSet(let batch, let images):
      "--batch-size \(batch) is larger than the training set of \(images) images; give at most that"
    default: "\(error)"
    }
  }

  private static func unknownNetwork(_ name: String) -> String {
    "no network is named '\(name)'"
      + Suggestion.question(for: name, among: NetworkCatalog.knownNames)
      + "; 'resnet summary --help' says which there are"
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
}
