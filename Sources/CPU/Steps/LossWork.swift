import ResidualExecution
import ResidualPlatform

// The loss of a batch is a few thousand exponentials: not worth sharing, and best summed in Double.

struct ComputeCrossEntropy: SerialWork {
  let logits: BufferID, labels: BufferID, weights: BufferID
  let loss: BufferID, probabilities: BufferID
  let rows: Int, classes: Int

  func run(in context: StepContext) {
    let (labels, weights) = (context.labels(labels), context.input(weights))
    var lossSum = 0.0
    var weightSum = 0.0
    for row in 0..<rows {
      let logits = context.input(logits) + row * classes
      let probabilities = context.output(probabilities) + row * classes
      let (largest, sum) = softmax(logits, into: probabilities, count: classes)
      // A sample of weight 0 does not count, whatever its logits are.
      guard weights[row] != 0 else { continue }
      let label = index(labels[row], below: classes)
      lossSum += Double(weights[row]) * (log(sum) + Double(largest) - Double(logits[label]))
      weightSum += Double(weights[row])
    }
    context.output(loss).pointee = Float(lossSum / weightSum)
  }
}

struct ComputeCrossEntropyGradient: SerialWork {
  let gradient: BufferID, probabilities: BufferID, labels: BufferID, weights: BufferID
  let output: BufferID
  let rows: Int, classes: Int

  func run(in context: StepContext) {
    let (labels, weights) = (context.labels(labels), context.input(weights))
    var weightSum = 0.0
    for row in 0..<rows { weightSum += Double(weights[row]) }
    for row in 0..<rows {
      let factor = Float(
        Double(context.input(gradient).pointee) * Double(weights[row]) / weightSum)
      let label = index(labels[row], below: classes)
      for k in 0..<classes {
        let target: Float = k == label ? 1 : 0
        context.output(output)[row * classes + k] =
          factor == 0 ? 0 : factor * (context.input(probabilities)[row * classes + k] - target)
      }
    }
  }
}

struct CountCorrect: SerialWork {
  let logits: BufferID, labels: BufferID, weights: BufferID, output: BufferID
  let rows: Int, classes: Int
  let top: Int

  func run(in context: StepContext) {
    let (labels, weights) = (context.labels(labels), context.input(weights))
    var count = 0.0
    for row in 0..<rows {
      let logits = context.input(logits) + row * classes
      let label = index(labels[row], below: classes)
      var larger = 0
      for k in 0..<classes
      where !(logits[k] < logits[label]) && !(logits[k] == logits[label] && k >= label) {
        // Written so that a NaN counts as larger: a network that has diverged is never right.
        larger += 1
      }
      if larger < top { count += Double(weights[row]) }
    }
    context.output(output).pointee = Float(count)
  }
}

/// A label as an index. Data sets check labels when they are read, so a wrong one is our mistake.
private func index(_ label: Int32, below classes: Int) -> Int {
  let index = Int(label)
  precondition((0..<classes).contains(index), "label \(label) of \(classes) classes")
  return index
}
