import ResidualDatasets
import ResidualInterchange
import ResidualNetworks

extension RecipeOptions {
  /// Steps on the built-in set where nothing else is said: six epochs, enough to learn it well.
  public static let builtInSteps = 936
  static let maximumSteps = 1_000_000_000

  /// Checks what can be checked without the data, and without what other sources choose.
  ///
  /// - Throws: ``RecipeError``.
  public func validate() throws(RecipeError) {
    do { _ = try resolved(trainingCount: nil) } catch RecipeError.notOfNetwork {
      // Another source may choose the network, its shortcuts, or a file that has them.
    }
  }

  /// The recipe that the choices stand for; what is left open is the paper's.
  ///
  /// - Parameter trainingCount: training images without validation images; `nil` to check only.
  /// - Throws: ``RecipeError``.
  public func resolved(trainingCount: Int?) throws(RecipeError) -> Recipe {
    try resolved(trainingCount: trainingCount, depth: nil)
  }

  private func resolved(trainingCount: Int?, depth: Int?) throws(RecipeError) -> Recipe {
    let network = try resolvedNetwork()
    let batchSize = try range(.batchSize, batchSize ?? 128, 1...1_000_000)
    let rate = try positive(.learningRate, learningRate ?? 0.1)
    if let trainingCount, batchSize > trainingCount {
      throw .batchLargerThanSet(batch: batchSize, images: trainingCount)
    }
    let steps = try resolvedSteps(stepsPerEpoch: max(1, (trainingCount ?? batchSize) / batchSize))
    if let milestones, milestones != milestones.sorted() || milestones.contains(where: { $0 < 0 }) {
      throw .outOfRange(
        option: .milestones, value: "\(milestones)", allowed: "steps in rising order")
    }
    let initialization = try choice(
      .initialization, initialization ?? Initialization.fanIn.rawValue, Initialization.self)
    return Recipe(
      data: dataPath, model: network.name, shortcut: network.shortcut,
      stridePlacement: network.stridePlacement, gateBias: network.gateBias,
      inceptionBranch: network.inceptionBranch, inputSide: network.inputSide,
      initialization: initialization,
      seed: seed ?? 1, batchSize: batchSize,
      momentum: try fraction(.momentum, momentum ?? 0.9),
      weightDecay: try nonnegative(.weightDecay, weightDecay ?? 1e-4),
      schedule: Schedule(
        steps: steps, rate: rate, milestones: milestones ?? Schedule.milestones(for: steps),
        warmup: try resolvedWarmup(depth: depth ?? network.depth, rate: rate, steps: steps)),
      classifierRateScale: try positive(.classifierRateScale, classifierRateScale ?? 1),
      augments: augmentation ?? true,
      validationCount: try range(.validation, validation ?? 0, 0...Int.max),
      usesExactStatistics: exactStatistics ?? true,
      recomputation: try resolvedRecomputation(), memoryLimit: try resolvedMemoryLimit(),
      initial: try resolvedInitial(),
      classes: try classes.map { classes throws(RecipeError) in
        try range(.classes, classes, 1...1_000_000)
      },
      freeze: freeze ?? [], definition: definition)
  }

  /// The recipe for a set of data, whose images have the size of the network's if none is chosen.
  ///
  /// - Parameter network: one of the caller's own layers, where no choice stands for the network.
  /// - Throws: ``RecipeError``, also where the data have too few images for what is set aside.
  public func resolved(on data: Dataset, for network: Network? = nil) throws(RecipeError) -> Recipe
  {
    let (count, validation) = (data.training.count, validation ?? 0)
    if validation > 0, let own = data.validation {
      throw .validationTwice(asked: validation, found: own.count)
    }
    guard validation == 0 || validation < count else {
      throw .validationCount(asked: validation, images: count)
    }
    var options = self
    // What a classifier began with depends on it.
    if initialCheckpoint != nil { options.classes = classes ?? data.classNames.count }
    options.imageSize = imageSize ?? data.training.height
    if data.source != .builtIn { options.data = self.data ?? data.name }
    return try options.resolved(trainingCount: count - max(0, validation), depth: network?.depth)
  }

