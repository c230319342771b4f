import ResidualExecution

extension ReferenceDevice {
  /// One node, with the places of its operands and results.
  public struct Step: Sendable {
    /// What becomes of the operands.
    package enum Work: Hashable, Sendable {
      case evaluate(Operation)
      /// The operand's elements, as they are.
      case copy
    }

    /// What the step does.
    package let work: Work
    /// The tensors that it reads, in the operation's order.
    package let operands: [PlannedTensor]
    /// The tensors that it writes, in the operation's order.
    package let results: [PlannedTensor]
  }
}

/// A tensor's buffer and what it holds.
package struct PlannedTensor: Hashable, Sendable {
  /// Where the elements lie, row-major.
  package let buffer: BufferID
  /// The tensor's extents, outermost first.
  package let shape: Shape
  /// The type in the graph; real numbers lie as float64.
  package let elementType: ElementType
}

/// A step's tensors in memory, as its formula reads and writes them.
struct StepTensors {
  let step: ReferenceDevice.Step
  let memory: Memory

  func shape(ofOperand index: Int) -> Shape { step.operands[index].shape }
  func shape(ofResult index: Int) -> Shape { step.results[index].shape }

  /// The elements of an operand of real numbers.
  func operand(_ index: Int) -> UnsafePointer<Double> {
    let tensor = step.operands[index]
    precondition(tensor.elementType.isFloatingPoint, "operand \(index) is \(tensor.elementType)")
    return UnsafePointer(memory.pointer(tensor.buffer, of: Double.self))
  }

  /// The elements of an operand of class indices.
  func labels(_ index: Int) -> UnsafePointer<Int32> {
    let tensor = step.operands[index]
    precondition(tensor.elementType == .int32, "labels are \(tensor.elementType), not int32")
    return UnsafePointer(memory.pointer(tensor.buffer, of: Int32.self))
  }

  /// The elements of an operand of pixels.
  func bytes(_ index: Int) -> UnsafePointer<UInt8> {
    let tensor = step.operands[index]
    precondition(tensor.elementType == .uint8, "pixels are \(tensor.elementType), not uint8")
    return UnsafePointer(memory.pointer(tensor.buffer, of: UInt8.self))
  }

  func result(_ index: Int) -> UnsafeMutablePointer<Double> {
    memory.pointer(step.results[index].buffer, of: Double.self)
  }

  /// A result set to one number, to which others are added or whose places are filled.
  func sums(_ index: Int, from number: Double = 0) -> UnsafeMutablePointer<Double> {
    let result = result(index)
    result.update(repeating: number, count: shape(ofResult: index).count)
    return result
  }
}

extension ReferenceDevice.Step {
  func run(in memory: Memory) {
    let tensors = StepTensors(step: self, memory: memory)
    switch work {
    case .copy: copy(in: memory)
    case .evaluate(let operation):
      switch operation {
      case .input, .state: break
      case .constant(let constant): constant.evaluate(tensors)
      case .assembleImages(let operation): operation.evaluate(tensors)
      case .convolution(let operation): operation.evaluate(tensors)
      case .convolutionInputGradient(let operation): operation.evaluate(tensors)
      case .convolutionFilterGradient(let operation): operation.evaluate(tensors)
      case .matrixProduct(let operation): operation.evaluate(tensors)
      case .channelStatistics(let operation): operation.evaluate(tensors)
      case .variance(let operation): operation.evaluate(tensors)
      case .movingAverage(let operation): operation.evaluate(tensors)
      case .batchNormalization(let operation): operation.evaluate(tensors)
      case .batchNormalizationSums(let operation): operation.evaluate(tensors)
      case .batchNormalizationScaleGradient(let operation): operation.evaluate(tensors)
      case .batchNormalizationInputGradient(let operation): operation.evaluate(tensors)
      case .add(let operation): operation.evaluate(tensors)
      case .addBias(let operation): operation.evaluate(tensors)
      case .channelSum(let operation): operation.evaluate(tensors)
      case .relu(let operation): operation.evaluate(tensors)
      case .reluGradient(let operation): operation.evaluate(tensors)
      case .subtract(let operation): operation.evaluate(tensors)
      case .multiply(let operation): operation.evaluate(tensors)
      case .scale(let operation): operation.evaluate(tensors)
      case .sigmoid(let operation): operation.evaluate(tensors)
      case .sigmoidGradient(let operation): operation.evaluate(tensors)
      case .maxPooling(let operation): operation.evaluate(tensors)
      case .maxPoolingGradient(let operation): operation.evaluate(tensors)
      case .averagePooling(let operation): operation.evaluate(tensors)
      case .averagePoolingGradient(let operation): operation.evaluate(tensors)
      case .globalAveragePooling(let operation): operation.evaluate(tensors)
      case .globalAveragePoolingGradient(let operation): operation.evaluate(tensors)
      case .slice(let operation): operation.evaluate(tensors)
      case .sliceGradient(let operation): operation.evaluate(tensors)
      case .pad(let operation): operation.evaluate(tensors)
      case .concatenate(let operation): operation.evaluate(tensors)
      case .concatenateGradient(let operation): operation.evaluate(tensors)
      case .flatten(let operation): operation.evaluate(tensors)
      case .flattenGradient(let operation): operation.evaluate(tensors)
      case .reshape, .reshapeGradient: tensors.copy()
      case .transpose(let operation): operation.evaluate(tensors)
      case .broadcast(let operation): operation.evaluate(tensors)
      case .broadcastGradient(let operation): operation.evaluate(tensors)
      case .softmax(let operation): operation.evaluate(tensors)
      case .softmaxGradient(let operation): operation.evaluate(tensors)
      case .dropout(let operation): operation.evaluate(tensors)
      case .softmaxCrossEntropy(let operation): operation.evaluate(tensors)
      case .softmaxCrossEntropyGradient(let operation): operation.evaluate(tensors)
      case .correctCount(let operation): operation.evaluate(tensors)
      case .select(let operation): operation.evaluate(tensors)
      case .gradientNorm(let operation): operation.evaluate(tensors)
      case .lossScaleUpdate(let operation): operation.evaluate(tensors)
      case .momentumUpdate(let operation): operation.evaluate(tensors)
      }
    }
  }

  private func copy(in memory: Memory) {
    let (source, target) = (operands[0], results[0])
    let size =
      source.elementType.isFloatingPoint ? MemoryLayout<Double>.size : source.elementType.size
    UnsafeMutableRawPointer(memory.pointer(target.buffer, of: UInt8.self)).copyMemory(
      from: memory.pointer(source.buffer, of: UInt8.self), byteCount: source.shape.count * size)
  }
}
