import ResidualExecution

/// Cuts normalised windows out of a set of images; parts are samples.
struct AssembleImages: Work {
  let pixels: BufferID, samples: BufferID, mean: BufferID, deviation: BufferID
  let output: BufferID
  /// Images in the set, and their extents.
  let images: Int, height: Int, width: Int
  /// Whether mean and deviation are given for every pixel, not for every channel alone.
  let isPerPixel: Bool
  let batch: Partition

  var parts: Int { batch.parts }

  func run(part: Int, in context: StepContext) {
    for sample in batch.range(part) { write(sample, in: context) }
  }

  private func write(_ sample: Int, in context: StepContext) {
    let window = context.labels(samples) + 4 * sample
    let (image, down, right) = (Int(window[0]), Int(window[1]), Int(window[2]))
    let target = context.output(output) + sample * height * width * 3
    precondition(image >= -1 && image < images, "image \(image) of \(images)")
    target.update(repeating: 0, count: height * width * 3)
    guard image >= 0 else { return }
    let source = context.memory.pointer(pixels, of: UInt8.self) + image * height * width * 3
    let (mean, deviation) = (context.input(mean), context.input(deviation))
    for y in max(0, -down)..<max(0, -down, min(height, height - down)) {
      for x in max(0, -right)..<max(0, -right, min(width, width - right)) {
        let place = ((y + down) * width + x + right) * 3
        let pixel = target + (y * width + (window[3] != 0 ? width - 1 - x : x)) * 3
        let statistic = isPerPixel ? place : 0
        // The arithmetic of `Augmentation.write`, to the bit.
        for c in 0..<3 {
          pixel[c] =
            (Float(source[place + c]) / 255 - mean[statistic + c]) / deviation[statistic + c]
        }
      }
    }
  }
}
