import ArgumentParser
import Foundation
import ResidualTraining

/// What is printed.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print one machine-readable document on standard output.")
  var json = false
  @Flag(help: "Print no progress and no remarks.")
  var quiet = false

  var terminal: Terminal { .standardError(isQuiet: quiet) }
}

/// How a network is varied.
struct NetworkOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Shortcut option of the paper: A (zero padding; the default for CIFAR-10), B (projections "
        + "where the shape changes; the default for ImageNet) or C (projections everywhere).",
      valueName: "A|B|C"))
  var shortcut: String?
  @Option(help: ArgumentHelp("Where option A's zero channels stand.", valueName: "end|both"))
  var shortcutPadding: String?
  @Option(
    name: .customLong("stride-on"),
    help: ArgumentHelp(
      "Which convolution of a bottleneck has the stride: 1x1 (the paper) or 3x3 (torchvision, the "
        + "default).", valueName: "1x1|3x3"))
  var stridePlacement: String?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What the biases of a Highway network's gates begin with (default: -2).", valueName: "x"))
  var gateBias: Float?
  @Option(
    help: ArgumentHelp(
      "What GoogLeNet's third branch ends with: 5x5 (the paper, the default) or 3x3 (torchvision).",
      valueName: "5x5|3x3"))
  var inceptionBranch: String?
  @Option(
    name: [.customLong("img-size"), .customLong("image-size")], parsing: .unconditional,
    help: ArgumentHelp(
      "The side of the images in pixels (default: 224 for ImageNet's networks, else 32).",
      valueName: "n"))
  var imageSize: Int?

  func set(in options: inout RecipeOptions) {
    options.shortcut = shortcut
    options.shortcutPadding = shortcutPadding
    options.stridePlacement = stridePlacement
    options.gateBias = gateBias
    options.inceptionBranch = inceptionBranch
    options.imageSize = imageSize
  }

  /// The network, for commands that need no recipe.
  func network(named name: String) throws -> Network {
    var options = RecipeOptions()
    options.model = name
    set(in: &options)
    // Any number of steps and images: only the network is of interest.
    return try options.resolved(trainingCount: nil).network(classes: nil)
  }

  /// The network of a file of weights, with what the file leaves open.
  func network(at path: String) throws -> Network {
    for (flag, isGiven) in [
      ("--shortcut", shortcut != nil), ("--gate-bias", gateBias != nil),
      ("--inception-branch", inceptionBranch != nil),
    ] where isGiven {
      throw UsageError("\(path): the file says what its layers are; leave \(flag) out")
    }
    var options = WeightsOptions()
    options.shortcutPadding = try choice("--shortcut-padding", shortcutPadding)
    options.stridePlacement = try choice("--stride-on", stridePlacement)
    options.inputSide = imageSize
    return try OpenedModel(at: path, options).model.network
  }
}

/// Prints a document for machines.
enum JSONDocument {
  static func print(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    encoder.keyEncodingStrategy = .convertToSnakeCase
    Swift.print(String(decoding: try encoder.encode(value), as: UTF8.self))
  }
}
