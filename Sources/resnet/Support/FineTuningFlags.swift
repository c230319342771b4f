import ArgumentParser
import ResidualTraining

/// How training goes on from a model that there is.
struct FineTuningFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Begin with the network and parameters of this file, a model of this program or weights from "
        + "elsewhere. A classifier of another number of classes begins anew.",
      valueName: "file"))
  var initialCheckpoint: String?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The number of classes, which must be that of the data (default: theirs).", valueName: "n"))
  var numClasses: Int?
  @Option(
    help: ArgumentHelp(
      "Leave parameters as they are: paths or their beginnings, such as conv1,bn1,layer1 or "
        + "layer2.*.bn1, or \(Network.allButHead). Frozen batch normalisation uses its running "
        + "statistics.",
      valueName: "a,b,…"))
  var freeze: String?
  @OptionGroup var preparation: PreparationFlags

  func fill(_ options: inout RecipeOptions) throws {
    options.initialCheckpoint = initialCheckpoint
    options.classes = numClasses
    options.freeze = freeze?.split(separator: ",", omittingEmptySubsequences: false).map {
      String($0)
    }
    let preparation = try preparation.options()
    options.mean = preparation.mean
    options.std = preparation.std
    options.channelOrder = preparation.channelOrder?.rawValue
    options.inputRange = preparation.inputRange?.rawValue
  }
}
