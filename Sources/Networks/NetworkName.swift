/// What a name of ``NetworkCatalog`` stands for.
struct NetworkName {
  /// The paths of a block.
  enum Paths: CaseIterable {
    case residual, plain, highway

    func shortcut(_ variant: NetworkVariant, default family: Shortcut) -> Shortcut? {
      self == .plain ? nil : variant.shortcut(default: family)
    }
    func gateBias(_ variant: NetworkVariant) -> Float? {
      self == .highway ? variant.gateBias ?? NetworkCatalog.standardGateBias : nil
    }
  }

  enum BlockKind {
    case basic, single, bottleneck

    func block(_ placement: StridePlacement) -> Block {
      switch self {
      case .basic: .basic
      case .single: .single
      case .bottleneck: .bottleneck(placement)
      }
    }
  }

  enum Design {
    case imageNet(Paths, depth: Int)
    case stages(Paths, isBottleneck: Bool, blocks: [Int])
    case cifar(Paths, BlockKind, depth: Int)
    case preactivation(depth: Int)
    case vgg(depth: Int, normalizes: Bool)
    case googLeNet
    case linear

    var isForCIFAR: Bool {
      switch self {
      case .imageNet, .stages, .vgg, .googLeNet: false
      case .cifar, .preactivation, .linear: true
      }
    }
  }

  let design: Design

  init(_ name: String) throws(NetworkNameError) {
    let lowered = name.lowercased()
    if let design = Self.whole[lowered] ?? Self.stages(lowered) {
      self.design = design
      return
    }
    for (prefix, design) in Self.families where lowered.hasPrefix(prefix) {
      guard let depth = Int(lowered.dropFirst(prefix.count)), depth > 0 else { continue }
      guard depth <= NetworkCatalog.maximumDepth else { throw .tooDeep(depth) }
      guard case .imageNet(let paths, _) = design(depth), !ImageNetResNet.depths.contains(depth)
      else {
        self.design = design(depth)
        return
      }
      guard CIFARResNet.paperDepths.contains(depth) else {
        throw .aliasOfOtherDepth(name: name, canonical: "cifar-\(prefix)\(depth)", depth: depth)
      }
      self.design = .cifar(paths, .basic, depth: depth)
      return
    }
    throw .unknown(name)
  }

  /// Names without a depth, or with few.
  private static let whole: [String: Design] = [
    "vgg16": .vgg(depth: 16, normalizes: false), "vgg19": .vgg(depth: 19, normalizes: false),
    "vgg16-bn": .vgg(depth: 16, normalizes: true), "vgg16_bn": .vgg(depth: 16, normalizes: true),
    "vgg19-bn": .vgg(depth: 19, normalizes: true), "vgg19_bn": .vgg(depth: 19, normalizes: true),
    GoogLeNet.name: .googLeNet, "inception-v1": .googLeNet,
    LinearClassifier.name: .linear, "linear": .linear,
  ]

  /// Prefixes of a depth.
  private static let families: [(prefix: String, design: @Sendable (Int) -> Design)] = [
    ("cifar-resnet", { .cifar(.residual, .basic, depth: $0) }),
    ("cifar-plain", { .cifar(.plain, .basic, depth: $0) }),
    ("cifar-highway", { .cifar(.highway, .basic, depth: $0) }),
    ("cifar-single", { .cifar(.residual, .single, depth: $0) }),
    ("cifar-bottleneck", { .cifar(.residual, .bottleneck, depth: $0) }),
    ("cifar-preact", { .preactivation(depth: $0) }),
    ("resnet", { .imageNet(.residual, depth: $0) }),
    ("plain", { .imageNet(.plain, depth: $0) }),
    ("highway", { .imageNet(.highway, depth: $0) }),
  ]

  /// `resnet-2-3-4-2` and the like; `nil` for other names.
  private static func stages(_ name: String) -> Design? {
    for (prefix, paths, isBottleneck) in [
      ("resnet-bottleneck-", Paths.residual, true), ("resnet-", .residual, false),
      ("plain-", .plain, false),
    ] where name.hasPrefix(prefix) {
      let counts = name.dropFirst(prefix.count).split(
        separator: "-", omittingEmptySubsequences: false)
      let blocks = counts.compactMap { Int($0) }.filter { 1...1000 ~= $0 }
      guard counts.count == ImageNetResNet.widths.count, blocks.count == counts.count,
        zip(counts, blocks).allSatisfy({ $0 == String($1) })
      else { continue }
      return .stages(paths, isBottleneck: isBottleneck, blocks: blocks)
    }
    return nil
  }
}
