#if ONNX
  import Foundation
  import ResidualExecution
  import ResidualInterchange
  import ResidualONNXSchema
  import ResidualReference
  import ResidualTensors
  import ResidualTestSupport
  import Testing

  /// Each operation alone, in ONNX Runtime and on the reference device: networks use few of their
  /// attributes.
  @Suite(
    .serialized,
    .enabled(
      if: ONNXRuntime.isAvailable, "RESNET_PYTHON names no Python with onnx and onnxruntime"))
  struct ONNXOperationTests {
    /// A graph from one input to one output.
    struct Case: Sendable {
      let name: String
      let shape: Shape
      var opset = 9
      let build: @Sendable (inout Graph, Value) -> Value
    }

    private static func state(_ graph: inout Graph, _ name: String, _ shape: Shape) -> Value {
      graph.state(
        StateSlot(
          name: name, shape: shape, role: .parameter,
          initialValue: .normal(standardDeviation: 0.5)))
    }

    /// One operation of one operand.
    private static func one(
      _ name: String, _ operation: ResidualGraphs.Operation, _ shape: Shape = [2, 6, 5, 3],
      opset: Int = 9
    ) -> Case {
      Case(name: name, shape: shape, opset: opset) { $0.append(operation, [$1], path: name) }
    }

    /// Windows that awkwardly reach over edges: 6 rows and 5 columns.
    private static let windows: [(String, ResidualGraphs.Operation.MaxPooling)] = [
      ("plain", .init(size: 2, stride: 2)),
      ("up", .init(size: 2, stride: 2, padding: 1, roundsUp: true)),
      ("up3", .init(size: 3, stride: 2, roundsUp: true)),
      ("up4", .init(size: 3, stride: 4, padding: 1, roundsUp: true)),
      (
        "uneven",
        .init(
          windowHeight: 3, windowWidth: 2, strideHeight: 2, strideWidth: 1,
          padding: .init(top: 0, left: 1, bottom: 2, right: 0), roundsUp: true)
      ),
    ]
    private static let dilated = ResidualGraphs.Operation.MaxPooling(
      windowHeight: 2, windowWidth: 2, strideHeight: 2, strideWidth: 3,
      padding: .init(top: 1, left: 0, bottom: 1, right: 1), roundsUp: true, dilationHeight: 2,
      dilationWidth: 3)

    static let cases: [Case] =
      windows.flatMap { name, pooling in
        [
          one("maximum.\(name)", .maxPooling(pooling)),
          one("counting.\(name)", .averagePooling(.init(.counting(pooling)))),
          one("notCounting.\(name)", .averagePooling(.init(.notCounting(pooling)))),
        ]
      }
      + [(1, 1), (6, 5), (3, 5), (2, 1), (4, 3), (7, 9)].map { rows, columns in
        one(
          "adaptive\(rows)x\(columns)",
          .averagePooling(.init(.adaptive(rows: rows, columns: columns))))
      }
      + [
        one("maximum.dilated", .maxPooling(dilated), opset: 10),
        one("counting.dilated", .averagePooling(.init(.counting(dilated)))),
        one("notCounting.dilated", .averagePooling(.init(.notCounting(dilated)))),
        one("flatten", .flatten(.init())), one("global", .globalAveragePooling(.init())),
        one("relu", .relu(.init())), one("sigmoid", .sigmoid(.init()), [2, 7]),
        one("scale", .scale(.init(-0.3))), one("scale3", .scale(.init(3)), [2, 3, 4]),
      ]
      + (1..<4).flatMap { axis in
        [
          one("softmax\(axis)", .softmax(.init(axis: axis))),
          one("slice\(axis)", .slice(.init(axis: axis, start: 1, end: 1))),
          one("steps\(axis)", .slice(.init(axis: axis, start: 1, stride: 2))),
          one("pad\(axis)", .pad(.init(axis: axis, before: 2, after: 1, value: 0.5))),
          Case(name: "concatenate\(axis)", shape: [2, 6, 5, 3]) { graph, x in
            let y = graph.append(.pad(.init(axis: axis, before: 1, after: 0)), [x], path: "y")
            return graph.append(.concatenate(.init(axis: axis)), [x, y, x], path: "both")
          },
        ]
      }
      + [
        one("softmax.matrix", .softmax(.init(axis: 1)), [3, 4, 5]),
        one("slice.matrix", .slice(.init(axis: 2, start: 1, end: 1, stride: 2)), [3, 4, 8]),
        one("reshape.rows", .reshape(.init([.copied(axis: 0), .rest, .fixed(3)]))),
        one("reshape.merged", .reshape(.init([.rest, .copied(axis: 3)]))),
        one(
          "reshape.images", .reshape(.init([.copied(axis: 0), .fixed(2), .rest, .fixed(2)])),
          [2, 24]),
        one("transpose.swap", .transpose(.init([0, 2, 1, 3]))),
        one("transpose.first", .transpose(.init([0, 3, 1, 2]))),
        one("transpose.rank3", .transpose(.init([0, 2, 1])), [2, 3, 4]),
        Case(name: "convolution", shape: [2, 6, 5, 3]) { graph, x in
          let filter = state(&graph, "filter", [4, 3, 3, 2])
          return graph.append(
            .convolution(
              .init(
                strideHeight: 2, strideWidth: 1,
                padding: .init(top: 2, left: 0, bottom: 1, right: 1))), [x, filter], path: "conv")
        },
        Case(name: "bias.shared", shape: [2, 6, 5, 3]) { graph, x in
          let bias = state(&graph, "bias", [3])
          let y = graph.append(.addBias(.init()), [x, bias], path: "y")
          let pooled = graph.append(.globalAveragePooling(.init()), [y], path: "pool")
          return graph.append(.addBias(.init()), [pooled, bias], path: "z")
        },
        Case(name: "computed.filter", shape: [2, 6, 5, 3]) { graph, x in
          // A filter that is computed, and a bias likewise.
          let (a, b) = (state(&graph, "a", [4, 3, 2, 2]), state(&graph, "b", [4]))
          let filter = graph.append(.scale(.init(2)), [a], path: "filter")
          let bias = graph.append(.relu(.init()), [b], path: "bias")
          let y = graph.append(.convolution(.init()), [x, filter], path: "conv")
          let z = graph.append(.relu(.init()), [y], path: "relu")
          return graph.append(.addBias(.init()), [z, bias], path: "sum")
        },
        Case(name: "constants.images", shape: [2, 6, 5, 3]) { graph, x in
          // An image among the slots, and one number for all of it.
          let image = state(&graph, "image", [1, 6, 5, 3])
          let half = graph.append(.constant(.init(0.5)), [], path: "half")
          let y = graph.append(.broadcast(.init()), [image, x], path: "image.all")
          let z = graph.append(.broadcast(.init()), [half, x], path: "half.all")
          let sum = graph.append(.subtract(.init()), [x, y], path: "sum")
          return graph.append(.multiply(.init()), [sum, z], path: "product")
        },
        Case(name: "squeeze", shape: [2, 6, 5, 3]) { graph, x in
          let pooled = graph.append(
            .averagePooling(.init(.adaptive(rows: 1, columns: 1))), [x], path: "pool")
          let gate = graph.append(.sigmoid(.init()), [pooled], path: "gate")
          let all = graph.append(.broadcast(.init()), [gate, x], path: "all")
          return graph.append(.multiply(.init()), [x, all], path: "product")
        },
        Case(name: "broadcast.read", shape: [2, 6, 5, 3]) { graph, x in
          let pooled = graph.append(
            .averagePooling(.init(.adaptive(rows: 1, columns: 1))), [x], path: "pool")
          let all = graph.append(.broadcast(.init()), [pooled, x], path: "all")
          return graph.append(.flatten(.init()), [all], path: "flat")
        },
        Case(name: "broadcast.outer", shape: [2, 4, 6]) { graph, x in
          let matrix = state(&graph, "matrix", [6, 5])
          let all = graph.append(.broadcast(.init(leaving: 2)), [matrix, x], path: "all")
          return graph.append(.matrixProduct(.init()), [x, all], path: "product")
        },
        Case(name: "normalization.rank2", shape: [4, 6]) { normalized(&$0, $1, 6) },
        Case(name: "normalization.rank3", shape: [2, 4, 6]) { normalized(&$0, $1, 6) },
        Case(name: "normalization.rank4", shape: [2, 3, 4, 6]) { normalized(&$0, $1, 6) },
        Case(name: "attention", shape: [2, 4, 6]) { graph, x in
          // Heads, products with both transpositions, and back.
          let split = graph.append(
            .reshape(.init([.copied(axis: 0), .copied(axis: 1), .fixed(2), .fixed(3)])), [x],
            path: "split")
          let heads = graph.append(.transpose(.init([0, 2, 1, 3])), [split], path: "heads")
          let scores = graph.append(
            .matrixProduct(.init(transposesRight: true)), [heads, heads], path: "scores")
          let shares = graph.append(.softmax(.init(axis: 3)), [scores], path: "shares")
          let mixed = graph.append(
            .matrixProduct(.init(transposesLeft: true)), [shares, heads], path: "mixed")
          let back = graph.append(.transpose(.init([0, 2, 1, 3])), [mixed], path: "back")
          return graph.append(
            .reshape(.init([.copied(axis: 0), .copied(axis: 1), .rest])), [back], path: "merged")
        },
        Case(name: "products", shape: [4, 6]) { graph, x in
          let (a, b) = (state(&graph, "a", [5, 6]), state(&graph, "b", [5]))
          let y = graph.append(
            .matrixProduct(.init(transposesRight: true)), [x, a], path: "y")
          let z = graph.append(.addBias(.init()), [y, b], path: "z")
          let square = graph.append(
            .matrixProduct(.init(transposesLeft: true)), [z, x], path: "square")
          return graph.append(.add(.init()), [square, a], path: "sum")
        },
        Case(name: "mixed.orders", shape: [2, 6, 5, 3]) { graph, x in
          // An image that is reshaped and back, added to one that is not.
          let rows = graph.append(
            .reshape(.init([.copied(axis: 0), .rest])), [x], path: "rows")
          let again = graph.append(
            .reshape(.init([.copied(axis: 0), .fixed(6), .fixed(5), .fixed(3)])), [rows],
            path: "again")
          return graph.append(.add(.init()), [again, x], path: "sum")
        },
      ]

    private static func normalized(
      _ graph: inout Graph, _ x: Value, _ channels: Int
    ) -> Value {
      let mean = state(&graph, "mean", [channels])
      let variance = graph.append(.sigmoid(.init()), [mean], path: "variance")
      let (scale, shift) = (state(&graph, "scale", [channels]), state(&graph, "shift", [channels]))
      return graph.append(
        .batchNormalization(.init(epsilon: 1e-3, statistics: .fixed)),
        [x, mean, variance, scale, shift], path: "bn")
    }

    @Test(arguments: [9, 10, 11, 12, 13, 17, 19, 22])
    func agree(opset: Int) throws {
      let folder = try TemporaryFolder()
      var jobs: [ONNXRuntime.Job] = []
      var tried: [String] = []
      for item in Self.cases where item.opset <= opset {
        var graph = Graph()
        let output = item.build(&graph, graph.input("x"))
        graph.output("y", output)
        let device = ReferenceDevice()
        let store = Store(for: device)
        try store.initialize(graph.slots, seed: 3)
        for slot in graph.slots { store.write(store.read(slot.name).scalars, to: slot.name) }
        let plan = try Session(device: device, store: store).load(graph, inputs: ["x": item.shape])
        var source = RandomSource(RandomKey(seed: 8))
        let x = Tensor(item.shape, (0..<item.shape.count).map { _ in 2 * source.uniform() - 1 })
        plan.write(x.scalars, to: "x")
        plan.run()
        let y = ONNXRuntime.channelsFirst(plan.read("y"))

        var export = try ONNXExport(
          graph, inputs: ["x": item.shape],
          tensors: Dictionary(
            uniqueKeysWithValues: graph.slots.map { ($0.name, store.read($0.name)) }),
          opset: opset)
        try export.run()
        let path = folder["\(item.name).onnx"]
        try Self.file(export.message, opset: opset).write(to: URL(filePath: path))
        let given = ONNXRuntime.channelsFirst(x)
        jobs.append(
          .init(
            model: path,
            runs: [
              .init(
                input: try ONNXRuntime.write(given.scalars, item.name + ".x", in: folder),
                shape: given.shape.extents,
                expected: try ONNXRuntime.write(y.scalars, item.name + ".y", in: folder),
                expectedShape: y.shape.extents)
            ]))
        tried.append(item.name)
      }
      let errors = try ONNXRuntime.errors(jobs, in: folder)
      #expect(errors.count == tried.count)
      for (name, error) in zip(tried, errors) { #expect(error <= 1e-5, "\(name)") }
    }

    private static func file(_ graph: Onnx_GraphProto, opset: Int) throws -> Data {
      var model = Onnx_ModelProto()
      model.irVersion = 4
      var operators = Onnx_OperatorSetIdProto()
      operators.version = Int64(opset)
      model.opsetImport = [operators]
      model.graph = graph
      model.graph.name = "operation"
      return try model.serializedBytes()
    }
  }
#endif
