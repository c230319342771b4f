import ResidualDatasets
import ResidualNetworks

extension RecipeOptions {
  /// Checks what can be checked without the data, and without what other sources choose.
  ///
  /// - Throws: ``RecipeError``, ``SettingError``.
  public func validate() throws {
    do { _ = try resolved(trainingCount: nil) } catch RecipeError.notOfNetwork,
      RecipeError.needsInitialCheckpoint
    {
      // Another source may choose the network, its shortcuts, or a file that has them.
    }
  }

  /// The recipe that the choices stand for; what is left open is the paper's.
  ///
  /// - Parameters:
  ///   - trainingCount: training images without validation images; `nil` to check only.
  ///   - depth: of a network that no choice stands for.
  /// - Throws: ``RecipeError``, ``SettingError``.
  public func resolved(trainingCount: Int?, depth: Int? = nil) throws -> Recipe {
    try Self.settings.check(self)
    let network = try resolvedNetwork()
    let batchSize = batchSize ?? 128
    let rate = learningRate ?? 0.1
    if let trainingCount, batchSize > trainingCount {
      throw RecipeError.batchLargerThanSet(batch: batchSize, images: trainingCount)
    }
    let steps = try resolvedSteps(stepsPerEpoch: max(1, (trainingCount ?? batchSize) / batchSize))
    return Recipe(
      data: dataPath, model: network.name, variant: network.variant,
      inputSide: network.inputSide, initialization: initialization ?? .fanIn, seed: seed ?? 1,
      batchSize: batchSize, momentum: momentum ?? 0.9, weightDecay: weightDecay ?? 1e-4,
      schedule: Schedule(
        steps: steps, rate: rate, milestones: milestones ?? Schedule.milestones(for: steps),
        warmup: resolvedWarmup(depth: depth ?? network.depth, rate: rate, steps: steps)),
      classifierRateScale: classifierRateScale ?? 1, augments: augmentation ?? true,
      validationCount: validation ?? 0, usesExactStatistics: exactStatistics ?? true,
      recomputation: recomputation, memoryLimit: memoryLimit?.byteCount,
      initial: try resolvedInitial(), classes: classes, freeze: freeze ?? [],
      definition: definition)
  }

  /// The recipe for a set of data, whose images have the size of the network's if none is chosen.
  ///
  /// - Parameter network: one of the caller's own layers, where no choice stands for the network.
  /// - Throws: ``RecipeError``, ``SettingError``, ``DatasetError``; also if the data have too few
  ///   images for what is set aside.
  public func resolved(on data: Dataset, for network: Network? = nil) throws -> Recipe {
    try Self.settings.check(self)
    let samples = try data.samples(of: .training)
    let count = samples.count
    let validation = validation ?? 0
    if validation > 0, let own = data.parts[.validation] {
      throw RecipeError.validationTwice(asked: validation, found: own.count)
    }
    guard validation == 0 || validation < count else {
      throw RecipeError.validationCount(asked: validation, images: count)
    }
    var options = self
    // What a classifier began with depends on it.
    if initialCheckpoint != nil { options.classes = classes ?? data.classNames.count }
    if let set = samples as? ImageSet { options.inputSide = options.inputSide ?? set.height }
    if data.source != .builtIn { options.data = self.data ?? data.name }
    return try options.resolved(trainingCount: count - validation, depth: network?.depth)
  }

  private func resolvedInitial() throws(RecipeError) -> Recipe.InitialCheckpoint? {
    guard let initialCheckpoint else {
      for setting in WeightsOptions.preparationSettings where setting.isGiven(in: network) {
        throw .needsInitialCheckpoint(option: setting.option)
      }
      return nil
    }
    var preparation = network
    (preparation.model, preparation.variant, preparation.inputSide) = (nil, .init(), nil)
    return .init(path: initialCheckpoint, preparation: preparation)
  }

  private func resolvedNetwork() throws(RecipeError) -> Network {
    if let definition { return try Recipe.network(definition: definition, classes: nil) }
    let resolved: Network
    do {
      resolved = try NetworkCatalog.network(
        named: network.model ?? "cifar-resnet20", variant: network.variant,
        inputSide: network.inputSide)
    } catch { throw .network(error) }
    if let unused = network.variant.firstUnused(by: resolved.variant) {
      throw .notOfNetwork(option: unused.option, part: unused.part, model: resolved.name)
    }
    return resolved
  }

  private func resolvedSteps(stepsPerEpoch: Int) throws -> Int {
    guard let epochs else {
      return steps ?? (dataPath == nil ? Self.builtInSteps : Schedule.paperSteps)
    }
    guard steps == nil else { throw RecipeError.epochsAndSteps }
    let count = epochs * Double(stepsPerEpoch)
    guard count <= Double(Self.maximumSteps) else {
      throw SettingError(.epochs, "\(epochs)", .range("at most \(Self.maximumSteps) steps in all"))
    }
    return max(1, Int(count))
  }

  private func resolvedWarmup(depth: Int, rate: Float, steps: Int) -> Schedule.Warmup? {
    // The paper names 110 layers; its 1202-layer network is trained "as above".
    let warmupRate = warmupRate ?? (depth >= 110 ? rate / 10 : 0)
    guard warmupRate > 0 else { return nil }
    return Schedule.Warmup(
      rate: warmupRate, error: warmupError ?? 0.8, limit: warmupLimit ?? max(1, steps / 32))
  }
}
