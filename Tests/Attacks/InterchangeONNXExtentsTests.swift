#if ONNX
  import Foundation
  import ResidualFuzzSupport
  import ResidualInterchange
  import ResidualONNXSchema

  extension InterchangeONNXAttacks {
    private static let most = Int64.max

    /// A tensor of no numbers, one of whose extents is as large as numbers are.
    private static func empty(_ extents: [Int64]) -> Onnx_TensorProto {
      var tensor = HostileONNX.tensor("x", [0])
      tensor.dims = extents
      return tensor
    }

    /// Numbers that overflow where they are computed with.
    static let extents: [Attack] =
      [[0, most], [0, 1, most, 1], [1 << 41, 0], [0, 1 << 21, 1 << 21]].map { extents in
        Attack("no numbers of \(extents)", .wrongShape(tensor: "x", extents: extents)) {
          $0.graph.initializer.append(empty(extents))
          $0.graph.node[1] = HostileONNX.node("Relu", ["x"], "flat")
        }
      } + [
        Attack("no numbers out of nothing", .wrongShape(tensor: "flat", extents: [0, most])) {
          $0.graph.initializer.append(HostileONNX.integers("shape", [0, most]))
          $0.graph.node[1] = HostileONNX.node("ConstantOfShape", ["shape"], "flat")
        },
        Attack(
          "700 axes", .wrongShape(tensor: "x", extents: [Int64](repeating: 0, count: 700))
        ) { $0.graph.initializer.append(empty([Int64](repeating: 0, count: 700))) },
        Attack(
          "steps as long as numbers reach",
          .shapes("matrices of [1, 1] and [3, 4] do not fit", node: "output.product")
        ) {
          for (name, number) in [("from", 0), ("to", 3), ("axis", 1), ("step", most)] {
            $0.graph.initializer.append(HostileONNX.integers(name, [number]))
          }
          $0.graph.node[1] = HostileONNX.node("Flatten", ["part"], "flat")
          $0.graph.node.insert(
            HostileONNX.node("Slice", ["pooled", "from", "to", "axis", "step"], "part"), at: 1)
        },
        Attack(
          "more than any machine computes", .shapes("no machine computes so much", node: "conv")
        ) {
          $0.graph.input[0] = HostileONNX.value("input", [1, 3, 4096, 4096])
          $0.graph.initializer.append(HostileONNX.integers("shape", [1, 3, 2048, 2048]))
          $0.graph.initializer.append(
            HostileONNX.integers("pads", [0, 0, 4096, 4096, 0, 0, 4096, 4096]))
          let pads = (0..<72).map {
            HostileONNX.node("Pad", [$0 == 0 ? "input" : "pad\($0 - 1)", "pads"], "pad\($0)")
          }
          $0.graph.node =
            [HostileONNX.node("ConstantOfShape", ["shape"], "filter")] + pads
            + [HostileONNX.node("Conv", ["pad71", "filter"], "conv")] + $0.graph.node.dropFirst()
        },
        Attack(
          "a batch to the power of 64",
          .fixedBatch(
            "m5: its result of [4294967296, 4294967296] is larger than any memory")
        ) {
          $0.graph.initializer += [
            HostileONNX.tensor("first", [3, 1]), HostileONNX.integers("column", [-1, 1]),
            HostileONNX.integers("one", [1, 1]),
          ]
          $0.graph.node[2].output = ["logits"]
          $0.graph.node.append(HostileONNX.node("MatMul", ["flat", "first"], "c0"))
          for round in 0..<6 {
            $0.graph.node += [
              HostileONNX.node("Transpose", ["c\(round)"], "t\(round)"),
              HostileONNX.node("MatMul", ["c\(round)", "t\(round)"], "m\(round)"),
              HostileONNX.node("Reshape", ["m\(round)", "column"], "c\(round + 1)"),
            ]
          }
          $0.graph.node += [
            HostileONNX.node("Reshape", ["c6", "one"], "last"),
            HostileONNX.node("Add", ["logits", "last"], "output"),
          ]
        },
        Attack(
          "a name that is hidden by a mark", .reservedName("momentum/\u{301}w")
        ) {
          $0.graph.initializer[1].name = "momentum/\u{301}w"
          $0.graph.node[2].input[2] = "momentum/\u{301}w"
        },
      ]

    /// Small files that become large.
    static let growth: [Attack] = [
      Attack("a constant of many names", .tooLargeConstant(node: "c4", limit: 1 << 28)) {
        $0.graph.initializer.append(HostileONNX.integers("shape", [1 << 26]))
        $0.graph.node.append(HostileONNX.node("ConstantOfShape", ["shape"], "c0"))
        for index in 1..<9 {
          $0.graph.node.append(
            HostileONNX.node(
              ["Identity", "Dropout"][index % 2], ["c\(index - 1)"], "c\(index)"))
        }
      },
      Attack(
        "shapes joined to a longer one",
        .unsupported("a shape of 128 axes", operator: "Concat", node: "joined")
      ) {
        $0.graph.initializer.append(HostileONNX.integers("row", Array(0..<64)))
        $0.graph.node.append(
          HostileONNX.node(
            "Concat", [String](repeating: "row", count: 1000), "joined",
            [HostileONNX.attribute("axis", 0)]))
      },
      Attack(
        "operands without end", .wrongOperands(count: 1025, operator: "Sum", node: "sum")
      ) {
        $0.graph.node.append(
          HostileONNX.node("Sum", [String](repeating: "flat", count: 1025), "sum"))
      },
      Attack("sums without end", .tooManyParts(limit: 1 << 17)) {
        for index in 0..<200 {
          $0.graph.node.append(
            HostileONNX.node("Sum", [String](repeating: "flat", count: 1024), "sum\(index)"))
        }
      },
      Attack("places without end", .unsupported("4097 places", operator: "Gather", node: "flat")) {
        $0.graph.initializer.append(HostileONNX.integers("places", Array(0..<4097)))
        $0.graph.node[1] = HostileONNX.node("Gather", ["pooled", "places"], "flat")
      },
    ]

    /// A text that would take long to compare as Unicode.
    static let texts: [Attack] = [
      Attack("text that takes long", .wrongAttribute("auto_pad", node: "pooled")) {
        var text = Onnx_AttributeProto()
        (text.name, text.type) = ("auto_pad", .string)
        text.s = Data("N".utf8) + Data([UInt8](repeating: 0xCC, count: 2 << 20))
        $0.graph.node[0] = HostileONNX.node("MaxPool", ["input"], "pooled", [text])
        $0.graph.node[0].attribute.append(HostileONNX.attribute("kernel_shape", ints: [32, 32]))
      }
    ]

    /// Messages that are small in a file and large in memory.
    static let messages: [Attack] = [
      Attack(
        "a million empty attributes of a function",
        Wire.start + Wire.field(25, repeated([0x5A, 0], 1_000_000)), .localFunctions),
      Attack(
        "a million empty nodes to train with",
        Wire.start + Wire.field(20, Wire.field(2, repeated([0x0A, 0], 1_000_000))),
        .tooMuchForeign(limit: 64 << 10)),
      Attack(
        "a million empty pairs of a quantization",
        Wire.start + Wire.field(7, Wire.field(14, repeated([0x12, 0], 1_000_000))),
        .tooMuchForeign(limit: 64 << 10)),
      Attack(
        "numbers in many chunks",
        Wire.start
          + Wire.field(7, Wire.field(5, repeated(Wire.field(4, [0, 0, 0, 0]), 17))),
        .manyChunks(offset: 6)),
    ]

    private static func repeated(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
      Array([[UInt8]](repeating: bytes, count: count).joined())
    }
  }
#endif
