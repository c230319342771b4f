#if ONNX
  import ResidualFuzzSupport
  import ResidualInterchange
  import ResidualONNXSchema

  extension InterchangeONNXAttacks {
    /// A letter under as many accents as a name may not have: comparing such names takes long.
    private static let accents = "e" + String(repeating: "\u{301}", count: 300)

    /// Files whose reading would take time or memory out of proportion to them.
    static let sizes: [Attack] = [
      Attack(
        "zero that hides an overflow", .wrongShape(tensor: "x", extents: [0, 1 << 40, 1 << 40])
      ) {
        $0.graph.initializer.append(HostileONNX.tensor("x", [0]))
        $0.graph.initializer[2].dims = [0, 1 << 40, 1 << 40]
        $0.graph.node[1] = HostileONNX.node("Flatten", ["x"], "flat")
      },
      Attack("name of a node that takes long", .nameTooLong(offset: 11)) {
        $0.graph.node[0].name = accents
        $0.graph.node[0].input = []
        $0.graph.node[0].output = []
      },
      Attack(
        "integers in a long row",
        .unsupported("operands that are no shapes", operator: "Gather", node: "gathered")
      ) {
        $0.graph.initializer.append(
          HostileONNX.integers("row", [Int64](repeating: 0, count: 65)))
        $0.graph.initializer.append(HostileONNX.integers("shape", [1, 3]))
        $0.graph.node.insert(HostileONNX.node("Gather", ["shape", "row"], "gathered"), at: 0)
      },
      Attack(
        "axes without end", .shapes("its result has 66 axes", node: "flat")
      ) {
        $0.graph.initializer.append(HostileONNX.integers("axes", (0..<64).map { $0 }))
        $0.graph.node[1] = HostileONNX.node("Unsqueeze", ["flatter", "axes"], "flat")
        $0.graph.node.insert(HostileONNX.node("Flatten", ["pooled"], "flatter"), at: 1)
      },
      Attack("one part of one axis, again and again", .wrongAttribute("axes", node: "flat")) {
        for name in ["starts", "ends", "axes"] {
          $0.graph.initializer.append(
            HostileONNX.integers(name, [Int64](repeating: name == "ends" ? 1 : 0, count: 60)))
        }
        $0.graph.node[1] = HostileONNX.node("Slice", ["pooled", "starts", "ends", "axes"], "flat")
      },
      Attack(
        "places further apart than numbers reach",
        .unsupported("such places", operator: "Gather", node: "flat")
      ) {
        $0.graph.initializer.append(HostileONNX.integers("places", [1, .min]))
        $0.graph.node[1] = HostileONNX.node("Gather", ["pooled", "places"], "flat")
        $0.graph.node[1].attribute = [HostileONNX.attribute("axis", 1)]
      },
      Attack("attribute twice", .wrongAttribute("axis", node: "flat")) {
        $0.graph.node[1].attribute = [
          HostileONNX.attribute("axis", 1), HostileONNX.attribute("axis", 0),
        ]
      },
      Attack("operators of two versions", .duplicateField("opset_import")) {
        $0.opsetImport.append($0.opsetImport[0])
        $0.opsetImport[1].version = 13
      },
      Attack("channels that groups do not divide", .wrongAttribute("group", node: "pooled")) {
        $0.graph.initializer.append(HostileONNX.tensor("filter", [4, 1, 3, 3]))
        $0.graph.node[0] = HostileONNX.node(
          "Conv", ["input", "filter"], "pooled", [HostileONNX.attribute("group", 2)])
      },
      Attack(
        "a group for each of many channels",
        .unsupported("65 groups of channels", operator: "Conv", node: "pooled")
      ) {
        $0.graph.initializer.append(HostileONNX.tensor("wide", [65, 3, 1, 1]))
        $0.graph.initializer.append(HostileONNX.tensor("filter", [65, 1, 3, 3]))
        $0.graph.node[0] = HostileONNX.node(
          "Conv", ["wider", "filter"], "pooled", [HostileONNX.attribute("group", 65)])
        $0.graph.node.insert(HostileONNX.node("Conv", ["input", "wide"], "wider"), at: 0)
      },
      Attack(
        "groups without end",
        .unsupported("64 groups of channels", operator: "Conv", node: "grouped64")
      ) {
        $0.graph.initializer.append(HostileONNX.tensor("wide", [64, 3, 1, 1]))
        $0.graph.initializer.append(HostileONNX.tensor("filter", [64, 1, 1, 1]))
        $0.graph.node =
          [HostileONNX.node("Conv", ["input", "wide"], "grouped-1")]
          + (0..<1000).map {
            HostileONNX.node(
              "Conv", ["grouped\($0 - 1)", "filter"], "grouped\($0)",
              [HostileONNX.attribute("group", 64)])
          }
      },
    ]
  }
#endif
