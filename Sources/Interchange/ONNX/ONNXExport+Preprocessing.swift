#if ONNX
  import ResidualGraphs
  import ResidualImages

  extension ONNXExport {
    /// The nodes that prepare images of RGB from 0 to 255: x / 255 − mean, divided by the
    /// deviation if there is one, in the order of ``Normalization`` and so to the same bits.
    ///
    /// - Parameters:
    ///   - input: the name of the images `[N, 3, H, W]`.
    ///   - images: the graph's input, for its shape.
    /// - Returns: the name of the prepared images.
    mutating func prepare(
      _ input: String, _ images: Value, _ normalization: Normalization
    ) throws(ONNXExportError) -> String {
      let scaled = try step("Div", input, "range", Tensor(.scalar, [255]))
      switch normalization {
      case .perPixelMean(let mean):
        let pixels = Tensor([shape(images)[1], shape(images)[2], 3], mean)
        return try step("Sub", scaled, "mean", pixels.transposed([2, 0, 1]))
      case .channels(let mean, let std):
        let centred = try step("Sub", scaled, "mean", Tensor([3, 1, 1], mean))
        return try step("Div", centred, "std", Tensor([3, 1, 1], std))
      }
    }

    private mutating func step(
      _ type: String, _ input: String, _ name: String, _ numbers: Tensor<Float>
    ) throws(ONNXExportError) -> String {
      let operand = try floats(
        numbers.scalars, numbers.shape.extents, path: "preprocessing.\(name)")
      let verb = type == "Div" ? "divide" : "subtract"
      return add(type, [input, operand], path: "preprocessing.\(name).\(verb)")
    }
  }
#endif
