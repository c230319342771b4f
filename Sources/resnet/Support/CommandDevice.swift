import Foundation
import ResidualCPU
import ResidualCUDA
import ResidualTraining

/// A device that the commands run on, and what they say of it.
protocol CommandDevice: Device {
  /// For people: `2 threads (avx512)`.
  var summary: String { get }
  /// For machines.
  var report: DeviceReport { get }
  /// Roughly the floating-point operations a second that training reaches, for estimates.
  var expectedOperations: Double { get }
  /// What a resumed run must know to have the same bits; `nil` where there is nothing to know.
  var record: DeviceRecord? { get }
  /// Where the time of a plan's steps went.
  func profile(of plan: Plan<Step>, _ times: StepTimes) -> Profile
}

/// A device as documents for machines name it.
struct DeviceReport: Encodable {
  /// `cpu`, or the name of a GPU.
  let device: String
  var threads: Int?
  var instructionSet: String?
  var precision: String?
}

/// The file of a run folder that says what a resumed run needs for the same bits, beside the recipe.
struct DeviceRecord: Codable, Hashable {
  static let fileName = "device.json"
  let precision: Precision
  let algorithms: AlgorithmChoices

  /// The record of a run folder; `nil` where it has none.
  ///
  /// - Throws: ``InputError`` where the file is none that this program has written.
  init?(in folder: String) throws {
    let path = folder + "/" + Self.fileName
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do {
      self = try JSONDecoder().decode(
        Self.self, from: Foundation.Data(contentsOf: URL(fileURLWithPath: path)))
    } catch is DecodingError {
      throw InputError("\(path): it is no record of a device; delete it to choose algorithms anew")
    }
  }

  init(precision: Precision, algorithms: AlgorithmChoices) {
    (self.precision, self.algorithms) = (precision, algorithms)
  }

  /// Deletes the record of a run that needs none any more.
  static func remove(from folder: String) {
    try? FileManager.default.removeItem(atPath: folder + "/" + fileName)
  }

  func write(in folder: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let text = String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    try AtomicFile.write(text, to: folder + "/" + Self.fileName)
  }
}

extension CPUDevice: CommandDevice {
  var summary: String { "\(threads) threads (\(instructionSet.rawValue))" }
  var report: DeviceReport {
    DeviceReport(device: "cpu", threads: threads, instructionSet: instructionSet.rawValue)
  }
  /// Winograd's convolutions save multiplications: counted as if they did not, training runs at one
  /// and a half times the peak.
  var expectedOperations: Double {
    1.5 * Double(min(threads, CPUDevice.coreCount)) * measuredPeak()
  }
  var record: DeviceRecord? { nil }
  func profile(of plan: Plan<CPUStep>, _ times: StepTimes) -> Profile { Profile(plan, times) }
}

extension CUDADevice: CommandDevice {
  var summary: String { "\(name) (\(precision.rawValue))" }
  var report: DeviceReport { DeviceReport(device: name, precision: precision.rawValue) }
  /// Small networks wait for launches and memory far more than for arithmetic.
  var expectedOperations: Double { 4e13 }
  var record: DeviceRecord? { DeviceRecord(precision: precision, algorithms: choices) }
  func profile(of plan: Plan<CUDAStep>, _ times: StepTimes) -> Profile { Profile(plan, times) }
}

extension Precision: Codable {}
