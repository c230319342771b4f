import ArgumentParser
import Foundation
import ResidualCPU
import ResidualFigures
import ResidualTraining

struct Checks: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Report what this machine and this program have.")

  @OptionGroup(title: "Output") var outputOptions: OutputOptions

  struct Report: Encodable {
    let version: String
    let instructionSets: [String]
    let instructionSet: String
    let cores: Int
    let memoryBytes: Int
    /// Floating-point operations a second of one core, in units of 10⁹.
    let peakGflopsPerCore: Double
    /// Whether the program was built with them.
    let libraries: [String: Bool]
  }

  func run() throws {
    let device = try CPUDevice(threads: 1, instructionSet: DeviceOptions.instructionSet())
    let libraries =
      ImageCodec.allCases.map { ($0.rawValue, $0.isAvailable) } + [("GZIP", Gzip.isAvailable)]
    let report = Report(
      version: Version.current, instructionSets: InstructionSet.available.map(\.rawValue),
      instructionSet: device.instructionSet.rawValue, cores: CPUDevice.coreCount,
      memoryBytes: AlignedBuffer.machineByteCount,
      peakGflopsPerCore: device.measuredPeak() / 1e9,
      libraries: Dictionary(uniqueKeysWithValues: libraries))
    if outputOptions.json { return try JSONDocument.print(report) }
    var table = TextTable([.init("check"), .init("found")])
    table.append(["version", report.version])
    table.append(["instruction sets", report.instructionSets.joined(separator: ", ")])
    table.append(["in use", report.instructionSet])
    table.append(["cores", String(report.cores)])
    table.append(["memory", "\(report.memoryBytes >> 30) GiB"])
    table.append([
      "peak of a core", NumberFormat.fixed(report.peakGflopsPerCore, decimals: 0) + " GFLOPS",
    ])
    for (name, isAvailable) in libraries {
      table.append([name, isAvailable ? "yes" : "no (package trait \(name))"])
    }
    print(table.text)
  }
}
