import ResidualCPU
import ResidualReference
import Testing

/// A device that must agree with the oracle.
struct TestDevice: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// Compares one case.
  let compare: @Sendable (ConformanceCase) throws -> Void
  /// Runs one case.
  let run: @Sendable (ConformanceCase) throws -> Results

  init(_ name: String, _ device: @escaping @Sendable () throws -> some Device) {
    testDescription = name
    compare = { try ResidualConformanceTests.compare($0, on: device()) }
    run = { try ResidualConformanceTests.run($0, on: device()) }
  }

  /// The oracle against itself, which checks the comparison, and the processor with each
  /// instruction set that this machine has.
  static let all = [TestDevice("reference") { ReferenceDevice() }] + processors(threads: 2)

  static func processors(threads: Int) -> [TestDevice] {
    InstructionSet.available.map { instructionSet in
      TestDevice("\(instructionSet.rawValue), \(threads) threads") {
        try CPUDevice(threads: threads, instructionSet: instructionSet)
      }
    }
  }
}
