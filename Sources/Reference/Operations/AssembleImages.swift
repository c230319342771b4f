import ResidualExecution

extension Operation.AssembleImages {
  func evaluate(_ tensors: StepTensors) {
    let (pixels, samples) = (tensors.bytes(0), tensors.labels(1))
    let (mean, deviation, result) = (tensors.operand(2), tensors.operand(3), tensors.result(0))
    let shape = tensors.shape(ofResult: 0)
    let (height, width) = (shape[1], shape[2])
    let isPerPixel = tensors.shape(ofOperand: 2).rank == 3
    for n in 0..<shape[0] {
      let (image, down, right) = (
        Int(samples[4 * n]), Int(samples[4 * n + 1]), Int(samples[4 * n + 2])
      )
      let isMirrored = samples[4 * n + 3] != 0
      precondition(
        image >= -1 && image < tensors.shape(ofOperand: 0)[0], "image \(image) is not in the set")
      for y in 0..<height {
        for x in 0..<width {
          let (sourceY, sourceX) = (y + down, (isMirrored ? width - 1 - x : x) + right)
          let isInside =
            image >= 0 && (0..<height).contains(sourceY) && (0..<width).contains(sourceX)
          for c in 0..<3 {
            let place = (sourceY * width + sourceX) * 3 + c
            let statistic = isPerPixel ? place : c
            result[((n * height + y) * width + x) * 3 + c] =
              isInside
              ? (Double(pixels[image * height * width * 3 + place]) / 255 - mean[statistic])
                / deviation[statistic]
              : 0
          }
        }
      }
    }
  }
}
