import ArgumentParser
import Foundation
import ResidualCPU
import ResidualCUDA
import ResidualRuns

/// Where the work runs.
struct DeviceFlags: ParsableArguments {
  enum Kind: String, ExpressibleByArgument, CaseIterable { case cpu, cuda }

  @Option(
    name: .customLong("device"),
    help: ArgumentHelp(
      "cpu, or cuda for an NVIDIA GPU (environment: RESNET_DEVICE).", valueName: "cpu|cuda"))
  var requestedKind: Kind?
  @Option(
    help: ArgumentHelp(
      "How a GPU computes: fp16 (the default), bf16, tf32 or fp32.",
      valueName: "fp16|bf16|tf32|fp32"))
  var precision: Precision?
  @Option(
    parsing: .unconditional, help: ArgumentHelp("Which GPU, from 0.", valueName: "n"))
  var gpu: Int?
  @Option(
    help: ArgumentHelp(
      "Folders with libcudnn, libnvrtc and libcuda, separated by colons; common places are searched "
        + "in any case (environment: RESNET_CUDA_LIBRARIES).", valueName: "folders"),
    completion: .directory)
  var cudaLibraries: String?
  @Option(
    name: .customLong("threads"), parsing: .unconditional,
    help: ArgumentHelp(
      "Threads of the processor (environment: RESNET_THREADS; default: one a core).",
      valueName: "n"))
  var requestedThreads: Int?

  func validate() throws {
    let kind = try kind()
    for (name, isGiven) in [
      ("--precision", precision != nil), ("--gpu", gpu != nil),
      ("--cuda-libraries", cudaLibraries != nil),
    ] where isGiven && kind == .cpu {
      throw UsageError("\(name) is for a GPU; add --device cuda")
    }
    if kind == .cuda, requestedThreads != nil {
      throw UsageError("--threads is for the processor; leave it out with --device cuda")
    }
    if let gpu, gpu < 0 { throw UsageError("--gpu \(gpu) is out of range: GPUs count from 0") }
    _ = try threads()
    // What the machine lacks is no mistake of usage and is refused by `device`.
    do { _ = try Self.instructionSet() } catch .unknown(let name) {
      throw InstructionSetError.unknown(name)
    } catch .unavailable {}
  }

  private func kind() throws -> Kind {
    if let requestedKind { return requestedKind }
    guard let text = ProcessInfo.processInfo.environment["RESNET_DEVICE"], !text.isEmpty else {
      return .cpu
    }
    guard let kind = Kind(rawValue: text) else {
      throw UsageError("RESNET_DEVICE='\(text)' is not a device; give cpu or cuda")
    }
    return kind
  }

  /// The instruction set that the environment asks for.
  static func instructionSet() throws(InstructionSetError) -> InstructionSet {
    try .resolve(environment: ProcessInfo.processInfo.environment)
  }

  private func threads() throws -> Int {
    let environment = ProcessInfo.processInfo.environment["RESNET_THREADS"]
    var number = requestedThreads
    if number == nil, let environment, !environment.isEmpty {
      guard let value = Int(environment) else {
        throw UsageError(
          "RESNET_THREADS='\(environment)' is not a number; give 1 to \(CPUDevice.maximumThreads)")
      }
      number = value
    }
    let count = number ?? CPUDevice.coreCount
    guard (1...CPUDevice.maximumThreads).contains(count) else {
      let name = requestedThreads == nil ? "RESNET_THREADS" : "--threads"
      throw UsageError(
        "\(name) \(count) is out of range: 1 to \(CPUDevice.maximumThreads); "
          + "this machine has \(CPUDevice.coreCount) cores")
    }
    return count
  }

  /// The device that was asked for.
  ///
  /// - Parameter run: that is resumed: on its device, unless another one is asked for, and with its
  ///   algorithms.
  func device(on terminal: Terminal, resuming run: ResumedRun? = nil) throws -> any CommandDevice {
    let environment = ProcessInfo.processInfo.environment
    let record = try run.flatMap(Self.record)
    let isChosen = environment["RESNET_DEVICE"]?.isEmpty == false
    let resumed: Kind? = record != nil && !isChosen ? .cuda : nil
    guard try (requestedKind ?? resumed ?? kind()) == .cuda else {
      return try processor(on: terminal)
    }
    let device = try CUDADevice(
      precision: precision ?? record?.precision ?? .fp16, index: gpu ?? 0,
      libraries: cudaLibraries, environment: environment, choices: record?.algorithms)
    if let record, !device.choices.isOfSameMachine(record.algorithms) {
      terminal.warn(
        "the run began on \(record.algorithms.machine); on this machine algorithms are chosen again, so bits "
          + "will differ")
    }
    return device
  }

  /// What a run's folder says of its GPU.
  private static func record(_ run: ResumedRun) throws -> CUDARecord? {
    guard let text = run.device else { return nil }
    guard let record = CUDARecord(text) else {
      throw InputError(
        "\(run.folder)/device.json: it is not a record of a device; delete it to choose algorithms again"
      )
    }
    return record
  }

  /// The processor, with a warning where threads outnumber cores.
  func processor(on terminal: Terminal) throws -> CPUDevice {
    let threads = try threads()
    if threads > CPUDevice.coreCount {
      terminal.warn(
        "\(threads) threads on \(CPUDevice.coreCount) cores: more threads than cores do not help")
    }
    return try CPUDevice(threads: threads, instructionSet: Self.instructionSet())
  }
}

extension Precision: ExpressibleByArgument {}
