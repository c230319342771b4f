import ResidualNetworks

/// What a file of weights does not say of itself. What is `nil` is recognised or assumed.
public struct WeightsOptions: Hashable, Sendable {
  /// A name that ``NetworkCatalog`` knows.
  public var model: String?
  /// Where zero-padding shortcuts put their zeros.
  public var shortcutPadding: Shortcut.ZeroPadding?
  /// Which convolution of a bottleneck has the stride.
  public var stridePlacement: StridePlacement?
  /// The side of images in pixels.
  public var inputSide: Int?
  /// What the network was trained on, for each of its channels: the mean and the deviation.
  public var mean: [Float]?, std: [Float]?
  /// The order of the network's channels.
  public var channelOrder: ChannelOrder?
  /// The range of the network's input before the mean is subtracted.
  public var inputRange: InputRange?

  /// The order in which a network takes the channels of an image.
  public enum ChannelOrder: String, Hashable, Sendable, CaseIterable {
    case rgb = "RGB"
    case bgr = "BGR"
  }

  /// What black and white are.
  public enum InputRange: String, Hashable, Sendable, CaseIterable {
    case unit = "0-1"
    case bytes = "0-255"
  }

  /// Leaves everything open.
  public init() {}

  /// The names of what is not left open, in the order above.
  var given: [String] {
    var names: [String] = []
    if model != nil { names.append("model") }
    if shortcutPadding != nil { names.append("shortcutPadding") }
    if stridePlacement != nil { names.append("stridePlacement") }
    if inputSide != nil { names.append("inputSide") }
    if mean != nil { names.append("mean") }
    if std != nil { names.append("std") }
    if channelOrder != nil { names.append("channelOrder") }
    if inputRange != nil { names.append("inputRange") }
    return names
  }

  /// Checks that a network has what the options are about.
  func check(for network: Network, from file: String) throws(WeightsError) {
    if stridePlacement != nil, network.stridePlacement == nil {
      throw .notOfNetwork(
        file: file, option: "stridePlacement", network: network.name, part: "bottlenecks")
    }
    if shortcutPadding != nil {
      guard case .padding = network.shortcut else {
        throw .notOfNetwork(
          file: file, option: "shortcutPadding", network: network.name,
          part: "zero-padding shortcuts")
      }
    }
  }

  /// Checks the numbers.
  func check() throws(WeightsError) {
    for (option, numbers, isDeviation) in [("mean", mean, false), ("std", std, true)] {
      guard let numbers else { continue }
      guard numbers.count == 3, numbers.allSatisfy({ $0.isFinite && !(isDeviation && $0 <= 0) })
      else {
        throw .outOfRange(
          option: option, value: numbers.map { "\($0)" }.joined(separator: ","),
          allowed: "three numbers\(isDeviation ? " above 0" : "")")
      }
    }
    if let inputSide, !Network.inputSides.contains(inputSide) {
      throw .outOfRange(
        option: "inputSide", value: "\(inputSide)",
        allowed: "\(Network.inputSides.lowerBound) to \(Network.inputSides.upperBound)")
    }
  }
}
