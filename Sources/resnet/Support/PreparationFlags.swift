import ArgumentParser
import ResidualTraining

/// How images are prepared for a network from elsewhere, which its weights do not say.
struct PreparationFlags: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The mean that a network from elsewhere subtracts from each channel (default: "
        + "torchvision's).",
      valueName: "a,b,c"))
  var mean: String?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The deviation that it divides each channel by (default: torchvision's).",
      valueName: "a,b,c"))
  var std: String?
  @Option(
    help: ArgumentHelp("The order of its channels.", valueName: "RGB|BGR"))
  var channelOrder: String?
  @Option(
    help: ArgumentHelp(
      "Its inputs before the mean is subtracted.", valueName: "0-1|0-255"))
  var inputRange: String?

  func validate() throws { _ = try options() }

  func options() throws -> WeightsOptions {
    var options = WeightsOptions()
    options.mean = try three("--mean", mean) { $0.isFinite }
    options.std = try three("--std", std) { $0.isFinite && $0 > 0 }
    options.channelOrder = try choice("--channel-order", channelOrder?.uppercased())
    options.inputRange = try choice("--input-range", inputRange)
    return options
  }

  private func three(_ flag: String, _ text: String?, _ isAllowed: (Float) -> Bool) throws
    -> [Float]?
  {
    guard let text else { return nil }
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Float($0) }
    let values = numbers.compactMap { $0 }.filter(isAllowed)
    guard numbers.count == 3, values.count == 3 else {
      throw UsageError(
        "\(flag) '\(text)' must be three numbers\(flag == "--std" ? " above 0" : ""), such as 0.485,0.456,0.406"
      )
    }
    return values
  }
}

/// One of the choices that a flag has.
func choice<Choice: RawRepresentable<String> & CaseIterable>(
  _ flag: String, _ text: String?
) throws -> Choice? {
  guard let text else { return nil }
  guard let value = Choice(rawValue: text) else {
    let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
    throw UsageError("\(flag) '\(text)' is not one of \(choices)")
  }
  return value
}
