import ResidualFigures
import ResidualNetworks

extension LayerDiagram {
  /// The layers of a network in inference form, without normalisation and rectifiers.
  ///
  /// - Throws: ``ShapeError`` if the network does not fit images of its input side.
  init(of network: Network) throws {
    let graph = network.graph(.inference)
    let shapes = try graph.shapes(inputs: [Network.imagesInput: network.imagesShape(batch: 1)])
    var boxes: [Box] = []
    var shortcuts: [Shortcut] = []
    /// For each node the boxes that its result comes from, and whether a shortcut changed its shape.
    var sources = [Source](repeating: Source(), count: graph.nodes.count)
    var group = 0
    var side = 0
    for (index, node) in graph.nodes.enumerated() {
      let inputs = node.operands.map { sources[$0.node] }
      let output = shapes[index][0]
      let label = Self.label(
        node.operation, node.operands.map { shapes[$0.node][$0.result] }, output)
      if let label, !Self.standsBeside(node.path) {
        if output.rank == 4, output[1] != side { (side, group) = (output[1], group + 1) }
        let boxesBefore = inputs.reduce(into: Set<Int>()) { $0.formUnion($1.boxes) }
        boxes.append(
          Box(label, group: output.rank == 4 ? group : 0, inputs: boxesBefore.sorted()))
        sources[index] = Source(boxes: [boxes.count - 1])
        continue
      }
      switch node.operation {
      case .add where inputs.count == 2 && inputs[0] != inputs[1]:
        // The path through more layers goes on; the other one is the shortcut.
        let isFirstLong = inputs[0].last >= inputs[1].last
        let (long, short) = isFirstLong ? (inputs[0], inputs[1]) : (inputs[1], inputs[0])
        if let end = long.boxes.max() {
          let isGated = node.operands.contains {
            graph.nodes[$0.node].path.hasSuffix(".gate.product")
          }
          shortcuts.append(
            Shortcut(
              from: short.boxes.max(), to: end, changesShape: short.changesShape,
              mark: isGated ? "T" : nil))
        }
        sources[index] = Source(boxes: long.boxes)
      case .slice, .pad, .convolution:
        sources[index] = Source(boxes: inputs.first?.boxes ?? [], changesShape: true)
      case .input, .state, .constant: break
      default:
        // The gate's product counts as its branch.
        sources[index] = inputs.max { $0.last < $1.last } ?? Source()
      }
    }
    self.init(
      title: "\(network.name), images of \(network.inputSide)×\(network.inputSide) pixels"
        + (shortcuts.contains { $0.mark != nil } ? "; T: gate" : ""),
      boxes: boxes, shortcuts: shortcuts)
  }

  private struct Source: Hashable {
    var boxes: Set<Int> = []
    var changesShape = false
    /// The last box; -1 if there is none.
    var last: Int { boxes.max() ?? -1 }
  }

  /// Whether a layer belongs to a shortcut or a gate.
  private static func standsBeside(_ path: String) -> Bool {
    path.contains("downsample") || path.contains(".gate")
  }

  /// What stands in a layer's box; `nil` for operations that have none.
  private static func label(_ operation: Operation, _ operands: [Shape], _ output: Shape) -> String?
  {
    func stride(_ step: Int) -> String { step > 1 ? ", /\(step)" : "" }
    return switch operation {
    case .convolution(let convolution):
      "\(operands[1][2])×\(operands[1][3]) conv, \(operands[1][0])"
        + stride(convolution.strideHeight)
    case .matrixProduct: "fc, \(output[1])"
    case .maxPooling(let pooling):
      "\(pooling.windowHeight)×\(pooling.windowWidth) max pool" + stride(pooling.strideHeight)
    case .concatenate: "concat, \(output[3])"
    case .averagePooling: "avg pool to \(output[1])×\(output[2])"
    case .globalAveragePooling: "avg pool"
    default: nil
    }
  }
}
