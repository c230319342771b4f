import Foundation
import ResidualFormats
import ResidualTensors
import Testing

/// The interpreter that `RESNET_PYTHON` names, as the independent truth about formats.
enum Python {
  static let safetensorsReason: Comment = "RESNET_PYTHON names no Python with numpy and safetensors"
  static let numpyReason: Comment = "RESNET_PYTHON names no Python with numpy"
  static let torchReason: Comment = "RESNET_PYTHON names no Python with torch"
  static let hasNumPy = (try? run("import numpy")) != nil
  static let hasSafetensors = hasNumPy && (try? run("import safetensors.numpy")) != nil

  static let hasTorch = (try? run("import torch")) != nil

  struct Failure: Error { let output: String }

  /// Runs a script and returns what it prints; `arguments` are `sys.argv[1:]`.
  @discardableResult
  static func run(_ script: String, _ arguments: String...) throws -> String {
    guard let path = ProcessInfo.processInfo.environment["RESNET_PYTHON"] else {
      throw Failure(output: "RESNET_PYTHON is not set")
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = ["-c", script] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(output: output) }
    return output
  }
}
