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
  /// - Parameter afterMessage: called after each message on standard error until it returns true. On
  ///   Linux the command waits meanwhile where it has another one to write, so it can be no more than
  ///   one message ahead, however slow this process is.
  static func run(
    _ arguments: [String], in folder: URL, environment: [String: String] = [:],
    afterMessage: (Process) throws -> Bool = { _ in true }
  ) throws -> Outcome {
    let output = FileManager.default.temporaryDirectory.appending(path: "residual-\(UUID())")
    defer { try? FileManager.default.removeItem(at: output) }
    try #require(FileManager.default.createFile(atPath: output.path, contents: nil))
    let pipe = Pipe()
    // Processes that other tests start meanwhile must not keep it open.
    for handle in [pipe.fileHandleForReading, pipe.fileHandleForWriting] {
      #expect(fcntl(handle.fileDescriptor, F_SETFD, FD_CLOEXEC) == 0)
    }
    #if os(Linux)
      makeHoldOneMessage(pipe)
    #endif
    let process = try Self.start(
      arguments, in: folder, environment: environment,
      output: FileHandle(forWritingTo: output), errors: pipe.fileHandleForWriting)
    try pipe.fileHandleForWriting.close()
    var errors: [UInt8] = []
    var isDone = false
    try readAll(pipe.fileHandleForReading.fileDescriptor, of: process) {
      errors += $0
      if !isDone { isDone = try afterMessage(process) }
    }
    return Outcome(
      code: process.terminationStatus, isKilled: process.terminationReason == .uncaughtSignal,
      output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
      errors: String(decoding: errors, as: UTF8.self))
  }

  /// Reads what a process writes until it has ended; after ten minutes of silence it is killed.
  static func readAll(
    _ descriptor: Int32, of process: Process, _ receive: (ArraySlice<UInt8>) throws -> Void
  ) throws {
    defer { process.waitUntilExit() }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      if poll(&wanted, 1, 600_000) == 0 {
        Issue.record("\(process.arguments ?? []) has been silent for ten minutes")
        kill(process.processIdentifier, SIGKILL)
      }
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      // A terminal fails, and a pipe ends, once the last process that holds it has ended.
      guard count > 0 else { return }
      try receive(buffer[..<count])
    }
  }

  #if os(Linux)
    /// Makes a pipe hold one message, which is what one call writes: the next call waits until it is
    /// read.
    private static func makeHoldOneMessage(_ pipe: Pipe) {
      let descriptor = pipe.fileHandleForWriting.fileDescriptor
      // What Swift does not know of <fcntl.h>: a message for each call, and the size of a pipe.
      #if arch(x86_64)
        let direct: Int32 = 0o40000
      #else
        let direct: Int32 = 0o200000
      #endif
      let setSize: Int32 = 1031
      #expect(fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | direct) == 0)
      #expect(fcntl(descriptor, setSize, 4096) >= 4096)
    }
  #endif
}

/// Everything that starts processes, one after the other, since each takes all cores.
@Suite(
  .serialized,
  .enabled(if: Program.url != nil, "the executable 'resnet' is not built beside the tests"),
  .enabled(if: Workplace.hasCodec, "this build cannot write PNG images"))
struct Commands {}

extension Commands {
  /// Expects that the command refuses with one line, and leaves no trace: one that began to work would
  /// have made a folder, or written more.
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
    #expect(place.listing == before, shown, sourceLocation: location)
  }
}
