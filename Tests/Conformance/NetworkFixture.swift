import Foundation
import ResidualReference

/// One training step as `Tests/Fixtures/make-network-fixtures.py` has computed it with PyTorch.
struct NetworkFixture: Decodable {
  /// What is stored of a tensor.
  struct Summary: Decodable {
    let norm: Double
    /// The product with the random numbers named `projection/<tensor>`.
    let projection: Double
    /// Entries at equal distances, from the first.
    let sample: [Double]
    /// The relative error that PyTorch makes in single precision.
    let singlePrecisionError: Double?
  }

  let loss: Double
  let logits: [Double]
  let gradients: [String: Summary]
  let slots: [String: Summary]

  init(_ name: String) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/Networks/\(name).json")
    self = try JSONDecoder().decode(NetworkFixture.self, from: Data(contentsOf: file))
  }

  /// Numbers in -1..<1, as the script draws them: SplitMix64 from a hash of the name.
  static func draw(_ name: String, _ count: Int) -> [Double] {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    var source = RandomSource(RandomKey(bits: hash))
    return (0..<count).map { _ in 2 * Double(source.uniform()) - 1 }
  }

  /// The first value of a slot. In deep networks most inputs of rectifiers lie away from zero.
  static func initialValue(
    _ slot: StateSlot, rate: Double, isDeep: Bool
  ) -> [Double] {
    func drawn(_ scale: Double, _ offset: Double = 0) -> [Double] {
      draw(slot.name, slot.shape.count).map { offset + scale * $0 }
    }
    switch slot.name.split(separator: ".").last {
    case "running_mean": return drawn(0.1)
    case "running_var": return drawn(0.5, 1)
    default: break
    }
    if slot.role == .optimizer {
      // PyTorch's buffer does not contain the learning rate; ours does.
      let parameter = slot.name.dropFirst("momentum/".count)
      return draw("velocity/" + parameter, slot.shape.count).map { rate * (0.01 * $0) }
    }
    switch (slot.name, slot.shape.rank) {
    case ("fc.weight", _): return drawn(4 / Double(slot.shape[1]).squareRoot())
    case ("fc.bias", _): return drawn(0.1)
    case (let name, _) where name.hasSuffix("bn3.weight"): return drawn(0.1, 0.2)
    case (let name, 1)
    where isDeep && name.hasPrefix("layer") && name.hasSuffix("bias") && !name.contains("bn3"):
      return drawn(0.25, 4)
    case (_, 4):
      return drawn((6 / Double(slot.shape[2] * slot.shape[3] * slot.shape[1])).squareRoot())
    case (let name, _) where name.hasSuffix("weight"): return drawn(0.5, 1)
    default: return drawn(0.25)
    }
  }
}
