import ResidualCUDA
import ResidualGraphs
import ResidualReference
import Testing

import class Foundation.ProcessInfo

/// Our own kernels for convolutions of few channels, wherever they can compute one.
@Suite(
  .enabled(
    if: ProcessInfo.processInfo.environment["RESNET_CUDA_LIBRARIES"] != nil,
    "RESNET_CUDA_LIBRARIES names no folder with libcuda, libnvrtc and libcudnn"))
struct SmallConvolutionTests {
  /// Batch, height, width, channels in and out.
  struct Extents: CustomTestStringConvertible {
    let n: Int, h: Int, w: Int, c: Int, k: Int
    init(_ n: Int, _ h: Int, _ w: Int, _ c: Int, _ k: Int) {
      (self.n, self.h, self.w, self.c, self.k) = (n, h, w, c, k)
    }
    var testDescription: String { "\(n) × \(h) × \(w), \(c) to \(k)" }
  }

  /// Each pair of channels, and each way in which a tile can end: layers of ResNet-20; whole
  /// images, more and fewer than fit into a tile; parts of images that are not alike; single rows.
  static let extents: [Extents] = [
    Extents(1, 32, 32, 16, 16), Extents(3, 16, 16, 32, 32), Extents(5, 8, 8, 64, 64),
    Extents(5, 8, 8, 16, 32), Extents(5, 7, 5, 32, 16), Extents(1, 33, 9, 16, 64),
    Extents(3, 13, 64, 64, 16), Extents(3, 1, 1, 32, 64), Extents(1, 16, 16, 64, 32),
    Extents(5, 1, 1, 16, 16), Extents(1, 33, 9, 64, 64), Extents(1, 13, 64, 32, 32),
    Extents(5, 7, 5, 64, 64), Extents(41, 8, 8, 16, 16), Extents(1, 2, 64, 64, 64),
    // Several tiles for a part of the filter's gradient.
    Extents(800, 1, 1, 64, 64), Extents(1, 2227, 1, 64, 64),
  ]

  private static let devices = Result {
    try [Precision.fp16: 4e-3, .bf16: 3e-2].map { precision, bound in
      let device = try CUDADevice(
        precision: precision, environment: ProcessInfo.processInfo.environment, prefersOwn: true)
      return (device: device, bound: bound)
    }
  }

  /// A convolution and both of its gradients.
  private static let graph: Graph = {
    let convolution = Operation.Convolution(padding: 1)
    var graph = Graph()
    let (x, w, g) = (graph.input("input"), graph.input("filter"), graph.input("gradient"))
    graph.output("output", graph.append(.convolution(convolution), [x, w], path: "forward"))
    graph.output(
      "inputGradient",
      graph.append(
        .convolutionInputGradient(.init(convolution: convolution)), [g, w, x],
        path: "inputGradient"))
    graph.output(
      "filterGradient",
      graph.append(
        .convolutionFilterGradient(.init(convolution: convolution)), [g, x, w],
        path: "filterGradient"))
    return graph
  }()

  private func load<D: Device>(_ e: Extents, on device: D) throws -> LoadedPlan<D> {
    let shapes: [String: Shape] = [
      "input": [e.n, e.h, e.w, e.c], "filter": [e.k, e.c, 3, 3], "gradient": [e.n, e.h, e.w, e.k],
    ]
    let plan = try Session(device: device, store: Store(for: device)).load(
      Self.graph, inputs: shapes)
    for (name, shape) in shapes {
      var source = RandomSource(RandomKey(seed: 21).derived(name))
      plan.write((0..<shape.count).map { _ in 2 * source.uniform() - 1 }, to: name)
    }
    return plan
  }

  private func run<D: Device>(_ plan: LoadedPlan<D>) -> [String: [Float]] {
    plan.poison()
    plan.run()
    return Dictionary(
      uniqueKeysWithValues: Self.graph.outputs.map { ($0.name, plan.read($0.name).scalars) })
  }

  /// All three directions are ours, agree with the reference, and have the same bits each time.
  @Test(arguments: extents) func directions(extents: Extents) throws {
    let expected = run(try load(extents, on: ReferenceDevice()))
    for (device, bound) in try Self.devices.get() {
      let plan = try load(extents, on: device)
      let kinds = Set(plan.plan.steps.map(\.kind))
      let (c, k) = (extents.c, extents.k)
      let ours: Set = [
        "smallConvolution\(c)x\(k)", "smallConvolution\(k)x\(c)", "smallFilterGradient",
        "sumFilterGradient",
      ]
      #expect(kinds.isSuperset(of: ours), "\(kinds)")
      let results = run(plan)
      for (name, values) in expected {
        let distance = relativeDistance(try #require(results[name]), values)
        #expect(distance <= bound, "\(device.precision) \(name)")
      }
      #expect(run(plan) == results)
    }
  }

  private func relativeDistance(_ a: [Float], _ b: [Float]) -> Double {
    var (difference, norm) = (0.0, 0.0)
    for (x, y) in zip(a, b) {
      difference += Double(x - y) * Double(x - y)
      norm += Double(y) * Double(y)
    }
    return (difference / norm).squareRoot()
  }
}
