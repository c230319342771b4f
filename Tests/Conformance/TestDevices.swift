import ResidualCPU
import ResidualCUDA
import ResidualReference
import Testing

import class Foundation.ProcessInfo

/// A device that must agree with the oracle.
struct TestDevice: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// Compares one case.
  let compare: @Sendable (ConformanceCase) throws -> Void
  /// Runs one case.
  let run: @Sendable (ConformanceCase) throws -> Results

  /// - Parameter least: the least bound of any comparison, for devices that round more than float32.
  init(
    _ name: String, least: Double = 0, _ device: @escaping @Sendable () throws -> some Device
  ) {
    testDescription = name
    compare = { try ResidualConformanceTests.compare($0, on: device(), least: least) }
    run = { try ResidualConformanceTests.run($0, on: device()) }
  }

  /// The oracle against itself, which checks the comparison, the processor with each instruction
  /// set that this machine has, and the GPU in each precision if there is one; or those of them
  /// whose description has `RESNET_TEST_DEVICES`.
  static let all: [TestDevice] = {
    let all =
      [TestDevice("reference") { ReferenceDevice() }] + processors(threads: 2) + graphicsProcessors
    let wanted = ProcessInfo.processInfo.environment["RESNET_TEST_DEVICES"] ?? ""
    return wanted.isEmpty ? all : all.filter { $0.testDescription.contains(wanted) }
  }()

  /// Those that compute in float32 throughout. With less, activations that fall to the other side of
  /// zero change the gradients of a whole network by some per cent.
  static let exact = all.filter { device in
    !["fp16", "bf16", "tf32"].contains { device.testDescription.hasSuffix($0) }
  }

  static func processors(threads: Int) -> [TestDevice] {
    InstructionSet.available.map { instructionSet in
      TestDevice("\(instructionSet.rawValue), \(threads) threads") {
        try CPUDevice(threads: threads, instructionSet: instructionSet)
      }
    }
  }

  /// A GPU, real or simulated (scripts/build-cuda-simulator), where `RESNET_CUDA_LIBRARIES` names
  /// the folder of its libraries.
  static let graphicsProcessors: [TestDevice] = Precision.allCases.compactMap { precision in
    guard let device = TestGPU.device(precision) else { return nil }
    return TestDevice("\(device.name), \(precision.rawValue)", least: precision.least) { device }
  }
}

/// The GPU that tests run on, opened once for each precision.
enum TestGPU {
  /// `nil` where no libraries are named.
  static func device(_ precision: Precision) -> CUDADevice? { devices[precision] }

  private static let devices: [Precision: CUDADevice] = {
    let environment = ProcessInfo.processInfo.environment
    guard environment["RESNET_CUDA_LIBRARIES"] != nil else { return [:] }
    var devices: [Precision: CUDADevice] = [:]
    for precision in Precision.allCases {
      do {
        devices[precision] = try CUDADevice(precision: precision, environment: environment)
      } catch {
        Issue.record("RESNET_CUDA_LIBRARIES is set, but: \(error)")
      }
    }
    return devices
  }()
}

extension Precision {
  /// What a comparison with the oracle allows in any case: a few roundings of activations.
  var least: Double {
    switch self {
    case .fp32: 1e-5
    case .tf32: 3e-3
    case .fp16: 4e-3
    case .bf16: 3e-2
    }
  }
}
