import ResidualNetworks

/// A choice that cannot be. Its description names options as files of settings do.
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

  public var description: String { message(equals: " = ") { $0.rawValue } }

  /// What is wrong, and the mend.
  ///
  /// - Parameters:
  ///   - equals: what stands between an option and its value.
  ///   - name: the spelling of an option.
  package func message(equals: String, _ name: (RecipeOptions.CodingKeys) -> String) -> String {
    func setting(_ option: RecipeOptions.CodingKeys, _ value: some Any) -> String {
      "\(name(option))\(equals)\(value)"
    }
    return switch self {
    case .network(let error): error.description
    case .outOfRange(let option, let value, let allowed):
      "\(setting(option, value)) is out of range: \(allowed)"
    case .unknownChoice(let option, let value, let choices):
      "\(setting(option, "'\(value)'")) is not one of \(choices.joined(separator: ", "))"
    case .epochsAndSteps:
      "\(name(.epochs)) and \(name(.steps)) both say how long to train; give one of them"
    case .batchLargerThanSet(let batch, let images):
      "\(setting(.batchSize, batch)) is larger than the training set of \(images) images; "
        + "give at most that"
    case .notOfNetwork(let option, let model):
      "\(model) has no \(option.part); leave \(name(option)) out"
    case .freezing(let error): "\(name(.freeze)): \(error)"
    case .classes(let asked, let found):
      "\(setting(.classes, asked)), but the data have \(found) classes; leave it out, or give \(found)"
    case .layers(let reason): reason
    case .needsInitialCheckpoint(let option):
      "\(name(option)) is about a network from a file; name it with \(name(.initialCheckpoint))"
    case .validationCount(let asked, let images):
      "\(setting(.validation, asked)) leaves nothing of the \(images) training images; "
        + "set fewer aside"
    case .validationTwice(let asked, let found):
      "\(setting(.validation, asked)), but the data bring \(found) validation images of their own; "
        + "leave it out"
    case .contradiction(let option, let value, let file, let found):
      "\(setting(option, value)) contradicts \(file), whose network has \(found); leave it out"
    }
  }
}

extension RecipeOptions.CodingKeys {
  /// What a network must have for the choice to mean something.
  package var part: String {
    switch self {
    case .shortcut: "shortcuts to choose"
    case .shortcutPadding: "zero-padding shortcuts"
    case .stridePlacement: "bottlenecks"
    case .gateBias: "gates"
    case .inceptionBranch: "Inception modules"
    default: rawValue
    }
  }
}
