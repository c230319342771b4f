import ResidualCPU
import Testing

@Suite struct InstructionSetTests {
  private func resolve(_ name: String) throws -> InstructionSet {
    try InstructionSet.resolve(environment: [InstructionSet.environmentVariable: name])
  }

  @Test func nothingAskedForIsTheBest() throws {
    #expect(try InstructionSet.resolve(environment: [:]) == .best)
    #expect(try InstructionSet.resolve(environment: ["OTHER": "baseline"]) == .best)
    #expect(try resolve("") == .best)
    #expect(InstructionSet.available.max() == .best)
    #expect(InstructionSet.available.contains(.baseline))
  }

  @Test(arguments: InstructionSet.available)
  func available(instructionSet: InstructionSet) throws {
    #expect(try resolve(instructionSet.rawValue) == instructionSet)
    #expect(try resolve(instructionSet.rawValue.uppercased()) == instructionSet)
    let device = try CPUDevice(threads: 1, instructionSet: instructionSet)
    #expect(device.instructionSet == instructionSet)
    #expect(device.measuredPeak() > 1e8)
  }

  @Test(arguments: ["sse", "avx", " avx2", "best"])
  func unknown(name: String) {
    let choices = InstructionSet.available.map(\.rawValue).joined(separator: ", ")
    let error = #expect(throws: InstructionSetError.unknown(name)) { try resolve(name) }
    #expect(
      error?.description
        == "RESNET_ISA='\(name)' is no instruction set; this machine has \(choices)")
  }

  @Test(
    .enabled(
      if: InstructionSet.available.count < InstructionSet.allCases.count,
      "this machine has every instruction set"))
  func unavailable() throws {
    let missing = try #require(InstructionSet.allCases.first { !$0.isAvailable })
    let choices = InstructionSet.available.map(\.rawValue).joined(separator: ", ")
    let error = #expect(throws: InstructionSetError.unavailable(missing)) {
      try resolve(missing.rawValue)
    }
    #expect(
      error?.description
        == "RESNET_ISA='\(missing.rawValue)': this machine lacks it; it has \(choices)")
    #expect(throws: DeviceUnavailable("this machine lacks \(missing.rawValue)")) {
      try CPUDevice(threads: 1, instructionSet: missing)
    }
  }

  @Test func orderIsByWidth() {
    #expect(InstructionSet.allCases.sorted() == [.baseline, .avx2, .avx512])
    // The kernels differ, so nothing is compiled twice alike.
    let lanes = InstructionSet.available.map { $0.kernels.lanes }
    #expect(lanes == lanes.sorted() && Set(lanes).count == lanes.count)
  }
}
