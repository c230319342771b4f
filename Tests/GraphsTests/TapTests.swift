import ResidualNetworks
import ResidualReference
import ResidualTestSupport
import Testing

/// Values are read by their path, and nothing else changes.
@Suite struct TapTests {
  private static let network = Network(
    name: "small", inputSide: 8, classes: 3, variant: .init(.projection), depth: 4
  ) {
    Convolution("conv1", 4, size: 3)
    BatchNormalization("bn1")
    ReLU()
    ResidualBlock("block", shortcut: .projection, channels: 6, stride: 2) {
      Convolution("conv1", 6, size: 3, stride: 2)
      BatchNormalization("bn1")
      ReLU("relu1")
      Convolution("conv2", 6, size: 3)
      BatchNormalization("bn2")
    }
    GlobalAveragePooling()
    FullyConnected("fc", 3)
  }
  private static var inputs: [String: Shape] { RecomputationTests.inputs(network, batch: 4) }

  /// All outputs and slots after two steps, and a closure that reads more.
  private static func run(_ graph: Graph) throws -> [String: [Double]] {
    let store = Store(realType: .float64)
    let plan = try Session(device: ReferenceDevice(), store: store).load(
      graph, inputs: inputs, seed: 5)
    var source = RandomSource(RandomKey(seed: 7))
    let count = network.imagesShape(batch: 4).count
    plan.write((0..<count).map { _ in source.uniform() - 0.5 }, to: Network.imagesInput)
    plan.write([0, 2, 1, 1] as [Int32], to: "labels")
    plan.write([Float](repeating: 1, count: 4), to: "weights")
    plan.write(Float(0.1), to: "learningRate")
    plan.write(Float(0.9), to: "momentum")
    for _ in 0..<2 {
      plan.poison()
      plan.run()
    }
    var results = Dictionary(
      uniqueKeysWithValues: plan.plan.outputs.keys.map { ($0, plan.readDouble($0)) })
    for (slot, _) in plan.plan.slots { results["slot " + slot.name] = store.readDouble(slot.name) }
    return results
  }

  private static func bits(_ results: [String: [Double]], without prefix: String = "tap/")
    -> [String: [UInt64]]
  {
    results.filter { !$0.key.hasPrefix(prefix) }.mapValues { $0.map(\.bitPattern) }
  }

  /// Every value of the step, one by one named by hand, and all of them tapped.
  @Test func everyValue() throws {
    let graph = try RecomputationTests.step(Self.network)
    let isReal = graph.nodes.map { $0.operation.elementType.isFloatingPoint }
    let taps = zip(graph.nodes, isReal).filter(\.1).map { Tap($0.0.path) }
    let tapped = try Self.run(try graph.tapping(taps))
    let before = Self.bits(try Self.run(graph))
    #expect(Self.bits(tapped) == before)
    var named = graph
    for tap in taps { named.output("by hand " + tap.path, try #require(graph.value(at: tap.path))) }
    let byHand = try Self.run(named)
    for tap in taps { #expect(tapped[tap.output] == byHand["by hand " + tap.path], "\(tap.path)") }
    #expect(tapped["tap/fc"]?.isEmpty == false && tapped["tap/loss"] == tapped["loss"])
  }

  /// Statistics that the graph has anyway are not computed twice; others are those of the value.
  @Test func statistics() throws {
    let graph = try RecomputationTests.step(Self.network)
    let known = try graph.tapping([Tap("conv1", .statistics)])
    #expect(known.nodes.count == graph.nodes.count)
    let paths = ["conv1", "relu", "block.bn2", "gradient/block.conv2.input"]
    let taps = paths.flatMap { [Tap($0), Tap($0, .statistics)] }
    let results = try Self.run(try graph.tapping(taps))
    #expect(try Self.bits(results) == Self.bits(Self.run(graph)))
    for tap in taps where tap.kind == .statistics {
      let values = try #require(results[tap.output])
      let (mean, m2) = (try #require(results[tap.mean]), try #require(results[tap.m2]))
      let channels = mean.count
      let pixels = values.count / channels
      #expect(results[tap.count] == [Double(pixels)])
      for channel in 0..<channels {
        let column = stride(from: channel, to: values.count, by: channels).map { values[$0] }
        let average = column.reduce(0, +) / Double(pixels)
        let squares = column.reduce(0) { $0 + ($1 - average) * ($1 - average) }
        #expect(abs(mean[channel] - average) <= 1e-12 * (abs(average) + 1))
        #expect(abs(m2[channel] - squares) <= 1e-10 * (squares + 1))
      }
    }
  }

  @Test func tapsAreThereOnce() throws {
    let graph = Self.network.graph(.inference)
    let tap = [Tap("relu"), Tap("relu", .statistics)]
    let tapped = try graph.tapping(tap + tap)
    #expect(tapped.outputs.count == graph.outputs.count + 4)
    #expect(try tapped.tapping(tap).outputs.count == tapped.outputs.count)
    #expect(tapped.nodes.count == graph.nodes.count + 1)
    #expect(tapped.violation(inputs: Self.inputs) == nil)
    #expect(tapped.output("tap/relu") == graph.value(at: "relu"))
    #expect(try graph.tapping([]).outputs.count == graph.outputs.count)
  }

  @Test func unknownPaths() throws {
    let graph = Self.network.graph(.inference)
    let error = #expect(throws: TapError.self) { try graph.tapping([Tap("block.bn22")]) }
    #expect(error?.path == "block.bn22" && error?.nearest == "block.bn2")
    #expect(
      "\(try #require(error))" == "no node has the path 'block.bn22'; the nearest is 'block.bn2'")
    let empty = #expect(throws: TapError.self) { try Graph().tapping([Tap("x")]) }
    #expect(empty?.description == "no node has the path 'x'")
  }
}
