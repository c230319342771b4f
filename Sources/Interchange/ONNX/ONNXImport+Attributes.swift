#if ONNX
  import Foundation
  import ResidualGraphs
  import ResidualONNXSchema

  extension ONNXImport.Node {
    /// An attribute of a type, `nil` if the file leaves it out.
    private func attribute(_ name: String, _ type: Onnx_AttributeProto.AttributeType)
      throws(ONNXProblem) -> Onnx_AttributeProto?
    {
      let given = message.attribute.filter { $0.name == name }
      guard let attribute = given.first else { return nil }
      guard given.count == 1, attribute.type == type, attribute.refAttrName.isEmpty else {
        throw wrong(name)
      }
      return attribute
    }

    func integer(_ name: String, default value: Int) throws(ONNXProblem) -> Int {
      try attribute(name, .int).map { Int($0.i) } ?? value
    }
    func real(_ name: String, default value: Float) throws(ONNXProblem) -> Float {
      try attribute(name, .float)?.f ?? value
    }
    func integers(_ name: String) throws(ONNXProblem) -> [Int]? {
      try attribute(name, .ints)?.ints.map { Int($0) }
    }
    func text(_ name: String, default value: String) throws(ONNXProblem) -> String {
      guard let text = try attribute(name, .string)?.s else { return value }
      // A long text would be compared for long.
      guard text.count <= 64 else { throw wrong(name) }
      return String(decoding: text, as: UTF8.self)
    }
    func tensor(_ name: String, hasData: Bool = true) throws(ONNXProblem) -> ONNXTensor? {
      guard let attribute = try attribute(name, .tensor) else { return nil }
      return try ONNXTensor(attribute.t, hasData: hasData)
    }

    /// Whether the file gives an attribute.
    func gives(_ attribute: String) -> Bool {
      message.attribute.contains { $0.name == attribute }
    }

    /// Says that something goes beyond what is understood here.
    func unsupported(_ what: String) -> ONNXProblem {
      .unsupported(what, operator: kind, node: name)
    }

    /// Says that an attribute is not what ONNX says it is.
    func wrong(_ attribute: String) -> ONNXProblem { .wrongAttribute(attribute, node: name) }

    /// Says that an operand is not of the kind that the node takes.
    func wrongKind(_ operand: Int) -> ONNXProblem {
      .wrongKind(value: operands[operand], node: name)
    }

    /// An axis of a tensor, counted from its end if it is negative.
    func axis(_ axis: Int, rank: Int, attribute: String = "axis") throws(ONNXProblem) -> Int {
      guard -rank..<rank ~= axis else { throw wrong(attribute) }
      return axis < 0 ? axis + rank : axis
    }
  }

  /// How the windows of a convolution or a pooling lie, by the attributes that all of them share.
  struct ONNXWindows {
    let size: (height: Int, width: Int)
    let stride: (height: Int, width: Int)
    let dilation: (height: Int, width: Int)
    let padding: ResidualGraphs.Operation.Convolution.Padding

    /// - Parameters:
    ///   - size: of a filter; `nil` if the attribute `kernel_shape` must say it.
    ///   - image: the height and width of the input, for paddings that follow from it.
    /// - Throws: ``ONNXProblem``.
    init(_ node: ONNXImport.Node, size: [Int]?, image: [Int]) throws(ONNXProblem) {
      func pair(_ name: String, _ values: [Int]?) throws(ONNXProblem) -> (Int, Int) {
        let values = values ?? [1, 1]
        guard values.count == 2, values.allSatisfy({ 1...Self.maximum ~= $0 }) else {
          throw node.wrong(name)
        }
        return (values[0], values[1])
      }
      let given = try node.integers("kernel_shape")
      guard let shape = given ?? size, size == nil || shape == size else {
        throw node.wrong("kernel_shape")
      }
      self.size = try pair("kernel_shape", shape)
      stride = try pair("strides", node.integers("strides"))
      dilation = try pair("dilations", node.integers("dilations"))
      let pads = try node.integers("pads") ?? [0, 0, 0, 0]
      guard pads.count == 4, pads.allSatisfy({ 0...Self.maximum ~= $0 }) else {
        throw node.wrong("pads")
      }
      func same(_ axis: Int, _ size: Int, _ stride: Int, _ dilation: Int) -> Int {
        // As many windows as strides begin in the image.
        let count = (image[axis] + stride - 1) / stride
        return max(0, (count - 1) * stride + (size - 1) * dilation + 1 - image[axis])
      }
      switch try node.text("auto_pad", default: "NOTSET") {
      case "NOTSET":
        padding = .init(top: pads[0], left: pads[1], bottom: pads[2], right: pads[3])
      case "VALID": padding = .init(0)
      case "SAME_UPPER", "SAME_LOWER":
        let vertical = same(0, self.size.height, stride.height, dilation.height)
        let horizontal = same(1, self.size.width, stride.width, dilation.width)
        // An odd pixel is at the end, or with SAME_LOWER at the beginning.
        let odd = try node.text("auto_pad", default: "") == "SAME_LOWER" ? 1 : 0
        let (top, left) = ((vertical + odd) / 2, (horizontal + odd) / 2)
        padding = .init(
          top: top, left: left, bottom: vertical - top, right: horizontal - left)
      default: throw node.wrong("auto_pad")
      }
    }

    /// As many pixels as the largest image has on a side, far below what sums overflow at.
    static let maximum = 4096
  }
#endif
