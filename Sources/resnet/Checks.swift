import ArgumentParser
import Foundation
import ResidualCPU
import ResidualCUDA
import ResidualFigures
import ResidualRuns

struct Checks: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Report what this machine and this program have.",
    discussion:
      "Which processor and GPU are found, and which libraries this program was built with."
      + .examples("checks", "checks --json", "bench train resnet20 --profile"))

  @OptionGroup(title: "Output") var outputOptions: OutputFlags

  struct Report: Encodable {
    let version: String
    let instructionSets: [String]
    let instructionSet: String
    let cores: Int
    let memoryBytes: Int
    /// Floating-point operations a second of one core, in units of 10⁹.
    let peakGflopsPerCore: Double
    /// The GPU and the versions of its libraries, or why there is none.
    let gpu: String
    /// Whether the program was built with them.
    let libraries: [String: Bool]
  }

  func run() throws {
    let device = try CPUDevice(threads: 1, instructionSet: DeviceFlags.instructionSet())
    let libraries =
      ImageCodec.allCases.map { ($0.rawValue, $0.isAvailable) } + [("GZIP", Gzip.isAvailable)]
    let report = Report(
      version: Version.current, instructionSets: InstructionSet.available.map(\.rawValue),
      instructionSet: device.instructionSet.rawValue, cores: CPUDevice.coreCount,
      memoryBytes: AlignedBuffer.machineByteCount,
      peakGflopsPerCore: device.measuredPeak() / 1e9,
      gpu: Self.gpu(),
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
    table.append(["GPU", report.gpu])
    for (name, isAvailable) in libraries {
      table.append([name, isAvailable ? "yes" : "no (package trait \(name))"])
    }
    print(table.text)
  }

  /// The first GPU, or why there is none, in one line.
  private static func gpu() -> String {
    do {
      let device = try CUDADevice(environment: ProcessInfo.processInfo.environment)
      let versions = device.versions
      return "\(device.name), \(device.memoryByteCount >> 30) GiB free, driver \(versions.driver), "
        + "NVRTC \(versions.compiler), cuDNN \(versions.cudnn)"
    } catch {
      return "none: \(Failure.message(for: error))"
    }
  }
}
