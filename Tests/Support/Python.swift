import Foundation

/// The interpreter that `RESNET_PYTHON` names, as an independent truth. `scripts/test --with-peers`
/// installs one with all packages.
package enum Python {
  package struct Failure: Error { package let output: String }

  /// Whether there is such a Python, and it has these modules.
  package static func has(_ modules: String...) -> Bool {
    (try? run("import \(modules.joined(separator: ", "))")) != nil
  }

  /// Why a test that needs these modules is skipped.
  package static func lacks(_ modules: String...) -> String {
    "RESNET_PYTHON names no Python with \(modules.joined(separator: ", "))"
  }

  /// Runs a script and returns what it prints; `arguments` are `sys.argv[1:]`.
  ///
  /// - Throws: ``Failure`` where there is no interpreter, or the script fails.
  @discardableResult
  package static func run(_ script: String, _ arguments: String...) throws -> String {
    guard let path = ProcessInfo.processInfo.environment["RESNET_PYTHON"] else {
      throw Failure(output: "RESNET_PYTHON is not set")
    }
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.arguments = ["-c", script] + arguments
    // Hugging Face's libraries must not look for anything on a network.
    process.environment = ProcessInfo.processInfo.environment
      .merging(["HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"]) { $1 }
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
