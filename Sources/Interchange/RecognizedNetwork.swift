import ResidualNetworks
import ResidualTensors

/// Which network a set of tensors belongs to, and why.
///
/// Tensors tell the kind of block, the number of blocks, the classes and the projections. They do not
/// tell a plain network from one with zero-padding shortcuts, where those put their zeros, which
/// convolution of a bottleneck has the stride, or the size of images; ``RecognizedNetwork/assumed``
/// says what was taken for granted.
package struct RecognizedNetwork: Hashable, Sendable {
  /// The name in the catalogue.
  package let name: String
  /// What the tensors show of its options.
  package let variant: NetworkVariant
  /// What the tensors show, in words.
  package let reasons: [String]
  /// What they do not, and what is assumed of it.
  package let assumed: [Message]
  /// The rows of the last layer.
  package let classes: Int

  /// - Parameters:
  ///   - shapes: by the slots' names.
  ///   - padding: where zero-padding shortcuts put their zeros, if that is known.
  ///   - stridePlacement: of bottlenecks, likewise.
  /// - Throws: the reason why the tensors are of no known network.
  package init(
    _ shapes: [String: Shape], padding: Shortcut.ZeroPadding?,
    stridePlacement: StridePlacement? = nil
  ) throws(Unrecognized) {
    if shapes["features.0.weight"] != nil {
      try self.init(vgg: shapes)
    } else if let branch = shapes["inception3a.branch3.1.conv.weight"] {
      try self.init(inception: shapes, branch.extents.last == 5 ? .five : .three)
    } else {
      try self.init(stages: shapes, padding: padding, stridePlacement: stridePlacement)
    }
  }

  /// The most classes of a network.
  static let maximumClasses = 10_000_000

  /// The reason why tensors are of no known network.
  package struct Unrecognized: Error, Hashable {
    /// In words.
    package let reason: String
  }

  /// The rows of a classifier.
  static func classes(_ shapes: [String: Shape], _ name: String) throws(Unrecognized) -> Int {
    guard let classes = shapes[name]?.extents.first else {
      throw Unrecognized(reason: "there is no classifier '\(name)'")
    }
    guard 1...maximumClasses ~= classes else {
      throw Unrecognized(reason: "its classifier '\(name)' has \(classes) rows")
    }
    return classes
  }

  private init(inception shapes: [String: Shape], _ branch: InceptionBranch) throws(Unrecognized) {
    name = GoogLeNet.name
    variant = NetworkVariant(inceptionBranch: branch)
    reasons = ["Inception modules whose third branch ends with \(branch.rawValue) filters"]
    assumed = []
    classes = try Self.classes(shapes, "fc.weight")
  }

  private init(vgg shapes: [String: Shape]) throws(Unrecognized) {
    let features = shapes.filter { $0.key.hasPrefix("features.") && $0.value.rank == 4 }
    let normalizes = shapes.keys.contains { $0.hasSuffix(".running_mean") }
    let depth = features.count + 3
    guard VGG.table.contains(where: { $0.depth == depth }) else {
      throw Unrecognized(
        reason: "\(features.count) convolutions under 'features.' are of no VGG here")
    }
    name = "vgg\(depth)" + (normalizes ? "-bn" : "")
    variant = NetworkVariant()
    reasons = [
      "\(features.count) convolutions under 'features.'",
      normalizes ? "running statistics" : "no running statistics",
    ]
    assumed = []
    classes = try Self.classes(shapes, "classifier.6.weight")
  }

  /// Networks of blocks in stages.
  private init(
    stages shapes: [String: Shape], padding: Shortcut.ZeroPadding?,
    stridePlacement: StridePlacement?
  ) throws(Unrecognized) {
    guard let first = shapes["conv1.weight"], first.rank == 4 else {
      throw Unrecognized(reason: "there is no tensor 'conv1.weight'")
    }
    let stages = ResidualStages(Set(shapes.keys))
    let blocks = stages.blocks
    let (isBottleneck, isBasic, isGated) = (stages.isBottleneck, stages.isBasic, stages.isGated)
    let kind = isBottleneck ? "bottlenecks" : isBasic ? "basic blocks" : "blocks of one layer"
    var reasons = [
      "\(blocks.map(String.init).joined(separator: ", ")) \(kind) in \(blocks.count) stages"
    ]
    var assumed: [Message] = []
    let projects = shapes.keys.contains { $0.contains(".downsample.") }
    // Where nothing changes in the first block of basic ones, or in the second of any, only option C
    // projects.
    let projectsEverywhere =
      shapes["layer1.1.downsample.0.weight"] != nil
      || !isBottleneck && shapes["layer1.0.downsample.0.weight"] != nil
    let isPreactivation = shapes["conv1.bias"] != nil && blocks.count == 4
    let isForCIFAR = first.extents.last == 3 && blocks.count == 3
    let isForImageNet = first.extents.last == 7 && blocks.count == 4
    guard isPreactivation || isForCIFAR && Set(blocks).count == 1 || isForImageNet else {
      let counts = blocks.map(String.init).joined(separator: ", ")
      throw Unrecognized(
        reason: "a first filter of \(first) before stages of \(counts) blocks is of no network here"
      )
    }
    if isPreactivation {
      variant = NetworkVariant()
    } else if projects {
      variant = NetworkVariant(projectsEverywhere ? .projectionEverywhere : .projection)
      reasons.append(projectsEverywhere ? "projections in every block" : "projections")
    } else {
      let place = padding ?? .end
      variant = NetworkVariant(.padding(place))
      reasons.append("no projections")
      assumed.append(
        "shortcuts without parameters"
          + (padding == nil
            ? ", their zero channels at the end (\(OptionName.shortcutPadding) both, if half stand before)"
            : ", their zero channels \(place == .both ? "on both sides" : "at the end")")
          + "; a plain network has the same tensors (\(OptionName.model) \(isForCIFAR ? "cifar-plain" : "plain")…)"
      )
    }
    if isBottleneck, !isPreactivation, stridePlacement == nil {
      assumed.append(
        "the stride on the 3×3 convolution (\(OptionName.stridePlacement) 1x1, as in the paper)")
    }
    self.reasons = reasons
    self.assumed = assumed
    classes = try Self.classes(shapes, "fc.weight")
    let block = isBottleneck ? 3 : isBasic ? 2 : 1
    let depth = blocks.reduce(0, +) * block + 2
    if isPreactivation {
      name = "cifar-preact\(depth)"
    } else if isForCIFAR {
      let family =
        isGated ? "highway" : isBottleneck ? "bottleneck" : isBasic ? "resnet" : "single"
      name = "cifar-\(family)\(depth)"
    } else {
      let known = ImageNetResNet.table.first {
        $0.blocks == blocks && $0.isBottleneck == isBottleneck
      }
      let counts = blocks.map(String.init).joined(separator: "-")
      guard isBasic, known != nil || !isGated else {
        throw Unrecognized(reason: "\(counts) \(kind) are of no network here")
      }
      name =
        known.map { (isGated ? "highway" : "resnet") + String($0.depth) }
        ?? (isBottleneck ? "resnet-bottleneck-" : "resnet-") + counts
    }
  }
}
