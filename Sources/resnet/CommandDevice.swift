import ResidualCPU
import ResidualCUDA
import ResidualRuns

/// A device that the commands run on, and what they say of it.
protocol CommandDevice: Device {
  /// For people: `2 threads (avx512)`.
  var summary: String { get }
  /// For machines.
  var report: DeviceReport { get }
  /// Roughly the floating-point operations a second that training reaches, for estimates.
  var expectedOperations: Double { get }
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
  func profile(of plan: Plan<CPUStep>, _ times: StepTimes) -> Profile { Profile(plan, times) }
}

extension CUDADevice: CommandDevice {
  var summary: String { "\(name) (\(precision.rawValue))" }
  var report: DeviceReport { DeviceReport(device: name, precision: precision.rawValue) }
  /// Small networks wait for launches and memory far more than for arithmetic.
  var expectedOperations: Double { 4e13 }
  func profile(of plan: Plan<CUDAStep>, _ times: StepTimes) -> Profile { Profile(plan, times) }
}

extension CommandDevice {
  func classifier(_ file: ModelFile, batchSize: Int) throws -> Classifier {
    try Classifier(file, device: self, batchSize: batchSize)
  }

  func convert(_ model: ModelFile, to target: ConversionTarget, at path: String) throws -> Float {
    try target.write(model, to: path, checkedOn: self)
  }
}
