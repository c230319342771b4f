/// The options by which networks of one name differ.
///
/// In a request, what is `nil` is the family's own; of a network, what is `nil` is a part that it has
/// not. An option of a new family is a property here and its entry in ``settings``.
public struct NetworkVariant: Hashable, Sendable {
  /// The paper's letter, for residual and Highway networks. For ImageNet B, as in torchvision; for
  /// CIFAR-10 A, as in the paper.
  public var shortcut: Shortcut.Option?
  /// Where option A puts its zero channels.
  public var shortcutPadding: Shortcut.ZeroPadding?
  /// Which convolution of a bottleneck has the stride; as in torchvision the 3×3 convolution.
  public var stridePlacement: StridePlacement?
  /// What the biases of a Highway network's gates begin with.
  public var gateBias: Float?
  /// What the branch of an Inception module is made of that sees farthest; the paper's.
  public var inceptionBranch: InceptionBranch?

  /// - Parameter shortcut: `nil` for a network without shortcuts, or one that is left open.
  public init(
    _ shortcut: Shortcut? = nil, stridePlacement: StridePlacement? = nil, gateBias: Float? = nil,
    inceptionBranch: InceptionBranch? = nil
  ) {
    self.shortcut = shortcut?.option
    if case .padding(let padding) = shortcut { shortcutPadding = padding }
    self.stridePlacement = stridePlacement
    self.gateBias = gateBias
    self.inceptionBranch = inceptionBranch
  }

  /// The shortcut that the options stand for, where they leave it open that of a family.
  func shortcut(default family: Shortcut) -> Shortcut {
    switch shortcut ?? family.option {
    case .a:
      if case .padding(let padding) = family {
        .padding(shortcutPadding ?? padding)
      } else {
        .padding(shortcutPadding ?? .end)
      }
    case .b: .projection
    case .c: .projectionEverywhere
    }
  }

  /// The options without those that decide first values alone: what the tensors of a network depend on.
  public var structure: NetworkVariant {
    var structure = self
    structure.gateBias = nil
    return structure
  }

  /// The first option that a request has and a network has no part for.
  ///
  /// - Returns: the option, and the part in words.
  public func firstUnused(by network: NetworkVariant) -> (option: OptionName, part: String)? {
    for (setting, part) in Self.table where setting.isGiven(in: self) {
      if !setting.isGiven(in: network) { return (setting.option, part) }
    }
    return nil
  }

  // MARK: Settings

  /// Each option by its name.
  public static let settings = table.map(\.setting)

  /// Each option, and the part that a network must have for it to mean something.
  private static let table: [(setting: Setting<NetworkVariant>, part: String)] = [
    (
      Setting(
        .shortcut, \.shortcut, otherwise: "A; B for ImageNet",
        help: "Shortcut option of the paper: A (zero padding), B (projections where the shape "
          + "changes) or C (projections everywhere)."), "shortcuts to choose"
    ),
    (
      Setting(
        .shortcutPadding, \.shortcutPadding, otherwise: "end",
        help: "Where option A puts its zero channels."), "zero-padding shortcuts"
    ),
    (
      Setting(
        .stridePlacement, \.stridePlacement, otherwise: "3x3",
        help: "Which convolution of a bottleneck has the stride: 1x1 (the paper) or 3x3 "
          + "(torchvision)."), "bottlenecks"
    ),
    (
      Setting(
        .gateBias, \.gateBias, .finite, otherwise: "-2",
        help: "The first value of the biases of a Highway network's gates."), "gates"
    ),
    (
      Setting(
        .inceptionBranch, \.inceptionBranch, otherwise: "5x5",
        help: "The last filter of GoogLeNet's third branch: 5x5 (the paper) or 3x3 (torchvision)."),
      "Inception modules"
    ),
  ]
}

extension OptionName {
  /// An option of ``NetworkVariant``.
  public static let shortcut = OptionName("shortcut", key: "shortcut")
  /// An option of ``NetworkVariant``.
  public static let shortcutPadding = OptionName("shortcutPadding", key: "shortcut_padding")
  /// An option of ``NetworkVariant``.
  public static let stridePlacement = OptionName("stridePlacement", key: "stride_on")
  /// An option of ``NetworkVariant``.
  public static let gateBias = OptionName("gateBias", key: "gate_bias")
  /// An option of ``NetworkVariant``.
  public static let inceptionBranch = OptionName("inceptionBranch", key: "inception_branch")
}
