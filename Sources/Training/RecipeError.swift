import ResidualNetworks

/// Choices that cannot be together, or not with these data.
public enum RecipeError: Refusal, Hashable {
  /// The model's name stands for no network.
  case network(NetworkNameError)
  /// Both options that say how long to train.
  case epochsAndSteps
  /// Both options that say how the rate begins.
  case twoStarts
  /// A milestone that no step reaches.
  case milestoneBehindEnd(Int, steps: Int)
  /// A batch that not even all training images fill.
  case batchLargerThanSet(batch: Int, images: Int)
  /// A choice about a part that the network has not.
  case notOfNetwork(option: OptionName, part: String, model: String)
  /// Layers that cannot be frozen.
  case freezing(FreezingError)
  /// Another number of classes than the data have.
  case classes(asked: Int, found: Int)
  /// Layers from a file that cannot be read.
  case layers(reason: String)
  /// A choice about an initial checkpoint, where there is none.
  case needsInitialCheckpoint(option: OptionName)
  /// So many images set aside that none is left to train on.
  case validationCount(asked: Int, images: Int)
  /// Images to be set aside of data that bring `found` of their own.
  case validationTwice(asked: Int, found: Int)
  /// A choice that the initial checkpoint's network does not follow.
  case contradiction(option: OptionName, value: String, file: String, found: String)

  public var kind: RefusalKind { .usage }
  public var description: String { message.description }
  public var message: Message {
    switch self {
    case .network(let error): "\(error)"
    case .epochsAndSteps:
      "\(OptionName.epochs) and \(OptionName.steps) both say how long to train; give one of them"
    case .twoStarts:
      "\(OptionName.warmupRate) and \(OptionName.warmupSteps) both say how the rate begins; give one of them"
    case .milestoneBehindEnd(let step, let steps):
      "\(OptionName.milestones, step) lies behind the last of \(steps) steps; leave it out, or train longer"
    case .batchLargerThanSet(let batch, let images):
      "\(OptionName.batchSize, batch) is larger than the training set of \(images) images; give at "
        + "most that"
    case .notOfNetwork(let option, let part, let model):
      "\(model) has no \(part); leave \(option) out"
    case .freezing(let error): "\(OptionName.freeze): \(error)"
    case .classes(let asked, let found):
      "\(OptionName.classes, asked), but the data have \(found) classes; leave it out, or give \(found)"
    case .layers(let reason): Message(reason)
    case .needsInitialCheckpoint(let option):
      "\(option) is about a network from a file; name it with \(OptionName.initialCheckpoint)"
    case .validationCount(let asked, let images):
      "\(OptionName.validation, asked) leaves nothing of the \(images) training images; set fewer "
        + "aside"
    case .validationTwice(let asked, let found):
      "\(OptionName.validation, asked), but the data have \(found) validation images of their own; "
        + "leave it out"
    case .contradiction(let option, let value, let file, let found):
      "\(option, value) contradicts \(file), whose network has \(found); leave it out"
    }
  }
}
