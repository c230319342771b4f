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
    let network = try network(classes: nil)
    if let unused = self.network.variant.firstUnused(by: network.variant) {
      throw RecipeError.notOfNetwork(
        option: unused.option, part: unused.part, model: network.name)
    }
    if initialCheckpoint == nil {
      for setting in WeightsOptions.preparationSettings where setting.isGiven(in: self.network) {
        throw RecipeError.needsInitialCheckpoint(option: setting.option)
      }
    }
    var options = self
    Self.settings.standardize(&options)
    let batchSize = options[made: \.batchSize]
    if let trainingCount, batchSize > trainingCount {
      throw RecipeError.batchLargerThanSet(batch: batchSize, images: trainingCount)
    }
    let steps = try resolvedSteps(stepsPerEpoch: max(1, (trainingCount ?? batchSize) / batchSize))
    let schedule = Schedule(
      steps: steps, rate: options[made: \.learningRate],
      milestones: milestones ?? Schedule.milestones(for: steps),
      warmup: options.resolvedWarmup(depth: depth ?? network.depth, steps: steps))
    options.data = data ?? Self.builtInData
    // A network that has no name comes from the initial model again.
    options.model = definition == nil ? network.name : nil
    (options.variant, options.inputSide) = (network.variant, network.inputSide)
    (options.epochs, options.steps, options.milestones) = (nil, steps, schedule.milestones)
    options.warmupRate = schedule.warmup?.rate ?? 0
    (options.warmupError, options.warmupLimit) = (schedule.warmup?.error, schedule.warmup?.limit)
    if freeze?.isEmpty == true { options.freeze = nil }
    return Recipe(options: options, schedule: schedule)
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

  /// A choice that has a default, where none is open any more.
  subscript<Value>(made path: KeyPath<Self, Value?>) -> Value {
    guard let value = self[keyPath: path] else { preconditionFailure("\(path) is open") }
    return value
  }

  /// The network that the choices stand for, by name or by layers; the default one where none does.
  ///
  /// - Throws: ``RecipeError``.
  func network(classes: Int?) throws(RecipeError) -> Network {
    if let definition {
      do { return try Network(definition: definition, classes: classes) } catch {
        throw .layers(reason: error.description)
      }
    }
    do {
      return try NetworkCatalog.network(
        named: network.model ?? Self.defaultModel, variant: network.variant,
        inputSide: network.inputSide, classes: classes)
    } catch { throw .network(error) }
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

  private func resolvedWarmup(depth: Int, steps: Int) -> Schedule.Warmup? {
    // The paper names 110 layers; its 1202-layer network is trained "as above".
    let rate = warmupRate ?? (depth >= 110 ? self[made: \.learningRate] / 10 : 0)
    guard rate > 0 else { return nil }
    return Schedule.Warmup(
      rate: rate, error: self[made: \.warmupError], limit: warmupLimit ?? max(1, steps / 32))
  }
}
