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
  /// - Parameter trainingCount: training images without validation images; `nil` to check only.
  /// - Throws: ``RecipeError``, ``SettingError``.
  public func resolved(trainingCount: Int?) throws -> Recipe {
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
    let own = try trainingDefaults(of: network)
    let batchSize = batchSize ?? min(Schedule.paperBatch, trainingCount ?? Schedule.paperBatch)
    if let trainingCount, batchSize > trainingCount {
      throw RecipeError.batchLargerThanSet(batch: batchSize, images: trainingCount)
    }
    let steps = try resolvedSteps(trainingCount, batchSize: batchSize)
    let rate = learningRate ?? own.learningRate
    let schedule = Schedule(
      steps: steps, rate: rate, milestones: milestones ?? Schedule.milestones(for: steps),
      start: try resolvedStart(steps: steps, rate: rate, startsLow: own.startsLow))
    if let late = milestones?.last, late > steps, epochs == nil || trainingCount != nil {
      throw RecipeError.milestoneBehindEnd(late, steps: steps)
    }
    var options = self
    Self.settings.standardize(&options)
    options.data = data ?? Self.builtInData
    // A network that has no name comes from the initial model again.
    options.model = definition == nil ? network.name : nil
    (options.variant, options.inputSide) = (network.variant, network.inputSide)
    options.initialization = initialization ?? own.initialization
    (options.batchSize, options.learningRate) = (batchSize, rate)
    (options.epochs, options.steps, options.milestones) = (nil, steps, schedule.milestones)
    (options.warmupRate, options.warmupSteps) = (schedule.warmup?.rate ?? 0, schedule.risingSteps)
    (options.warmupError, options.warmupLimit) = (schedule.warmup?.error, schedule.warmup?.limit)
    if freeze?.isEmpty == true { options.freeze = nil }
    return Recipe(options: options, schedule: schedule)
  }

  /// The recipe for a set of data, whose images have the size of the network's if none is chosen.
  ///
  /// - Throws: ``RecipeError``, ``SettingError``, ``DatasetError``; also if the data have too few
  ///   images for what is set aside.
  public func resolved(on data: Dataset) throws -> Recipe {
    try Self.settings.check(self)
    let samples = try data.samples(of: .training)
    let count = samples.count
    let validation = validation?.count(of: count) ?? 0
    if validation > 0, let own = data.parts[.validation] {
      throw RecipeError.validationTwice(asked: validation, found: own.count)
    }
    guard validation == 0 || validation < count else {
      throw RecipeError.validationCount(asked: validation, images: count)
    }
    var options = self
    options.validation = .images(validation)
    // What a classifier began with depends on it.
    if initialCheckpoint != nil { options.classes = classes ?? data.classNames.count }
    if let set = samples as? ImageSet { options.inputSide = options.inputSide ?? set.height }
    if data.source != .builtIn { options.data = self.data ?? data.name }
    return try options.resolved(trainingCount: count - validation)
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

  private func trainingDefaults(of network: Network) throws(RecipeError) -> TrainingDefaults {
    guard definition == nil else { return TrainingDefaults() }
    do { return try TrainingDefaults(ofNetworkNamed: network.name) } catch { throw .network(error) }
  }

  private func resolvedSteps(_ trainingCount: Int?, batchSize: Int) throws -> Int {
    if epochs != nil, steps != nil { throw RecipeError.epochsAndSteps }
    if let steps { return steps }
    let isSmall = trainingCount.map { $0 < Schedule.smallSet } ?? false
    let usual = dataPath == nil ? Self.builtInSteps : Schedule.paperSteps
    guard let epochs = epochs ?? (isSmall ? Double(Schedule.paperEpochs) : nil) else {
      return usual
    }
    let count = epochs * Double(max(1, (trainingCount ?? batchSize) / batchSize))
    guard count <= Double(Self.maximumSteps) else {
      throw SettingError(.epochs, "\(epochs)", .range("at most \(Self.maximumSteps) steps in all"))
    }
    return max(1, Int(count))
  }

  /// How the rate begins. A run that says nothing of it has the paper's start or the built-in set's; one
  /// that says something has only that.
  private func resolvedStart(steps: Int, rate: Float, startsLow: Bool) throws(RecipeError)
    -> Schedule.Start
  {
    let isOpen = warmupRate == nil && warmupSteps == nil
    let isOnBuiltIn = dataPath == nil
    let low =
      warmupRate
      ?? (isOpen && startsLow && !isOnBuiltIn && initialCheckpoint == nil
        ? rate / 10 : 0)
    let rise = warmupSteps ?? (isOpen && isOnBuiltIn ? steps / Self.builtInRise : 0)
    if low > 0, rise > 0 { throw .twoStarts }
    guard low > 0 else { return rise > 0 ? .rising(steps: rise) : .full }
    return .low(
      .init(rate: low, error: warmupError ?? 0.8, limit: warmupLimit ?? max(1, steps / 32)))
  }
}
