import ResidualTensors

/// Whose names the tensors of a file have, and which slot of ours each means.
///
/// | names | convolution in a block | projection | classifier |
/// |---|---|---|---|
/// | torchvision, timm | `layer1.0.conv1` | `layer1.0.downsample.0`, `.1` | `fc` |
/// | CIFAR networks after akamaster | `layer1.0.conv1` | `layer1.0.shortcut.0`, `.1` | `linear` |
/// | Hugging Face transformers | `…stages.0.layers.0.layer.0.convolution` | `…shortcut.convolution`, `.normalization` | `classifier.1` |
/// | timm's VGG | as torchvision | – | `pre_logits.fc1`, `pre_logits.fc2`, `head.fc` |
package enum WeightNames: String, Sendable, CaseIterable {
  case torchvision
  case cifar
  case transformers
  case timmVGG

  /// In words, for remarks.
  package var title: String {
    switch self {
    case .torchvision: "torchvision's and timm's"
    case .cifar: "those of CIFAR networks after akamaster"
    case .transformers: "those of Hugging Face transformers"
    case .timmVGG: "timm's for VGG"
    }
  }

  /// What networks call their first tensor.
  static let firstTensors = [
    "conv1.weight", "features.0.weight", "conv1.conv.weight",
    "resnet.embedder.embedder.convolution.weight",
  ]

  /// The names that a file has.
  package init(of names: some Sequence<String>) {
    self = .torchvision
    for name in names {
      if name.contains("encoder.stages.") { self = .transformers }
      if name.hasPrefix("linear.") || name.contains(".shortcut.0.") {
        if self != .transformers { self = .cifar }
      }
      if name.hasPrefix("pre_logits.fc1.") { self = .timmVGG }
    }
  }

  /// The slot that a tensor's name means; `nil` for what no network of ours keeps: the number of
  /// batches that were seen.
  package func slot(_ name: String) -> String? {
    if name.hasSuffix(".num_batches_tracked") { return nil }
    switch self {
    case .torchvision: return name
    case .cifar:
      if name.hasPrefix("linear.") { return "fc." + name.dropFirst("linear.".count) }
      return name.replacing(".shortcut.", with: ".downsample.")
    case .timmVGG:
      for (theirs, ours) in [
        ("pre_logits.fc1.", "classifier.0."), ("pre_logits.fc2.", "classifier.3."),
        ("head.fc.", "classifier.6."),
      ] where name.hasPrefix(theirs) {
        return ours + name.dropFirst(theirs.count)
      }
      return name
    case .transformers: return Self.slot(ofTransformers: name)
    }
  }

  /// The name of a slot of a network for ImageNet in transformers.
  static func transformersName(_ slot: String) -> String {
    let parts = slot.split(separator: ".").map(String.init)
    func kind(_ layer: String) -> String {
      layer.hasPrefix("conv") || layer == "0" ? "convolution" : "normalization"
    }
    switch parts.count {
    case 2 where parts[0] == "fc": return "classifier.1.\(parts[1])"
    case 2: return "resnet.embedder.embedder.\(kind(parts[0])).\(parts[1])"
    case 4, 5:
      guard let stage = Int(parts[0].dropFirst("layer".count)), stage > 0 else { return slot }
      let block = "resnet.encoder.stages.\(stage - 1).layers.\(parts[1])"
      if parts.count == 5 { return "\(block).shortcut.\(kind(parts[3])).\(parts[4])" }
      guard let number = parts[2].last.flatMap({ Int(String($0)) }), number > 0 else { return slot }
      return "\(block).layer.\(number - 1).\(kind(parts[2])).\(parts[3])"
    default: return slot
    }
  }

  private static func slot(ofTransformers name: String) -> String {
    let name = name.hasPrefix("resnet.") ? String(name.dropFirst("resnet.".count)) : name
    func leaf(_ parts: ArraySlice<Substring>, _ convolution: String, _ normalization: String)
      -> String?
    {
      guard parts.count == 2, let kind = parts.first, let field = parts.last else { return nil }
      return switch kind {
      case "convolution": "\(convolution).\(field)"
      case "normalization": "\(normalization).\(field)"
      default: nil
      }
    }
    let parts = name.split(separator: ".")[...]
    if name.hasPrefix("classifier.1.") { return "fc." + name.dropFirst("classifier.1.".count) }
    if name.hasPrefix("embedder.embedder.") {
      return leaf(parts.dropFirst(2), "conv1", "bn1") ?? name
    }
    // encoder stages S layers B (layer K | shortcut) kind field
    guard parts.count >= 7, name.hasPrefix("encoder.stages."), let stage = Int(parts[2]),
      0..<100 ~= stage, parts[3] == "layers"
    else { return name }
    let block = "layer\(stage + 1).\(parts[4])"
    if parts[5] == "shortcut" {
      return leaf(parts.dropFirst(6), "\(block).downsample.0", "\(block).downsample.1") ?? name
    }
    guard parts[5] == "layer", let index = Int(parts[6]), 0..<100 ~= index else { return name }
    return leaf(parts.dropFirst(7), "\(block).conv\(index + 1)", "\(block).bn\(index + 1)") ?? name
  }
}
