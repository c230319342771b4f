import Foundation
import ResidualPlatform
import Testing

/// The built command as a process of its own, which is how people and scripts meet it.
enum Program {
  struct Outcome {
    let code: Int32
    /// Whether a signal ended the process, as it does after a trap.
    let isKilled: Bool
    let output: String
    let errors: String
    let seconds: Double

    var errorLines: [Substring] { errors.split(separator: "\n") }

    /// Standard output as one JSON document.
    func json() throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
    }
  }

  /// The executable beside the test bundle; nil where only tests were built.
  static let url: URL? = {
    let places =
      [Bundle.main.executableURL, URL(filePath: CommandLine.arguments[0])].compactMap(\.self)
      + Bundle.allBundles.map(\.bundleURL)
    return places.map { $0.deletingLastPathComponent().appending(path: "resnet") }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }()

  /// Starts the command, with no setting of this process's environment.
  static func start(
    _ arguments: [String], in folder: URL, environment: [String: String] = [:],
    output: FileHandle, errors: FileHandle
  ) throws -> Process {
    let process = Process()
    process.executableURL = url
    process.arguments = arguments
    process.currentDirectoryURL = folder
    // One thread: other tests want the other cores, and bits do not depend on it.
    let basis = ["PATH": "/usr/bin:/bin", "RESNET_THREADS": "1"]
    process.environment = basis.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    return process
  }

  /// Runs the command to its end.
  ///
  /// - Parameter whileRunning: called every few milliseconds until it returns true.
  static func run(
    _ arguments: [String], in folder: URL, environment: [String: String] = [:],
    whileRunning: (Process) throws -> Bool = { _ in true }
  ) throws -> Outcome {
    let files = ["output", "errors"].map {
      FileManager.default.temporaryDirectory.appending(path: "residual-\(UUID())-\($0)")
    }
    defer { for file in files { try? FileManager.default.removeItem(at: file) } }
    for file in files {
      try #require(FileManager.default.createFile(atPath: file.path, contents: nil))
    }
    let clock = ContinuousClock()
    let start = clock.now
    let process = try Self.start(
      arguments, in: folder, environment: environment,
      output: FileHandle(forWritingTo: files[0]), errors: FileHandle(forWritingTo: files[1]))
    var isDone = false
    while process.isRunning {
      if !isDone { isDone = try whileRunning(process) }
      if clock.now - start > .seconds(60) { process.terminate() }
      usleep(2000)
    }
    let seconds = (clock.now - start) / .seconds(1)
    let texts = try files.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
    return Outcome(
      code: process.terminationStatus, isKilled: process.terminationReason == .uncaughtSignal,
      output: texts[0], errors: texts[1], seconds: seconds)
  }
}

/// Everything that starts processes, one after the other, since each takes all cores.
@Suite(
  .serialized,
  .enabled(if: Program.url != nil, "the executable 'resnet' is not built beside the tests"),
  .enabled(if: Workplace.hasCodec, "this build cannot write PNG images"))
struct Commands {}

extension Commands {
  /// Expects that the command refuses at once, with one line, and leaves no trace.
  static func expectRefusal(
    _ arguments: [String], code: Int32, says words: [String], in place: Workplace,
    environment: [String: String] = [:], _ location: SourceLocation = #_sourceLocation
  ) throws {
    let before = place.listing
    let outcome = try Program.run(arguments, in: place.url, environment: environment)
    let errors = outcome.errors
    let shown = Comment("resnet \(arguments.joined(separator: " ")): \(errors)")
    #expect(!outcome.isKilled && outcome.code == code, shown, sourceLocation: location)
    #expect(outcome.output.isEmpty, shown, sourceLocation: location)
    #expect(
      errors.hasPrefix("error: ") && errors.hasSuffix("\n") && outcome.errorLines.count == 1, shown,
      sourceLocation: location)
    for word in words { #expect(errors.contains(word), shown, sourceLocation: location) }
    #expect(outcome.seconds < 2, shown, sourceLocation: location)
    #expect(place.listing == before, shown, sourceLocation: location)
  }
}
