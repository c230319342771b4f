import ResidualFormats
import ResidualImages
import ResidualNetworks

extension ModelMetadata {
  func preparation(of network: Network, file: String, in tensors: Safetensors) throws -> Preparation
  {
    try preparation(of: network, file: file) {
      guard let record = tensors[ModelFile.meanTensor] else {
        throw ModelFileError.missingTensor(
          file: file, name: ModelFile.meanTensor, network: network.name)
      }
      let expected: Shape = [network.inputSide, network.inputSide, 3]
      guard record.shape == expected else {
        throw ModelFileError.wrongShape(
          file: file, name: ModelFile.meanTensor, found: record.shape, expected: expected)
      }
      return try tensors.floats(ModelFile.meanTensor).scalars
    }
  }

  /// How images are prepared.
  ///
  /// - Parameter mean: reads that of each pixel, `[side, side, 3]`, where there is one.
  func preparation(of network: Network, file: String, perPixel mean: () throws -> [Float]) throws
    -> Preparation
  {
    let (view, normalization) = (
      try view(file: file), try normalization(file: file, perPixel: mean)
    )
    do throws(PreparationError) {
      return try Preparation(view, side: network.inputSide, normalization)
    } catch {
      throw ModelFileError.contradiction(file: file, reason: error.description)
    }
  }

  private func view(file: String) throws(ModelFileError) -> Preparation.View {
    guard version > 1 else { return .squash }
    guard word(Field.interpolation) == Self.interpolation else {
      throw unknown(Field.interpolation, file: file)
    }
    switch word(Field.view) {
    case View.squash: return .squash
    case View.centerCrop:
      guard let text = word(Field.shorterSide), let side = Int(text), text == String(side) else {
        throw bad(Field.shorterSide, file: file)
      }
      return .centerCrop(shorterSide: side)
    default: throw unknown(Field.view, file: file)
    }
  }

  private func normalization(file: String, perPixel mean: () throws -> [Float]) throws
    -> Normalization
  {
    switch word(Field.preprocessing) {
    case Preprocessing.perPixelMean: return .perPixelMean(try mean())
    case Preprocessing.channels:
      let mean = try Self.decode([Float].self, fields, Field.mean, file: file)
      let std = try Self.decode([Float].self, fields, Field.std, file: file)
      guard mean.count == 3 else { throw bad(Field.mean, file: file) }
      guard std.count == 3, std.allSatisfy({ $0 > 0 }) else { throw bad(Field.std, file: file) }
      return .channels(mean: mean, std: std)
    default: throw bad(Field.preprocessing, file: file)
    }
  }
}
