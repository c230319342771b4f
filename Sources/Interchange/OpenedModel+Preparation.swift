import ResidualImages
import ResidualNetworks
import ResidualTensors

// How images are prepared for weights from elsewhere.
extension OpenedModel {
  /// How images are prepared: as is given, and else as torchvision does.
  static func preparation(
    _ options: WeightsOptions, of network: Network, _ remarks: inout [Message]
  ) throws(PreparationError) -> Preparation {
    let side = network.inputSide
    var view = Preparation.View.squash
    if (options.view ?? (network.isForPhotographs ? .crop : .squash)) == .crop {
      let shorterSide = Int(Double(side) / (options.cropShare ?? 0.875))
      view = .centerCrop(shorterSide: shorterSide)
      if options.view == nil, options.cropShare == nil {
        remarks.append(
          "assumed: images are resized to \(shorterSide) at the shorter side, and cropped to "
            + "\(side)×\(side) (\(OptionName.view) squash for the whole image)")
      }
    }
    return try Preparation(view, side: side, normalization(options, of: network, &remarks))
  }

  /// What is given is in the network's own order and range; what is assumed, in ours.
  private static func normalization(
    _ options: WeightsOptions, of network: Network, _ remarks: inout [Message]
  ) -> Normalization {
    func converted(_ numbers: [Float]) -> [Float] {
      let scaled = options.inputRange == .bytes ? numbers.map { $0 / 255 } : numbers
      return options.channelOrder == .bgr ? scaled.reversed() : scaled
    }
    // Inputs from 0 to 255 are commonly not divided; torchvision's GoogLeNet turns its inputs into
    // those of mean and deviation 0.5.
    let isTorchvisionGoogLeNet = network.variant.inceptionBranch == .three
    let assumedMean: [Float] =
      isTorchvisionGoogLeNet ? [0.5, 0.5, 0.5] : [0.485, 0.456, 0.406]
    let assumedStd: [Float] =
      options.inputRange == .bytes
      ? [1 / 255, 1 / 255, 1 / 255]
      : isTorchvisionGoogLeNet ? [0.5, 0.5, 0.5] : [0.229, 0.224, 0.225]
    func text(_ numbers: [Float]) -> String { numbers.map { "\($0)" }.joined(separator: ", ") }
    if options.mean == nil {
      remarks.append("assumed: torchvision's mean, \(text(assumedMean)) of 1 (\(OptionName.mean))")
    }
    if options.std == nil {
      remarks.append(
        options.inputRange == .bytes
          ? "assumed: inputs that are not divided (\(OptionName.std))"
          : "assumed: torchvision's deviation, \(text(assumedStd)) of 1 (\(OptionName.std))")
    }
    return .channels(
      mean: options.mean.map(converted) ?? assumedMean,
      std: options.std.map(converted) ?? assumedStd)
  }

  /// Turns the order of the input channels of the filter that reads the images.
  static func reverseChannels(
    _ tensors: inout [String: Tensor<Float>], of network: Network
  ) throws {
    let graph = network.graph(.inference)
    guard let images = graph.value(ofInput: Network.imagesInput),
      let reader = graph.nodes.first(where: { $0.operands.first == images }),
      case .convolution = reader.operation,
      let slot = graph.slot(of: reader.operands[1]), let tensor = tensors[slot]
    else { throw WeightsError.noFirstFilter(network: network.name) }
    let taps = tensor.shape[2] * tensor.shape[3]
    var scalars = tensor.scalars
    for k in 0..<tensor.shape[0] {
      for tap in 0..<taps { scalars.swapAt(k * 3 * taps + tap, (k * 3 + 2) * taps + tap) }
    }
    tensors[slot] = Tensor(tensor.shape, scalars)
  }
}
