import ResidualNetworks

/// Whether two models, of different files perhaps, compute the same: both run on the same drawn images.
package struct ModelComparison: Hashable, Sendable {
  /// The largest difference of a logit, as a share of the largest one; 0 if all bits are the same.
  package let difference: Float

  /// - Parameters:
  ///   - count: images, of bytes drawn under a fixed key.
  /// - Throws: ``ModelComparisonError`` if the first model gives logits that are not finite; else as
  ///   ``Classifier``.
  package init(
    _ first: ModelFile, _ second: ModelFile, images count: Int = 2, on device: some Device
  ) throws {
    let side = first.network.inputSide
    var source = RandomSource(RandomKey(seed: 1))
    let images = ImageSet(
      height: side, width: side,
      checked: (0..<count * side * side * 3).map { _ in UInt8(source.index(below: 256)) },
      labels: [Int32](repeating: 0, count: count))
    func logits(_ model: ModelFile) throws -> [Float] {
      var result: [Float] = []
      let loaded = try LoadedModel(model.withoutPixelMean(), device: device, batchSize: count)
      try loaded.logits(of: images) { logits, _ in result += logits }
      return result
    }
    let (before, after) = (try logits(first), try logits(second))
    guard before.allSatisfy(\.isFinite) else {
      throw ModelComparisonError(network: first.network.name)
    }
    if before.map(\.bitPattern) == after.map(\.bitPattern) {
      difference = 0
    } else {
      let largest = before.reduce(0) { max($0, abs($1)) }
      difference = zip(before, after).reduce(0) { max($0, abs($1.0 - $1.1)) } / largest
    }
  }
}

extension ModelFile {
  /// The model with inputs as they are in place of a mean for each pixel, which other files cannot hold.
  fileprivate func withoutPixelMean() throws -> ModelFile {
    guard case .perPixelMean = preparation.normalization else { return self }
    return replacing(
      preparation: try preparation.replacing(.channels(mean: [0, 0, 0], std: [1, 1, 1])))
  }
}

/// A model whose logits are NaN or infinite.
package struct ModelComparisonError: Refusal, Hashable {
  let network: String
  package var kind: RefusalKind { .input }
  package var description: String {
    "\(network) gives logits that are NaN or infinite; its training has diverged"
  }
}
