import ResidualNetworks

/// A choice that cannot be. It names the option as files do; the command line adds its own spelling.
public enum RecipeError: Error, Hashable, CustomStringConvertible {
  /// The model's name stands for no network.
  case network(NetworkNameError)
  /// A number outside its range, which `allowed` tells in words.
  case outOfRange(option: RecipeOptions.CodingKeys, value: String, allowed: String)
  /// A word that is none of the option's choices.
  case unknownChoice(option: RecipeOptions.CodingKeys, value: String, choices: [String])
  /// Both options that say how long to train.
  case epochsAndSteps
  /// A batch that not even all training images fill.
  case batchLargerThanSet(batch: Int, images: Int)
  /// A choice about a part that the network has not.
  case notOfNetwork(option: RecipeOptions.CodingKeys, model: String)
  /// Layers that cannot be frozen.
  case freezing(FreezingError)
  /// Another number of classes than the data have.
  case classes(asked: Int, found: Int)
  /// Layers from a file that cannot be read.
  case layers(reason: String)
  /// A choice about an initial checkpoint, where there is none.
  case needsInitialCheckpoint(option: RecipeOptions.CodingKeys)
  /// So many images set aside that none is left to train on.
  case validationCount(asked: Int, images: Int)
  /// Images to be set aside of data that bring `found` of their own.
  case validationTwice(asked: Int, found: Int)
  /// A choice that the initial checkpoint's network does not follow.
  case contradiction(
    option: RecipeOptions.CodingKeys, value: String, file: String, found: String)

  public var description: String {
    switch self {
    case .network(let error): error.description
    case .outOfRange(let option, let value, let allowed):
      "\(option.rawValue) = \(value) is out of range: \(allowed)"
    case .unknownChoice(let option, let value, let choices):
      "\(option.rawValue) = '\(value)' is not one of \(choices.joined(separator: ", "))"
    case .epochsAndSteps: "epochs and steps both say how long to train; give one of them"
    case .batchLargerThanSet(let batch, let images):
      "a batch of \(batch) is larger than the training set of \(images) images; "
        + "give a smaller batch_size"
    case .notOfNetwork(let option, let model):
      "\(model) has no \(option.part); leave \(option.rawValue) out"
    case .freezing(let error): "freeze: \(error)"
    case .classes(let asked, let found):
      "num_classes = \(asked), but the data have \(found) classes; leave it out, or give \(found)"
    case .layers(let reason): reason
    case .needsInitialCheckpoint(let option):
      "\(option.rawValue) is about a network from a file; name it with initial_checkpoint"
    case .validationCount(let asked, let images):
      "validation = \(asked) leaves nothing of the \(images) training images; set fewer aside"
    case .validationTwice(let asked, let found):
      "validation = \(asked), but the data bring \(found) validation images of their own; leave it out"
    case .contradiction(let option, let value, let file, let found):
      "\(option.rawValue) = \(value) contradicts \(file), whose network has \(found); leave it out"
    }
  }
}

extension RecipeOptions.CodingKeys {
  /// What a network must have for the choice to mean something.
  package var part: String {
    switch self {
    case .shortcut: "shortcuts to choose"
    case .stridePlacement: "bottlenecks"
    case .gateBias: "gates"
    case .inceptionBranch: "Inception modules"
    default: rawValue
    }
  }
}
