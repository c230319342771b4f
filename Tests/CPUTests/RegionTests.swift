import ResidualCPU
import ResidualNetworks
import ResidualReference
import ResidualTraining
import Testing

/// Fusion is a partition of the graph that changes no value.
@Suite struct RegionTests {
  /// One residual block after one convolution.
  static let network = Network(
    name: "block", inputSide: 8, classes: 4, variant: .init(.projection), depth: 4
  ) {
    Convolution("conv1", 16, size: 3)
    BatchNormalization("bn1")
    ReLU()
    ResidualBlock("block", shortcut: .padding(.end), channels: 16, stride: 1) {
      Convolution("conv1", 16, size: 3)
      BatchNormalization("bn1")
      ReLU("relu1")
      Convolution("conv2", 16, size: 3)
      BatchNormalization("bn2")
    }
    GlobalAveragePooling()
    FullyConnected("fc", 4)
  }
  static let graph = network.trainingStep(weightDecay: 1e-4)

  private func partition(_ graph: Graph, of network: Network = network) throws -> RegionPartition {
    RegionPartition(graph, shapes: try graph.shapes(inputs: network.stepShapes(batch: 2)))
  }

  @Test func regionsOfAResidualBlock() throws {
    let graph = Self.graph
    func path(_ node: Int) -> String { graph.nodes[node].path }
    let fused = try partition(graph).regions.compactMap { region -> String? in
      if case .single = region { return nil }
      return region.nodes.map(path).joined(separator: " + ")
    }
    #expect(
      fused == [
        "conv1 + bn1.count",
        "bn1 + relu + block.conv1 + block.bn1.count",
        "block.bn1 + block.relu1 + block.conv2 + block.bn2.count",
        "block.bn2 + block.add + block.relu",
        "gradient/block.relu + gradient/block.bn2.sums",
        "gradient/block.bn2.input + gradient/block.conv2.input + gradient/block.conv2.filter"
          + " + gradient/block.relu1 + gradient/block.bn1.sums",
        "gradient/block.bn1.input + gradient/block.conv1.input + gradient/block.conv1.filter"
          + " + gradient/relu.sum + gradient/relu + gradient/bn1.sums",
        "gradient/bn1.input + gradient/conv1.filter",
      ])
  }

  /// The activation inside a block is never stored; the block's input is, for the shortcut.
  @Test func activationsInsideABlockAreNotStored() throws {
    let partition = try partition(Self.graph)
    #expect(
      partition.recomputed.values.map { Self.graph.nodes[$0.last].path } == ["block.relu1"])
    let plan = try CPUDevice(threads: 1).prepare(
      Self.graph, inputs: Self.network.stepShapes(batch: 2))
    let paths = Set(plan.buffers.map(\.path))
    #expect(!paths.contains("block.relu1") && paths.contains("relu"))
  }

  /// A repeated activation is fused as the first one is: the same regions, none of them stored.
  @Test func repeatedActivationsAreFusedToo() throws {
    let graph = Self.graph.recomputing(.activations)
    let partition = try partition(graph)
    func gradients(_ partition: RegionPartition, _ graph: Graph) -> [[String]] {
      partition.regions.compactMap { region in
        guard case .convolutionGradient(let region) = region else { return nil }
        return region.nodes.map { graph.nodes[$0].path }
      }
    }
    #expect(try gradients(partition, graph) == gradients(self.partition(Self.graph), Self.graph))
    let repeated = graph.nodes.indices.filter {
      if case .relu = graph.nodes[$0].operation {
        graph.nodes[$0].path.hasPrefix("repeated/")
      } else {
        false
      }
    }
    #expect(!repeated.isEmpty)
    for node in repeated { #expect(partition.recomputed[node] != nil) }
  }

  @Test(arguments: ["cifar-resnet20", "cifar-plain20"], [Shortcut.padding(.both), .projection])
  func everyNodeIsInOneRegion(name: String, shortcut: Shortcut) throws {
    let network = try NetworkCatalog.network(named: name, variant: .init(shortcut))
    let graph = network.trainingStep(weightDecay: 1e-4)
    let regions = try partition(graph, of: network).regions
    let nodes = regions.flatMap(\.nodes)
    #expect(nodes.sorted() == Array(graph.nodes.indices))
    #expect(regions.map(\.last) == regions.map(\.last).sorted())
  }

  /// Every value of the graph as an output, named by its node.
  private static func tapped(_ graph: Graph) -> Graph {
    var graph = graph
    for (index, node) in graph.nodes.enumerated() where node.operation.elementType == .float32 {
      for result in 0..<node.operation.resultCount {
        graph.output("\(index).\(result) \(node.path)", Value(node: index, result: result))
      }
    }
    return graph
  }

  @Test func outputsAreNeverHidden() throws {
    let device = try CPUDevice(threads: 1)
    let graph = Self.tapped(Self.graph)
    let plan = try device.prepare(graph, inputs: Self.network.stepShapes(batch: 2))
    #expect(plan.outputs.count == graph.outputs.count)
    #expect(try partition(graph).recomputed.isEmpty)
  }

  /// Images of several blocks of rows, the last of them shorter; a projection with a stride.
  static let largeImages = Network(
    name: "large", inputSide: 60, classes: 4, variant: .init(.projection), depth: 6
  ) {
    Convolution("conv1", 16, size: 3)
    BatchNormalization("bn1")
    ReLU()
    ResidualBlock("identity", shortcut: .projection, channels: 16, stride: 1) {
      Convolution("conv1", 16, size: 3)
      BatchNormalization("bn1")
      ReLU("relu1")
      Convolution("conv2", 16, size: 3)
      BatchNormalization("bn2")
    }
    ResidualBlock("projection", shortcut: .projection, channels: 32, stride: 2) {
      Convolution("conv1", 16, size: 1)
      BatchNormalization("bn1")
      ReLU("relu1")
      Convolution("conv2", 24, size: 3, stride: 2)
      BatchNormalization("bn2")
      ReLU("relu2")
      Convolution("conv3", 32, size: 1)
      BatchNormalization("bn3")
    }
    GlobalAveragePooling()
    FullyConnected("fc", 4)
  }

  /// Fused steps cut their sums elsewhere; the rest is the same arithmetic.
  @Test(arguments: InstructionSet.available, [6, 2])
  func fusedAndUnfusedAreEqual(instructionSet: InstructionSet, batch: Int) throws {
    let network = batch == 6 ? Self.network : Self.largeImages
    let device = try CPUDevice(threads: 2, instructionSet: instructionSet)
    let graph = Self.tapped(network.trainingStep(weightDecay: 1e-4))
    let fused = try TrainingRun(network, batch: batch, on: device)
    let unfused = try TrainingRun(network, graph: graph, batch: batch, on: device)
    let reference = try TrainingRun(network, graph: graph, batch: batch, on: ReferenceDevice())
    fused.step()
    unfused.step()
    reference.step()
    let (found, expected) = (unfused.results, reference.results)
    for (name, values) in fused.results {
      let distance = relativeDistance(values, try #require(found[name]))
      #expect(distance <= 1e-5, "\(name), fused")
    }
    #expect(Set(found.keys) == Set(expected.keys))
    for (name, values) in found {
      let distance = relativeDistance(values, try #require(expected[name]))
      #expect(distance <= 1e-4, "\(name)")
    }
  }
}