  /// What a step is to compute again; `nil` for the standard.
  public func resolvedRecomputation() throws(RecipeError) -> RecomputationScope? {
    guard let recomputation else { return nil }
    guard let scope = RecomputationScope(rawValue: recomputation) else {
      throw .unknownChoice(
        option: .recomputation, value: recomputation,
        choices: RecomputationScope.allCases.map(\.rawValue))
    }
    return scope
  }

  /// The memory that a step may take, in bytes.
  public func resolvedMemoryLimit() throws(RecipeError) -> Int? {
    guard let memoryLimit else { return nil }
    guard let bytes = ByteSize.bytes(memoryLimit) else {
      throw .outOfRange(
        option: .memoryLimit, value: memoryLimit,
        allowed: "a size such as 6GiB, 500MB or a number of bytes")
    }
    return bytes
  }

  private func resolvedInitial() throws(RecipeError) -> Recipe.InitialCheckpoint? {
    let preparation = try preparation()
    return initialCheckpoint.map { .init(path: $0, preparation: preparation) }
  }

  /// How images are prepared for the initial checkpoint's network, as far as it is said.
  ///
  /// - Throws: ``RecipeError``, also where there is no initial checkpoint.
  public func resolvedPreparation() throws(RecipeError) -> WeightsOptions {
    for (option, isGiven) in [
      (.mean, mean != nil), (.std, std != nil), (.channelOrder, channelOrder != nil),
      (.inputRange, inputRange != nil),
    ] as [(CodingKeys, Bool)] where isGiven && initialCheckpoint == nil {
      throw .needsInitialCheckpoint(option: option)
    }
    return try preparation()
  }

  private func preparation() throws(RecipeError) -> WeightsOptions {
    var preparation = WeightsOptions()
    for (option, numbers, least) in [
      (.mean, mean, -Float.infinity), (.std, std, 0),
    ] as [(CodingKeys, [Float]?, Float)] {
      guard let numbers else { continue }
      guard numbers.count == 3, numbers.allSatisfy({ $0.isFinite && $0 > least }) else {
        throw .outOfRange(
          option: option, value: numbers.map { "\($0)" }.joined(separator: ","),
          allowed: "three numbers\(option == .std ? " above 0" : ""), such as 0.485,0.456,0.406")
      }
    }
    (preparation.mean, preparation.std) = (mean, std)
    preparation.channelOrder = try channelOrder.map { value throws(RecipeError) in
      try choice(.channelOrder, value.uppercased(), WeightsOptions.ChannelOrder.self)
    }
    preparation.inputRange = try inputRange.map { value throws(RecipeError) in
      try choice(.inputRange, value, WeightsOptions.InputRange.self)
    }
    return preparation
  }

  /// Where the data are; `nil` for the built-in set.
  public var dataPath: String? { data == Self.builtInData ? nil : data }

  private func resolvedNetwork() throws(RecipeError) -> Network {
    if let definition { return try Recipe.network(definition: definition, classes: nil) }
    let placement = try stridePlacement.map { value throws(RecipeError) in
      try choice(.stridePlacement, value, StridePlacement.self)
    }
    let padding = try choice(
      .shortcutPadding, shortcutPadding ?? Shortcut.ZeroPadding.end.rawValue,
      Shortcut.ZeroPadding.self)
    let branch = try inceptionBranch.map { value throws(RecipeError) in
      try choice(.inceptionBranch, value, InceptionBranch.self)
    }
    if let gateBias, !gateBias.isFinite {
      throw .outOfRange(option: .gateBias, value: "\(gateBias)", allowed: "any finite number")
    }
    let inputSide = try imageSize.map { value throws(RecipeError) in
      try range(.imageSize, value, Network.inputSides)
    }
    func network(_ shortcut: Shortcut?) throws(RecipeError) -> Network {
      do {
        return try NetworkCatalog.network(
          named: model ?? "cifar-resnet20", shortcut: shortcut, stridePlacement: placement,
          gateBias: gateBias, inceptionBranch: branch, inputSide: inputSide)
      } catch { throw .network(error) }
    }
    var result: Network
    if let shortcut {
      guard let option = Shortcut(option: shortcut, padding: padding.rawValue) else {
        throw .unknownChoice(option: .shortcut, value: shortcut, choices: ["A", "B", "C"])
      }
      result = try network(option)
    } else {
      result = try network(nil)
      if case .padding = result.shortcut { result = try network(.padding(padding)) }
    }
    let pads = if case .padding = result.shortcut { true } else { false }
    for (option, isMissing) in [
      (.shortcut, shortcut != nil && result.shortcut == nil),
      (.shortcutPadding, shortcutPadding != nil && !pads),
      (.stridePlacement, placement != nil && result.stridePlacement == nil),
      (.gateBias, gateBias != nil && result.gateBias == nil),
      (.inceptionBranch, branch != nil && result.inceptionBranch == nil),
    ] as [(CodingKeys, Bool)] where isMissing {
      throw .notOfNetwork(option: option, model: result.name)
    }
    return result
  }

