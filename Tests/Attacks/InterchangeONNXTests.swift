#if ONNX
  import Foundation
  import ResidualFormats
  import ResidualFuzzSupport
  import ResidualInterchange
  import ResidualONNXSchema
  import ResidualTensors
  import Testing

  @Suite struct InterchangeONNXAttacks {
    struct Attack: Sendable, CustomTestStringConvertible {
      let testDescription: String
      let bytes: [UInt8]
      let problem: ONNXProblem

      init(_ name: String, _ bytes: [UInt8], _ problem: ONNXProblem) {
        (testDescription, self.bytes, self.problem) = (name, bytes, problem)
      }

      /// A small classifier with something changed.
      init(
        _ name: String, _ problem: ONNXProblem, _ change: (inout Onnx_ModelProto) -> Void
      ) {
        var model = Hostile.model
        change(&model)
        self.init(name, (try? model.serializedBytes()) ?? [], problem)
      }
    }

    /// The bytes of protocol buffers.
    enum Wire {
      static func number(_ value: UInt64) -> [UInt8] {
        value < 128 ? [UInt8(value)] : [UInt8(value & 127) | 128] + number(value >> 7)
      }
      static func field(_ number: UInt64, _ bytes: [UInt8], length: UInt64? = nil) -> [UInt8] {
        Self.number(number << 3 | 2) + Self.number(length ?? UInt64(bytes.count)) + bytes
      }
      static let start: [UInt8] = [0x08, 8]
      /// Graphs within attributes of nodes of graphs.
      static func nested(_ depth: Int) -> [UInt8] {
        depth == 0 ? [] : field(1, field(5, field(6, nested(depth - 1))))
      }
    }

    enum Hostile {
      /// Global average pooling of images and a product, for four classes.
      static let model: Onnx_ModelProto = {
        var model = Onnx_ModelProto()
        model.irVersion = 8
        var set = Onnx_OperatorSetIdProto()
        set.version = 17
        model.opsetImport = [set]
        model.graph.input = [HostileONNX.value("input", [1, 3, 32, 32])]
        model.graph.output = [HostileONNX.value("output", [1, 4])]
        model.graph.node = [
          HostileONNX.node("GlobalAveragePool", ["input"], "pooled"),
          HostileONNX.node("Flatten", ["pooled"], "flat"),
          HostileONNX.node("Gemm", ["flat", "weight", "bias"], "output"),
        ]
        model.graph.initializer = [
          HostileONNX.tensor("weight", [3, 4]), HostileONNX.tensor("bias", [4]),
        ]
        return model
      }()

      static func external(_ location: String) -> (inout Onnx_ModelProto) -> Void {
        { model in
          var entry = Onnx_StringStringEntryProto()
          (entry.key, entry.value) = ("location", location)
          model.graph.initializer[0].rawData = Data()
          model.graph.initializer[0].dataLocation = .external
          model.graph.initializer[0].externalData = [entry]
        }
      }
    }

    static let wire: [Attack] = [
      Attack("cut within a number", [0x08], .cutOff(offset: 1, needed: 1, available: 0)),
      Attack(
        "length beyond the end", Wire.start + Wire.field(7, [0], length: 1 << 40),
        .cutOff(offset: 9, needed: 1 << 40, available: 1)),
      Attack(
        "length of 2⁶⁴ − 1", Wire.start + Wire.field(7, [], length: .max),
        .cutOff(offset: 13, needed: .max, available: 0)),
      Attack(
        "node longer than its graph", Wire.start + Wire.field(7, Wire.field(1, [0], length: 2)),
        .cutOff(offset: 6, needed: 2, available: 1)),
      Attack(
        "number of 11 bytes",
        Wire.start + [0x28] + [UInt8](repeating: 0x80, count: 11) + [0], .longNumber(offset: 3)),
      Attack("group", Wire.start + [0x3B], .unknownWireType(3, offset: 2)),
      Attack("wire type 7", Wire.start + [0x3F], .unknownWireType(7, offset: 2)),
      Attack("field 0", Wire.start + [0x02, 0], .fieldZero(offset: 2)),
      Attack(
        "graphs within graphs", Wire.start + Wire.field(7, Wire.nested(30)),
        .nestedTooDeep(offset: 111)),
      Attack(
        "a million empty nodes",
        Wire.start
          + Wire.field(
            7,
            [UInt8](repeating: 0, count: 2_000_000).enumerated().map {
              $0.offset % 2 == 0 ? 0x0A : 0
            }), .tooManyParts(limit: 100_000)),
      Attack(
        "a name of 5 MB", Wire.start + Wire.field(2, [UInt8](repeating: 0x61, count: 5 << 20)),
        .tooMuchStructure(limit: 4 << 20)),
      Attack(
        "packed integers that grow eightfold",
        Wire.start
          + Wire.field(
            7, Wire.field(1, Wire.field(5, Wire.field(8, [UInt8](repeating: 1, count: 5 << 20))))),
        .tooMuchStructure(limit: 4 << 20)),
      Attack("text that is not UTF-8", Wire.start + Wire.field(2, [0xFF, 0xFE]), .notDecodable),
      Attack("nothing but a version", Wire.start, .noGraph),
      Attack("version 0", [0x08, 0] + Wire.field(7, []), .unknownVersion(0)),
    ]

    static let models: [Attack] = [
      Attack("no operators", .noOperatorSet) { $0.opsetImport = [] },
      Attack("operators of another domain", .noOperatorSet) {
        $0.opsetImport[0].domain = "com.example"
      },
      Attack("operators of version 1", .oldOperatorSet(1)) { $0.opsetImport[0].version = 1 },
      Attack("operators of tomorrow", .newOperatorSet(.max)) {
        $0.opsetImport[0].version = .max
      },
      Attack("functions of its own", .localFunctions) { $0.functions = [.init()] },
      Attack("sparse tensor", .sparseTensor("s")) {
        var sparse = Onnx_SparseTensorProto()
        sparse.values.name = "s"
        $0.graph.sparseInitializer = [sparse]
      },
      Attack("duplicate tensor", .duplicateTensor("bias")) {
        $0.graph.initializer.append(HostileONNX.tensor("bias", [4]))
      },
      Attack("value made twice", .duplicateValue("flat", node: "flat")) {
        $0.graph.node.insert($0.graph.node[1], at: 2)
      },
      Attack("input made again", .duplicateValue("input", node: "input")) {
        $0.graph.node[0] = HostileONNX.node("Relu", ["input"], "input")
      },
      Attack("cycle", .undefinedValue("flat", node: "pooled")) {
        $0.graph.node[0].input = ["flat"]
      },
      Attack("output that nothing makes", .undefinedValue("elsewhere", node: "output")) {
        $0.graph.output[0].name = "elsewhere"
      },
      Attack(
        "numbers at an absolute path",
        .externalData(tensor: "weight", location: "/etc/passwd"),
        Hostile.external("/etc/passwd")),
      Attack(
        "numbers above the folder",
        .externalData(tensor: "weight", location: "../../secret"),
        Hostile.external("../../secret")),
      Attack("segment", .segmented(tensor: "bias")) {
        $0.graph.initializer[1].segment.begin = 0
      },
      Attack("negative extent", .wrongShape(tensor: "bias", extents: [-4])) {
        $0.graph.initializer[1].dims = [-4]
      },
      Attack(
        "extents whose product overflows",
        .wrongShape(tensor: "bias", extents: [1 << 40, 1 << 40])
      ) { $0.graph.initializer[1].dims = [1 << 40, 1 << 40] },
      Attack("nine axes", .wrongShape(tensor: "bias", extents: .init(repeating: 1, count: 9))) {
        $0.graph.initializer[1].dims = .init(repeating: 1, count: 9)
      },
      Attack("fewer numbers than its shape", .wrongSize(tensor: "bias", expected: 16, found: 8)) {
        $0.graph.initializer[1].rawData = Data(count: 8)
      },
      Attack(
        "a shape of 10 GB", .wrongSize(tensor: "bias", expected: 10 << 30, found: 16)
      ) { $0.graph.initializer[1].dims = [10 << 28] },
      Attack("strings", .unsupportedType(tensor: "bias", type: "string")) {
        $0.graph.initializer[1].dataType = 8
      },
      Attack("type 99", .unsupportedType(tensor: "bias", type: "99")) {
        $0.graph.initializer[1].dataType = 99
      },
      Attack("the optimiser's name", .reservedName("momentum/fc.weight")) {
        $0.graph.initializer[0].name = "momentum/fc.weight"
        $0.graph.node[2].input[1] = "momentum/fc.weight"
      },
      Attack("node of another domain", .unknownDomain("com.evil", node: "flat")) {
        $0.graph.node[1].domain = "com.evil"
      },
      Attack("loop", .unsupportedOperator("Loop", node: "flat")) {
        $0.graph.node[1].opType = "Loop"
      },
      Attack("stride of 0", .wrongAttribute("strides", node: "pooled")) {
        $0.graph.node[0] = HostileONNX.node("MaxPool", ["input"], "pooled")
        $0.graph.node[0].attribute = [
          HostileONNX.attribute("kernel_shape", ints: [2, 2]),
          HostileONNX.attribute("strides", ints: [0, 1]),
        ]
      },
      Attack("padding of 2⁶²", .wrongAttribute("pads", node: "pooled")) {
        $0.graph.node[0] = HostileONNX.node("MaxPool", ["input"], "pooled")
        $0.graph.node[0].attribute = [
          HostileONNX.attribute("kernel_shape", ints: [2, 2]),
          HostileONNX.attribute("pads", ints: [1 << 62, 0, 0, 0]),
        ]
      },
      Attack("attribute of another type", .wrongAttribute("axis", node: "flat")) {
        $0.graph.node[1].attribute = [HostileONNX.attribute("axis", ints: [1])]
      },
      Attack("axis beyond the rank", .wrongAttribute("axis", node: "flat")) {
        $0.graph.node[1].attribute = [HostileONNX.attribute("axis", .min)]
      },
      Attack("no operand", .wrongOperands(count: 0, operator: "Flatten", node: "flat")) {
        $0.graph.node[1].input = []
      },
      Attack("an integer as an image", .wrongKind(value: "n", node: "flat")) {
        $0.graph.initializer.append(HostileONNX.integers("n", [1]))
        $0.graph.node[1] = HostileONNX.node("Sum", ["pooled", "n"], "flat")
      },
      Attack(
        "matrices that do not fit",
        .shapes("matrices of [1, 3] and [2, 4] do not fit", node: "output.product")
      ) { $0.graph.initializer[0] = HostileONNX.tensor("weight", [2, 4]) },
      Attack(
        "reshape to 2⁶² axes' worth",
        .shapes("the 3 numbers of [1, 3, 1, 1] do not fill [4611686018427387904, 4]", node: "flat")
      ) {
        $0.graph.initializer.append(HostileONNX.integers("to", [1 << 62, 4]))
        $0.graph.node[1] = HostileONNX.node("Reshape", ["pooled", "to"], "flat")
      },
      Attack(
        "constant out of nothing", .tooLargeConstant(node: "bias", limit: 1 << 28)
      ) {
        $0.graph.initializer[1] = HostileONNX.integers("shape", [1 << 30])
        $0.graph.node.insert(HostileONNX.node("ConstantOfShape", ["shape"], "bias"), at: 0)
      },
      Attack("two inputs", .inputs(["input", "other"])) {
        $0.graph.input.append(HostileONNX.value("other", [1, 3, 32, 32]))
      },
      Attack("no input", .inputs([])) { $0.graph.input = [] },
      Attack("input that is a sequence", .noTensor("input")) {
        $0.graph.input[0].type.sequenceType.elemType = .init()
      },
      Attack("images of 7 channels", .notImages(input: "input", extents: "[1, 7, 32, 32]")) {
        $0.graph.input[0] = HostileONNX.value("input", [1, 7, 32, 32])
      },
      Attack(
        "images of 2⁴⁰ pixels",
        .notImages(input: "input", extents: "[1, 3, 1099511627776, 1099511627776]")
      ) { $0.graph.input[0] = HostileONNX.value("input", [1, 3, 1 << 40, 1 << 40]) },
      Attack("images that are not square", .notSquare(height: 32, width: 64)) {
        $0.graph.input[0] = HostileONNX.value("input", [1, 3, 32, 64])
      },
      Attack("two outputs", .outputs(["output", "flat"])) {
        $0.graph.output.append(HostileONNX.value("flat", [1, 3]))
      },
      Attack("an image as its result", .notLogits(output: "input", shape: [1, 3, 32, 32])) {
        $0.graph.output[0].name = "input"
      },
      Attack("result of a constant", .undefinedValue("bias", node: "output")) {
        $0.graph.output[0].name = "bias"
      },
    ]

    @Test(arguments: wire + messages + models + sizes + extents + growth) func refused(
      _ attack: Attack
    ) {
      // Nodes without content take the most memory for their bytes, and what operators stand for (groups,
      // paddings) takes the rest; both are limited by number.
      expectRefusal(of: attack, factor: 250, base: 4 << 20)
    }

    @Test(arguments: texts) func textsAreNotCompared(_ attack: Attack) {
      expectRefusal(of: attack, factor: 4, base: 64 << 10)
    }

    private func expectRefusal(of attack: Attack, factor: Int, base: Int) {
      let refusal = refusal(of: attack.bytes, by: ONNXError.self, factor: factor, base: base) {
        _ = try ONNXNetwork(ONNXFile($0))
      }
      #expect(refusal?.problem == attack.problem)
    }

    @Test func unharmed() throws {
      let bytes: [UInt8] = try Hostile.model.serializedBytes()
      let network = try ONNXNetwork(ONNXFile(FileBytes(bytes, name: "whole")))
      #expect(network.network.classes == 4 && network.tensors.count == 2)
    }
  }
#endif
