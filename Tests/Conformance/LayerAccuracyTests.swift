import ResidualCPU
import ResidualNetworks
import Testing

import class Foundation.ProcessInfo

/// Every convolution of ResNet-20 and ResNet-50, in all three directions, on numbers of unit
/// variance, against sums in double precision.
///
/// Numbers of the results are drawn and computed by the formula, since the whole of a large layer
/// would take hours. The batch is `RESNET_ACCURACY_BATCH`, else 2, and layers are those whose
/// description has `RESNET_ACCURACY_LAYER`: see scripts/check accuracy.
@Suite struct LayerAccuracyTests {
  /// The largest relative L2 error of a direction.
  static let bound = 5e-6
  static let batch =
    ProcessInfo.processInfo.environment["RESNET_ACCURACY_BATCH"]
    .flatMap(Int.init) ?? 2

  static let chosen: [ConvolutionLayerShape] = {
    let text = ProcessInfo.processInfo.environment["RESNET_ACCURACY_LAYER"] ?? ""
    return layers.filter { text.isEmpty || $0.description.contains(text) }
  }()
  static let layers: [ConvolutionLayerShape] = {
    let networks = [
      CIFARResNet.network(depth: 20, shortcut: .padding(.end)),
      try? NetworkCatalog.network(named: "resnet50"),
    ].compactMap { $0 }
    var layers: [ConvolutionLayerShape] = []
    for network in networks {
      for layer in network.convolutionLayers(batch: batch)
      where !layers.contains(where: { $0.description == layer.description }) {
        layers.append(layer)
      }
    }
    return layers
  }()

  @Test func everyLayerIsThere() {
    // 6 of ResNet-20, and of ResNet-50 the stem, 4 of the first stage and 6 of each other one.
    #expect(Self.layers.count == 6 + 1 + 4 + 3 * 6)
  }

  @Test(arguments: InstructionSet.available.filter { $0 != .baseline }, chosen)
  func everyDirection(_ instructionSet: InstructionSet, _ layer: ConvolutionLayerShape) throws {
    let device = try CPUDevice(threads: 2, instructionSet: instructionSet)
    let sample = try ConvolutionSample(layer, on: device)
    for direction in ConvolutionSample.Direction.allCases {
      let error = sample.relativeError(direction)
      if Self.batch > 2 {
        print("\(instructionSet.rawValue), \(layer): \(direction) \(error)")
      }
      #expect(error < Self.bound, "\(layer) \(direction)")
    }
  }
}

/// A convolution and its extents.
struct ConvolutionLayerShape: Sendable, CustomStringConvertible {
  let convolution: Operation.Convolution
  /// `[n, h, w, c]`, `[k, c, r, s]` and `[n, p, q, k]`.
  let input: Shape, filter: Shape, output: Shape

  var description: String {
    "\(input[1])×\(input[2]) \(filter[1])→\(filter[0]) \(filter[2])×\(filter[3])/"
      + "\(convolution.strideHeight), batch \(input[0])"
  }
}

extension Network {
  fileprivate func convolutionLayers(batch: Int) -> [ConvolutionLayerShape] {
    let graph = graph(.inference)
    let inputs = [Network.imagesInput: imagesShape(batch: batch)]
    guard let shapes = try? graph.shapes(inputs: inputs) else { return [] }
    func shape(_ value: Value) -> Shape { shapes[value.node][value.result] }
    return graph.nodes.indices.compactMap { index -> ConvolutionLayerShape? in
      let node = graph.nodes[index]
      guard case .convolution(let convolution) = node.operation else { return nil }
      return ConvolutionLayerShape(
        convolution: convolution, input: shape(node.operands[0]), filter: shape(node.operands[1]),
        output: shape(Value(node: index)))
    }
  }
}

/// A layer's results on a device, and some of them by the formula.
private struct ConvolutionSample {
  enum Direction: String, CaseIterable { case output, inputGradient, filterGradient }

  private let layer: ConvolutionLayerShape
  private let input: [Float], filter: [Float], gradient: [Float]
  private let results: [Direction: [Float]]
  private static let count = 96

