import ResidualImages
import ResidualNetworks

/// What a file of weights does not say of itself. What is `nil` is recognised or assumed.
///
/// The options of a ``NetworkVariant`` are options here, too: `options.stridePlacement`.
@dynamicMemberLookup
public struct WeightsOptions: Hashable, Sendable {
  /// A name that ``NetworkCatalog`` knows.
  public var model: String?
  /// The options by which networks of one name differ.
  public var variant = NetworkVariant()
  /// The side of images in pixels.
  public var inputSide: Int?
  /// What the network was trained on, for each of its channels: the mean and the deviation.
  public var mean: [Float]?, std: [Float]?
  /// How images of any size become the square that the network takes.
  public var view: ViewChoice?
  /// The side of that square as a share of the shorter side of the image that it is cut out of.
  var cropShare: Double?
  /// The order of the network's channels.
  public var channelOrder: ChannelOrder?
  /// The range of the network's input before the mean is subtracted.
  public var inputRange: InputRange?

  /// Kinds of ``Preparation/View``.
  public enum ViewChoice: String, SettingValue, CaseIterable {
    case squash
    case crop
  }

  /// The order in which a network takes the channels of an image.
  public enum ChannelOrder: String, SettingValue, CaseIterable {
    case rgb = "RGB"
    case bgr = "BGR"
  }

  /// What black and white are.
  public enum InputRange: String, SettingValue, CaseIterable {
    case unit = "0-1"
    case bytes = "0-255"
  }

  /// Leaves everything open.
  public init() {}

  /// An option of the network's variant.
  public subscript<Option>(dynamicMember path: WritableKeyPath<NetworkVariant, Option>) -> Option {
    get { variant[keyPath: path] }
    set { variant[keyPath: path] = newValue }
  }

  // MARK: Settings

  /// What the network is.
  public static let networkSettings: [Setting<WeightsOptions>] =
    [
      Setting(
        .model, \.model, placeholder: "name", otherwise: "cifar-resnet20",
        help: "The network, such as resnet20, resnet50 or cifar-plain56: see 'resnet networks'.")
    ] + NetworkVariant.settings.map { $0.within(\.variant) } + [
      Setting(
        .inputSide, \.inputSide, .range(Network.inputSides), placeholder: "n",
        otherwise: "32; 224 for ImageNet", help: "The side of the images in pixels.")
    ]

  /// How images are prepared for it.
  public static let preparationSettings: [Setting<WeightsOptions>] = [
    Setting(
      .view, \.view, otherwise: "crop for ImageNet; CIFAR's images are taken as they are",
      help:
        "How images become a square: crop out of the middle, after resizing the shorter side, or "
        + "squash the whole."),
    Setting(
      .mean, \.mean, three("three numbers, such as 0.485,0.456,0.406") { $0.isFinite },
      placeholder: "a,b,c", otherwise: "torchvision's",
      help: "The mean that a network from elsewhere subtracts from each channel."),
    Setting(
      .std, \.std,
      three("three numbers above 0, such as 0.229,0.224,0.225") { $0.isFinite && $0 > 0 },
      placeholder: "a,b,c", otherwise: "torchvision's",
      help: "The deviation that it divides each channel by."),
    Setting(
      .channelOrder, \.channelOrder, otherwise: "RGB", help: "The order of its channels."),
    Setting(
      .inputRange, \.inputRange, otherwise: "0-1",
      help: "Its inputs before the mean is subtracted."),
  ]

  private static func three(_ words: String, _ isAllowed: @escaping @Sendable (Float) -> Bool)
    -> SettingRange<[Float]>
  {
    SettingRange(words) { $0.count == 3 && $0.allSatisfy(isAllowed) }
  }

  static let settings = networkSettings + preparationSettings

  /// What is not left open.
  var given: [OptionName] { Self.settings.filter { $0.isGiven(in: self) }.map(\.option) }

  /// Checks that a network has what the options are about, and that it is what they say.
  func check(for network: Network, from file: String) throws(WeightsError) {
    if let unused = variant.firstUnused(by: network.variant) {
      throw .notOfNetwork(
        file: file, option: unused.option, network: network.name, part: unused.part)
    }
  }
}

extension OptionName {
  /// The name of a network.
  public static let model = OptionName("model", key: "model")
  /// An option of ``WeightsOptions``.
  public static let view = OptionName("view", key: "preparation")
  /// An option of ``WeightsOptions``.
  public static let mean = OptionName("mean", key: "mean")
  /// An option of ``WeightsOptions``.
  public static let std = OptionName("std", key: "std")
  /// An option of ``WeightsOptions``.
  public static let channelOrder = OptionName("channelOrder", key: "channel_order")
  /// An option of ``WeightsOptions``.
  public static let inputRange = OptionName("inputRange", key: "input_range")
}
