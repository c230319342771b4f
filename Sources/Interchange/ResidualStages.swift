/// The blocks of a residual network, as the names of its tensors tell them.
struct ResidualStages {
  /// One stage more than any network here has.
  private static let maximumStages = 5

  /// The blocks in each stage; of a file that names more stages only the first ones are counted.
  let blocks: [Int]
  /// Whether a block has a third, or a second convolution, or a gate.
  let isBottleneck: Bool, isBasic: Bool, isGated: Bool

  /// - Complexity: O(names).
  init(_ names: Set<String>) {
    var blocks: [Int] = []
    while blocks.count < Self.maximumStages,
      names.contains(where: { $0.hasPrefix("layer\(blocks.count + 1).") })
    {
      var count = 0
      while names.contains("layer\(blocks.count + 1).\(count).conv1.weight") { count += 1 }
      blocks.append(count)
    }
    self.blocks = blocks
    isBottleneck = names.contains("layer1.0.conv3.weight")
    isBasic = names.contains("layer1.0.conv2.weight")
    isGated = names.contains("layer1.0.gate.weight")
  }
}