  init(_ layer: ConvolutionLayerShape, on device: CPUDevice) throws {
    self.layer = layer
    let test = ConformanceCase.convolution(
      "\(layer)", layer.input, layer.filter, layer.convolution)
    let plan = try Session(device: device, store: Store()).load(test.graph, inputs: test.shapes)
    func draw(_ name: String, _ shape: Shape) -> [Float] {
      // Uniform numbers with the variance 1.
      Draw.numbers(name, shape.count).map { $0 * Float(3).squareRoot() }
    }
    (input, filter, gradient) = (
      draw("input", layer.input), draw("filter", layer.filter), draw("gradient", layer.output)
    )
    plan.write(input, to: "input")
    plan.write(filter, to: "filter")
    plan.write(gradient, to: "gradient")
    plan.poison()
    plan.run()
    results = Dictionary(
      uniqueKeysWithValues: Direction.allCases.map { ($0, plan.read($0.rawValue).scalars) })
  }

  /// ‖computed − exact‖ / ‖exact‖ over the numbers drawn.
  func relativeError(_ direction: Direction) -> Double {
    let computed = results[direction] ?? []
    var source = RandomSource(RandomKey(seed: 23).derived(direction.rawValue))
    var (difference, norm) = (0.0, 0.0)
    for _ in 0..<Self.count {
      let index = source.index(below: computed.count)
      let exact = exact(direction, index)
      difference += (Double(computed[index]) - exact) * (Double(computed[index]) - exact)
      norm += exact * exact
    }
    let error = (difference / norm).squareRoot()
    return error.isNaN ? .infinity : error
  }

  private func exact(_ direction: Direction, _ index: Int) -> Double {
    let (height, width, channels) = (layer.input[1], layer.input[2], layer.input[3])
    let (rows, columns, outputs) = (layer.output[1], layer.output[2], layer.output[3])
    let (taps, columnTaps) = (layer.filter[2], layer.filter[3])
    let (rowStep, columnStep) = (layer.convolution.strideHeight, layer.convolution.strideWidth)
    let padding = layer.convolution.padding
    func x(_ n: Int, _ h: Int, _ w: Int, _ c: Int) -> Double {
      Double(input[((n * height + h) * width + w) * channels + c])
    }
    func y(_ n: Int, _ p: Int, _ q: Int, _ k: Int) -> Double {
      Double(gradient[((n * rows + p) * columns + q) * outputs + k])
    }
    func f(_ k: Int, _ c: Int, _ r: Int, _ s: Int) -> Double {
      Double(filter[((k * channels + c) * taps + r) * columnTaps + s])
    }
    var sum = 0.0
    switch direction {
    case .output:
      let (k, q, p, n) = index.places(outputs, columns, rows)
      for r in 0..<taps {
        let h = p * rowStep + r - padding.top
        guard (0..<height).contains(h) else { continue }
        for s in 0..<columnTaps {
          let w = q * columnStep + s - padding.left
          guard (0..<width).contains(w) else { continue }
          for c in 0..<channels { sum += x(n, h, w, c) * f(k, c, r, s) }
        }
      }
    case .inputGradient:
      let (c, w, h, n) = index.places(channels, width, height)
      for r in 0..<taps {
        let p = h - r + padding.top
        guard p >= 0, p % rowStep == 0, p / rowStep < rows else { continue }
        for s in 0..<columnTaps {
          let q = w - s + padding.left
          guard q >= 0, q % columnStep == 0, q / columnStep < columns else { continue }
          for k in 0..<outputs { sum += y(n, p / rowStep, q / columnStep, k) * f(k, c, r, s) }
        }
      }
    case .filterGradient:
      let (s, r, c, k) = index.places(columnTaps, taps, channels)
      for n in 0..<layer.input[0] {
        for p in 0..<rows {
          let h = p * rowStep + r - padding.top
          guard (0..<height).contains(h) else { continue }
          for q in 0..<columns {
            let w = q * columnStep + s - padding.left
            if (0..<width).contains(w) { sum += x(n, h, w, c) * y(n, p, q, k) }
          }
        }
      }
    }
    return sum
  }
}

extension Int {
  /// The places of an index along the axes of a tensor, the last axis first.
  fileprivate func places(_ last: Int, _ third: Int, _ second: Int) -> (Int, Int, Int, Int) {
    (self % last, self / last % third, self / last / third % second, self / last / third / second)
  }
}
