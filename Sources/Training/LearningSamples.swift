import ResidualNetworks

/// The samples that a run learns from and is measured on, prepared for its network.
struct LearningSamples {
  let preparation: Preparation
  let training: any BatchFeed
  /// Set aside, or brought along by the data.
  let validation: (any BatchFeed)?
  let test: (any BatchFeed)?
  /// Whether the processor brings the images to each step.
  let usesHostImages: Bool
  /// What a user should know, a line each.
  let remarks: [String]

  /// Decodes the images of all parts.
  ///
  /// - Parameter preparation: of the initial model; `nil` for squashed images less the mean of the
  ///   training part.
  /// - Throws: ``DatasetError``, ``ImageError``, ``SampleError``, ``RecipeError``.
  init(
    of data: Dataset, for network: Network, by recipe: Recipe, _ preparation: Preparation?,
    on device: some Device
  ) throws {
    var parts = data.parts
    if recipe.validationCount > 0 {
      let split = try data.samples(of: .training).split(
        validation: recipe.validationCount, seed: recipe.seed)
      (parts[.training], parts[.validation]) = (split.training, split.validation)
    }
    let view = preparation?.view ?? .squash
    let side = network.inputSide
    var counts = PreparationCounts()
    var sets: [Dataset.Part: ImageSet] = [:]
    for part in Dataset.Part.allCases {
      guard let samples = parts[part] else { continue }
      let prepared = try view.images(of: samples, side: side)
      counts += prepared.counts
      try network.check(prepared.set)
      sets[part] = prepared.set
    }
    guard let training = sets[.training] else {
      throw DatasetError.noPart(.training, location: data.location)
    }
    guard recipe.batchSize <= training.count else {
      throw RecipeError.batchLargerThanSet(batch: recipe.batchSize, images: training.count)
    }
    let normalization =
      preparation?.normalization ?? .perPixelMean(PixelMean(of: training).values)
    self.preparation = try Preparation(view, side: side, normalization)
    let liesOnDevice = DeviceFeed.holds(Array(sets.values), on: device)
    func feed(_ set: ImageSet) -> any BatchFeed {
      liesOnDevice ? DeviceFeed(set, normalization) : ResidentFeed(set, normalization)
    }
    self.training = feed(training)
    validation = sets[.validation].map(feed)
    test = sets[.test].map(feed)
    usesHostImages = !liesOnDevice
    let leftOut = training.count % recipe.batchSize
    remarks =
      view.remarks(counts, side: side)
      + [
        leftOut == 0
          ? nil
          : "each epoch leaves out \(leftOut.grouped) of \(training.count.grouped) images, others each time, because "
            + "batches are whole",
        network.isForPhotographs
          ? "the recipe is the paper's for CIFAR-10, not that for ImageNet: images are padded and cropped "
            + "by 4 pixels, and nothing else is varied" : nil,
      ].compactMap(\.self) + data.remarks
  }
}
