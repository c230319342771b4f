import ResidualCPU
import ResidualReference
import Testing

/// Every device against the oracle.
@Suite struct ConformanceTests {
  @Test(arguments: TestDevice.all, ConformanceCase.convolutions)
  func convolution(device: TestDevice, test: ConformanceCase) throws { try device.compare(test) }

  @Test(arguments: TestDevice.all, ConformanceCase.matrixProducts)
  func matrixProduct(device: TestDevice, test: ConformanceCase) throws { try device.compare(test) }

  @Test(arguments: TestDevice.all, ConformanceCase.activationCases)
  func activation(device: TestDevice, test: ConformanceCase) throws { try device.compare(test) }

  @Test(arguments: TestDevice.all, ConformanceCase.otherCases)
  func operation(device: TestDevice, test: ConformanceCase) throws { try device.compare(test) }

  @Test(arguments: TestDevice.all, ConformanceCase.imported)
  func imported(device: TestDevice, test: ConformanceCase) throws { try device.compare(test) }

  @Test(arguments: TestDevice.all, ConformanceCase.trainingCases)
  func training(device: TestDevice, test: ConformanceCase) throws { try device.compare(test) }

  @Test(arguments: TestDevice.all, ConformanceCase.states)
  func state(device: TestDevice, test: ConformanceCase) throws { try device.compare(test) }

  @Test(arguments: TestDevice.exact, ConformanceCase.networks)
  func network(device: TestDevice, test: ConformanceCase) throws { try device.compare(test) }

  @Test(arguments: TestDevice.graphicsProcessors, ConformanceCase.forwardNetworks)
  func forwardNetwork(device: TestDevice, test: ConformanceCase) throws {
    try device.compare(test)
  }

  /// The bits do not depend on the number of threads.
  @Test(arguments: InstructionSet.available)
  func threads(instructionSet: InstructionSet) throws {
    let test = try #require(ConformanceCase.networks.first)
    let one = try run(test, on: CPUDevice(threads: 1, instructionSet: instructionSet))
    for threads in [2, 3, 8] {
      let many = try run(test, on: CPUDevice(threads: threads, instructionSet: instructionSet))
      #expect(one == many, "1 and \(threads) threads")
    }
  }

  /// The comparison itself: it must see what is wrong.
  @Test func distances() {
    #expect(relativeDistance([3, 4], [3, 4]) == 0)
    #expect(relativeDistance([3, 5], [3, 4]) == 0.2)
    #expect(relativeDistance([0, 0.5], [0, 0]) == 0.5)
    #expect(relativeDistance([3, .nan], [3, 4]) == .infinity)
    #expect(relativeDistance([3], [3, 4]) == .infinity)
  }

  /// Rounding to float32 alone stays within the elementwise bound, and no bound is below it.
  @Test func roundingIsWithinTheBounds() throws {
    let test = try #require(ConformanceCase.convolutions.first)
    for (_, values) in try run(test, on: ReferenceDevice()) {
      let distance = relativeDistance(values.map { Double(Float($0)) }, values)
      #expect(distance > 0 && distance < ConformanceCase.elementwise / 4)
    }
  }
}
