import ResidualNetworks
import ResidualReference
import Testing

@Suite struct ImageAssemblyTests {
  /// Bytes of 255 times their number, so that every value names the pixel that it comes from.
  private func plan(_ mean: Shape) throws -> LoadedPlan<ReferenceDevice> {
    var graph = Graph()
    graph.output("images", graph.input("images"))
    let plan = try Session(device: ReferenceDevice(), store: Store(realType: .float64)).load(
      graph.assemblingImages(for: "images"),
      inputs: [
        "pixels": [2, 2, 2, 3], "samples": [1, 4], "pixelMean": mean, "pixelDeviation": mean,
      ])
    plan.withInput(Graph.pixelsInput, of: UInt8.self) { pixels in
      for index in pixels.indices { pixels[index] = UInt8(index) }
    }
    return plan
  }

  private func image(_ plan: LoadedPlan<ReferenceDevice>, _ sample: [Int32]) -> [Double] {
    plan.write(sample, to: Graph.samplesInput)
    plan.poison()
    plan.run()
    return plan.readDouble("images").map { ($0 * 255).rounded() }
  }

  @Test func windowsOfASet() throws {
    let plan = try plan([3])
    plan.write([0.0, 0, 0], to: Graph.pixelMeanInput)
    plan.write([1.0, 1, 1], to: Graph.pixelDeviationInput)
    #expect(image(plan, [0, 0, 0, 0]) == (0..<12).map(Double.init))
    #expect(image(plan, [1, 0, 0, 1]) == [15, 16, 17, 12, 13, 14, 21, 22, 23, 18, 19, 20])
    #expect(image(plan, [1, 1, 0, 0]) == [18, 19, 20, 21, 22, 23, 0, 0, 0, 0, 0, 0])
    #expect(image(plan, [1, 0, -1, 0]) == [0, 0, 0, 12, 13, 14, 0, 0, 0, 18, 19, 20])
    // The window is cut out first and mirrored then.
    #expect(image(plan, [1, 0, -1, 1]) == [12, 13, 14, 0, 0, 0, 18, 19, 20, 0, 0, 0])
    #expect(image(plan, [1, -2, 0, 0]) == [Double](repeating: 0, count: 12))
    #expect(image(plan, [-1, 0, 0, 0]) == [Double](repeating: 0, count: 12))
  }

  /// Mean and deviation belong to the pixel of the image, not to that of the window.
  @Test func normalisationByPixel() throws {
    let plan = try plan([2, 2, 3])
    plan.write((0..<12).map { Double($0) / 255 }, to: Graph.pixelMeanInput)
    plan.write((0..<12).map { $0 < 6 ? 1.0 : 0.5 }, to: Graph.pixelDeviationInput)
    #expect(image(plan, [1, 0, 0, 0]) == [12, 12, 12, 12, 12, 12, 24, 24, 24, 24, 24, 24])
    #expect(image(plan, [1, 1, 1, 1]) == [0, 0, 0, 24, 24, 24, 0, 0, 0, 0, 0, 0])
  }

  @Test func graphsKeepWhatTheyName() throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet8")
    let graph = network.graph(.training)
    let assembled = graph.assemblingImages(for: Network.imagesInput)
    #expect(assembled.value(ofInput: Network.imagesInput) == nil)
    #expect(assembled.nodes.count == graph.nodes.count + 4)
    #expect(assembled.outputs.map(\.name) == graph.outputs.map(\.name))
    #expect(assembled.bindings.map(\.slot) == graph.bindings.map(\.slot))
    #expect(assembled.slots == graph.slots)
    let again = assembled.assemblingImages(for: Network.imagesInput)
    #expect(again.nodes.count == assembled.nodes.count)
  }

  @Test func imagesOutsideTheSetTrap() async {
    await #expect(processExitsWith: .failure) {
      let tests = ImageAssemblyTests()
      _ = tests.image(try tests.plan([3]), [2, 0, 0, 0])
    }
  }
}
