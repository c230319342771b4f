#if ONNX
  import Foundation
  import ResidualONNXSchema

  extension FuzzTarget {
    /// A network of most kinds of layer, with the shapes that exporters compute.
    static func layers() -> Onnx_ModelProto {
      var model = model(input: [0, 3, 32, 32])
      model.graph.initializer = [
        HostileONNX.tensor("w", [2, 3, 3, 3]), HostileONNX.tensor("b", [2]),
        HostileONNX.tensor("s", [2]), HostileONNX.tensor("m", [2]),
        HostileONNX.tensor("f", [2, 2]), HostileONNX.tensor("d", [2]),
        HostileONNX.tensor("c", [2, 1, 1]), HostileONNX.integers("zero", [0]),
        HostileONNX.integers("rest", [-1]),
        HostileONNX.integers("pads", [0, 0, 1, 1, 0, 0, 0, 0]), HostileONNX.integers("one", [1]),
        HostileONNX.integers("end", [9999]),
        HostileONNX.integers("axis", [2]), HostileONNX.integers("step", [2]),
      ]
      model.graph.node = [
        HostileONNX.node(
          "Conv", ["x", "w", "b"], "1",
          [
            HostileONNX.attribute("strides", ints: [2, 2]),
            HostileONNX.attribute("pads", ints: [1, 1, 1, 1]),
          ]),
        HostileONNX.node("BatchNormalization", ["1", "s", "b", "m", "s"], "2"),
        HostileONNX.node("Relu", ["2"], "3"),
        HostileONNX.node("Pad", ["3", "pads"], "4"),
        HostileONNX.node(
          "MaxPool", ["4"], "5",
          [
            HostileONNX.attribute("kernel_shape", ints: [3, 3]),
            HostileONNX.attribute("strides", ints: [2, 2]),
          ]),
        HostileONNX.node(
          "AveragePool", ["5"], "6", [HostileONNX.attribute("kernel_shape", ints: [2, 2])]),
        HostileONNX.node("Slice", ["6", "one", "end", "axis", "step"], "7"),
        HostileONNX.node("Add", ["7", "c"], "8"),
        HostileONNX.node("Sigmoid", ["8"], "9"), HostileONNX.node("Mul", ["8", "9"], "10"),
        HostileONNX.node("Sub", ["10", "8"], "11"),
        HostileONNX.node("Concat", ["11", "10"], "12", [HostileONNX.attribute("axis", 1)]),
        HostileONNX.node(
          "Transpose", ["12"], "13", [HostileONNX.attribute("perm", ints: [0, 2, 3, 1])]),
        HostileONNX.node(
          "Transpose", ["13"], "14", [HostileONNX.attribute("perm", ints: [0, 3, 1, 2])]),
        HostileONNX.node("GlobalAveragePool", ["14"], "15"),
        HostileONNX.node("Shape", ["15"], "16"),
        HostileONNX.node("Gather", ["16", "zero"], "17"),
        HostileONNX.node("Concat", ["17", "rest"], "18", [HostileONNX.attribute("axis", 0)]),
        HostileONNX.node("Reshape", ["15", "18"], "19"), HostileONNX.node("Identity", ["19"], "20"),
        HostileONNX.node("Slice", ["20", "zero", "step", "one"], "21"),
        HostileONNX.node("Gemm", ["21", "f", "d"], "22", [HostileONNX.attribute("transB", 1)]),
        HostileONNX.node("Softmax", ["22"], "y", [HostileONNX.attribute("axis", 1)]),
      ]
      return model
    }

    /// A network of the other operators: groups of channels, parts of them, means, products,
    /// quotients, and constants of each form.
    static func arithmetic() -> Onnx_ModelProto {
      var model = model(input: [0, 3, 32, 32])
      model.graph.initializer = [
        HostileONNX.integers("places", [0, 2]), HostileONNX.tensor("divisor", [2, 1, 1], of: 4),
        HostileONNX.tensor("number", [], of: 2), HostileONNX.tensor("w", [4, 1, 3, 3]),
        HostileONNX.tensor("nought", []), HostileONNX.integers("last", [2]),
        HostileONNX.tensor("f", [4, 2]), HostileONNX.integers("row", [1, 2]),
      ]
      var value = Onnx_AttributeProto()
      (value.name, value.type, value.t) = ("value", .tensor, HostileONNX.tensor("", [1], of: 3))
      model.graph.node = [
        HostileONNX.node("Gather", ["x", "places"], "1", [HostileONNX.attribute("axis", 1)]),
        HostileONNX.node("Div", ["1", "divisor"], "2"),
        HostileONNX.node("Div", ["2", "number"], "3"),
        HostileONNX.node("Conv", ["3", "w"], "4", [HostileONNX.attribute("group", 2)]),
        HostileONNX.node("Clip", ["4", "nought"], "5"), HostileONNX.node("Dropout", ["5"], "6"),
        HostileONNX.node("Cast", ["6"], "7", [HostileONNX.attribute("to", 1)]),
        HostileONNX.node("Sum", ["7", "6", "4"], "8"),
        HostileONNX.node(
          "ReduceMean", ["8"], "9",
          [HostileONNX.attribute("axes", ints: [2, 3]), HostileONNX.attribute("keepdims", 0)]),
        HostileONNX.node("Unsqueeze", ["9", "last"], "10"),
        HostileONNX.node("Squeeze", ["10", "last"], "11"),
        HostileONNX.node("Flatten", ["11"], "12"), HostileONNX.node("MatMul", ["12", "f"], "13"),
        HostileONNX.node("ConstantOfShape", ["row"], "14", [value]),
        HostileONNX.node("Add", ["13", "14"], "15"),
        HostileONNX.node("Constant", [], "16", [value]),
        HostileONNX.node("Mul", ["15", "16"], "y"),
      ]
      return model
    }

    /// A model of no nodes.
    private static func model(input: [Int64]) -> Onnx_ModelProto {
      var operators = Onnx_OperatorSetIdProto()
      operators.version = 17
      var model = Onnx_ModelProto()
      model.irVersion = 8
      model.opsetImport = [operators]
      model.graph.input = [HostileONNX.value("x", input)]
      model.graph.output = [HostileONNX.value("y", [0, 2])]
      return model
    }
  }
#endif
