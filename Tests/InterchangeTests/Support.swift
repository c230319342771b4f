import Foundation
import ResidualFormats
import ResidualImages
import ResidualInterchange
import ResidualTensors

/// Models of random numbers.
enum Sample {
  /// A network's parameters under other names; those without one are left out.
  static func entries(
    _ network: Network, name: (String) -> String? = { $0 }
  ) throws -> [SafetensorsEntry] {
    var source = RandomSource(RandomKey(seed: 3))
    return network.slots.compactMap { slot in
      let numbers = (0..<slot.shape.count).map { _ in source.uniform() }
      return name(slot.name).map { SafetensorsEntry($0, Tensor(slot.shape, numbers)) }
    }
  }

  static func model(
    _ name: String = "cifar-resnet8", _ shortcut: Shortcut = .padding(.end),
    classNames: [String] = ["cat", "dog", "fox"], usesMean: Bool = true,
    view: Preparation.View = .squash, statistics: ModelFile.Statistics = .exact,
    provenance: [String: String] = ["steps": "7"]
  ) throws -> ModelFile {
    let network = try NetworkCatalog.network(
      named: name, variant: .init(shortcut), classes: classNames.count)
    var source = RandomSource(RandomKey(seed: 11))
    func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in 2 * source.uniform() - 1 } }
    var tensors: [String: Tensor<Float>] = [:]
    for slot in network.slots {
      tensors[slot.name] = Tensor(slot.shape, numbers(slot.shape.count))
    }
    // Numbers that a conversion to text or a comparison could change.
    let odd: [Float] = [-0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .nan, -.infinity]
    let filter = network.shortcut == nil && name == "cifar-linear" ? "fc.weight" : "conv1.weight"
    tensors[filter]?.scalars.replaceSubrange(0..<odd.count, with: odd)
    return ModelFile(
      network: network,
      preparation: try .init(
        view, side: 32,
        usesMean
          ? .perPixelMean(numbers(32 * 32 * 3))
          : .channels(mean: [0.4914, 0.4822, 1 / 3], std: [0.2023, 0.1994, 0.1])),
      classNames: classNames, statistics: statistics, tensors: tensors, provenance: provenance)
  }
}
