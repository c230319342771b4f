extension Operation {
  /// A batch of normalised windows out of a set of images that lies in memory as bytes.
  ///
  /// With (i, down, right, mirrored) the sample n, y′ = y + down, and x′ = x + right or, where the
  /// sample is mirrored, W − 1 − x + right:
  ///
  ///     output[n, y, x, c] = (pixels[i, y′, x′, c] / 255 − mean[y′, x′, c]) / deviation[y′, x′, c],
  ///
  /// 0 outside the image, and 0 everywhere where i is −1, which fills up a partial batch.
  ///
  /// Operands: pixels `[M, H, W, 3]` (uint8), samples `[N, 4]` (int32), mean and deviation, both
  /// `[H, W, 3]` or both `[3]`. Result: `[N, H, W, 3]`.
  public struct AssembleImages: OperationRule {
    /// The operation has no attributes.
    public init() {}

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(4, operands)
      let (pixels, samples) = (operands[0], operands[1])
      try expect("the set of images", pixels, rank: 4)
      try expect("the samples", samples, rank: 2)
      try expect("a list of samples", samples, toBe: [samples[0], 4])
      let image = Shape(Array(pixels.extents.dropFirst()))
      try expect("an image", image, toBe: [image[0], image[1], 3])
      if operands[2].rank != 1 {
        try expect("the mean", operands[2], toBe: image)
      } else {
        try expect("the mean", operands[2], toBe: [3])
      }
      try expect("the deviation", operands[3], toBe: operands[2])
      return [pixels.replacing(axis: 0, with: samples[0])]
    }
  }
}
