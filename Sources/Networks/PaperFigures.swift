/// What *Deep Residual Learning for Image Recognition* says of a network.
package struct PaperFigures: Hashable, Sendable {
  /// Multiply-adds, which the paper calls FLOPs (Table 1, section 3.3).
  package let multiplyAdds: Double?
  /// Parameters (Table 6).
  package let parameters: Double?
  /// An error in per cent, and what it is of.
  package let error: Double?, errorOf: String?

  private init(
    multiplyAdds: Double? = nil, parameters: Double? = nil, error: Double? = nil,
    of errorOf: String? = nil
  ) {
    self.multiplyAdds = multiplyAdds
    self.parameters = parameters
    self.error = error
    self.errorOf = errorOf
  }

  /// The figures for a network by its canonical name, with the shortcut option that it has by default;
  /// `nil` if the paper gives none.
  package init?(ofNetworkNamed name: String) {
    guard let figures = Self.table[name] else { return nil }
    self = figures
  }

  private static let tenCrops = "top-1, 10 crops, Table 3"
  private static let table: [String: PaperFigures] = [
    "plain18": .init(multiplyAdds: 1.8e9, error: 27.94, of: "top-1, 10 crops, Table 2"),
    "plain34": .init(multiplyAdds: 3.6e9, error: 28.54, of: "top-1, 10 crops, Table 2"),
    "resnet18": .init(multiplyAdds: 1.8e9, error: 27.88, of: "top-1, 10 crops, option A, Table 2"),
    "resnet34": .init(multiplyAdds: 3.6e9, error: 24.52, of: tenCrops),
    "resnet50": .init(multiplyAdds: 3.8e9, error: 22.85, of: tenCrops),
    "resnet101": .init(multiplyAdds: 7.6e9, error: 21.75, of: tenCrops),
    "resnet152": .init(multiplyAdds: 11.3e9, error: 21.43, of: tenCrops),
    "vgg16": .init(multiplyAdds: 15.3e9, error: 28.07, of: tenCrops),
    "vgg19": .init(multiplyAdds: 19.6e9),
    "googlenet": .init(error: 9.15, of: "top-5, 10 crops, Table 3"),
    "cifar-resnet20": .init(parameters: 0.27e6, error: 8.75, of: "Table 6"),
    "cifar-resnet32": .init(parameters: 0.46e6, error: 7.51, of: "Table 6"),
    "cifar-resnet44": .init(parameters: 0.66e6, error: 7.17, of: "Table 6"),
    "cifar-resnet56": .init(parameters: 0.85e6, error: 6.97, of: "Table 6"),
    "cifar-resnet110": .init(parameters: 1.7e6, error: 6.43, of: "best of five, Table 6"),
    "cifar-resnet1202": .init(parameters: 19.4e6, error: 7.93, of: "Table 6"),
  ]
}