  private func resolvedSteps(stepsPerEpoch: Int) throws(RecipeError) -> Int {
    if let epochs {
      guard steps == nil else { throw .epochsAndSteps }
      guard epochs > 0, epochs <= 1e6 else {
        throw .outOfRange(option: .epochs, value: "\(epochs)", allowed: "above 0, up to 1,000,000")
      }
      let count = epochs * Double(stepsPerEpoch)
      guard count <= Double(Self.maximumSteps) else {
        throw .outOfRange(
          option: .epochs, value: "\(epochs)", allowed: "at most \(Self.maximumSteps) steps in all")
      }
      return max(1, Int(count))
    }
    let standard = dataPath == nil ? Self.builtInSteps : Schedule.paperSteps
    return try range(.steps, steps ?? standard, 1...Self.maximumSteps)
  }

  private func resolvedWarmup(depth: Int, rate: Float, steps: Int) throws(RecipeError)
    -> Schedule.Warmup?
  {
    // The paper names 110 layers; its 1202-layer network is trained "as above".
    let warmupRate = try nonnegative(.warmupRate, self.warmupRate ?? (depth >= 110 ? rate / 10 : 0))
    let error = try fraction(.warmupError, warmupError ?? 0.8)
    let limit = try range(.warmupLimit, warmupLimit ?? max(1, steps / 32), 1...Int.max)
    return warmupRate == 0 ? nil : Schedule.Warmup(rate: warmupRate, error: error, limit: limit)
  }

  // MARK: Checks

  private func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ option: CodingKeys, _ value: String, _ type: Choice.Type
  ) throws(RecipeError) -> Choice {
    guard let choice = Choice(rawValue: value) else {
      throw .unknownChoice(
        option: option, value: value, choices: Choice.allCases.map(\.rawValue))
    }
    return choice
  }
  private func range(_ option: CodingKeys, _ value: Int, _ allowed: ClosedRange<Int>)
    throws(RecipeError) -> Int
  {
    guard allowed.contains(value) else {
      let text =
        allowed.upperBound == .max
        ? "at least \(allowed.lowerBound)" : "\(allowed.lowerBound) to \(allowed.upperBound)"
      throw .outOfRange(option: option, value: "\(value)", allowed: text)
    }
    return value
  }
  private func positive(_ option: CodingKeys, _ value: Float) throws(RecipeError) -> Float {
    guard value > 0, value.isFinite else {
      throw .outOfRange(option: option, value: "\(value)", allowed: "above 0")
    }
    return value
  }
  private func nonnegative(_ option: CodingKeys, _ value: Float) throws(RecipeError) -> Float {
    guard value >= 0, value.isFinite else {
      throw .outOfRange(option: option, value: "\(value)", allowed: "0 or more")
    }
    return value
  }
  private func fraction(_ option: CodingKeys, _ value: Float) throws(RecipeError) -> Float {
    guard value >= 0, value < 1 else {
      throw .outOfRange(option: option, value: "\(value)", allowed: "0 or more, below 1")
    }
    return value
  }
}
