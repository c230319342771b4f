import ResidualExecution
import ResidualPlatform

/// A sample's class.
private func label(_ labels: UnsafePointer<Int32>, _ n: Int, classes: Int) -> Int {
  let label = Int(labels[n])
  precondition(0..<classes ~= label, "label \(label) of sample \(n) is not in 0..<\(classes)")
  return label
}

/// The sum of the samples' weights.
private func total(_ weights: UnsafePointer<Double>, _ count: Int) -> Double {
  var sum = 0.0
  for n in 0..<count { sum += weights[n] }
  return sum
}

extension Operation.SoftmaxCrossEntropy {
  func evaluate(_ tensors: StepTensors) {
    let (logits, labels, weights) = (tensors.operand(0), tensors.labels(1), tensors.operand(2))
    let (loss, probabilities) = (tensors.result(0), tensors.result(1))
    let (batch, classes) = (tensors.shape(ofOperand: 0)[0], tensors.shape(ofOperand: 0)[1])
    var sum = 0.0
    for n in 0..<batch {
      let row = logits + n * classes
      // The largest logit is taken off first, so that no exponential overflows.
      var largest = -Double.infinity
      for k in 0..<classes { largest = max(largest, row[k]) }
      var exponentials = 0.0
      for k in 0..<classes { exponentials += exp(row[k] - largest) }
      for k in 0..<classes { probabilities[n * classes + k] = exp(row[k] - largest) / exponentials }
      let sample = label(labels, n, classes: classes)
      guard weights[n] != 0 else { continue }
      sum += weights[n] * (log(exponentials) + largest - row[sample])
    }
    loss[0] = sum / total(weights, batch)
  }
}

extension Operation.SoftmaxCrossEntropyGradient {
  func evaluate(_ tensors: StepTensors) {
    let (probabilities, labels, weights) = (
      tensors.operand(1), tensors.labels(2), tensors.operand(3)
    )
    let result = tensors.result(0)
    let (batch, classes) = (tensors.shape(ofResult: 0)[0], tensors.shape(ofResult: 0)[1])
    let factor = tensors.operand(0)[0] / total(weights, batch)
    for n in 0..<batch {
      let sample = label(labels, n, classes: classes)
      for k in 0..<classes {
        let difference = probabilities[n * classes + k] - (k == sample ? 1 : 0)
        // A sample that does not count has no gradient, even where its logits are not finite.
        result[n * classes + k] = weights[n] == 0 ? 0 : factor * weights[n] * difference
      }
    }
  }
}

extension Operation.CorrectCount {
  func evaluate(_ tensors: StepTensors) {
    let (logits, labels, weights) = (tensors.operand(0), tensors.labels(1), tensors.operand(2))
    let (batch, classes) = (tensors.shape(ofOperand: 0)[0], tensors.shape(ofOperand: 0)[1])
    var count = 0.0
    for n in 0..<batch {
      let row = logits + n * classes
      let sample = label(labels, n, classes: classes)
      let own = row[sample]
      var ahead = 0
      for k in 0..<classes {
        let isAhead = row[k] > own || (row[k] == own && k < sample)
        if isAhead || row[k].isNaN || own.isNaN { ahead += 1 }
      }
      if ahead < top { count += weights[n] }
    }
    tensors.result(0)[0] = count
  }
}
