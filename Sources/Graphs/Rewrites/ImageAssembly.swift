extension Graph {
  /// The names of the inputs that stand for a batch of images, see ``assemblingImages(for:)``.
  public static let pixelsInput = "pixels", samplesInput = "samples"
  /// Likewise, for the normalisation.
  public static let pixelMeanInput = "pixelMean", pixelDeviationInput = "pixelDeviation"

  /// The same graph with an input of images assembled by the device, from a set that lies in its
  /// memory: a run is given which windows of which images to take, not their numbers.
  ///
  /// The input gives way to `pixels`, `samples`, `pixelMean` and `pixelDeviation`, the operands of
  /// ``Operation/AssembleImages``. A graph without the input stays as it is.
  /// - Complexity: O(nodes).
  public func assemblingImages(for input: String) -> Graph {
    guard let images = value(ofInput: input) else { return self }
    var copy = GraphCopy(of: self)
    for index in nodes.indices {
      guard index == images.node else {
        copy.append(index)
        continue
      }
      copy.replace(index) { graph in
        let operands = [
          graph.input(Self.pixelsInput, .uint8), graph.input(Self.samplesInput, .int32),
          graph.input(Self.pixelMeanInput), graph.input(Self.pixelDeviationInput),
        ]
        return graph.append(.assembleImages(.init()), operands, path: input)
      }
    }
    return copy.finish()
  }
}
