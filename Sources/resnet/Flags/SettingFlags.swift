import ArgumentParser
import ResidualRuns

/// A setting's flag: `@Option(.setting(.learningRate)) …` is spelled out once, and its name, help and
/// default come from the setting's table.
extension Option where Value == GivenSetting? {
  /// - Parameter names: further ones.
  init(_ option: OptionName, also names: NameSpecification.Element...) {
    self.init(
      name: .setting(option, names), parsing: .unconditional, help: .setting(option),
      completion: .setting(option)
    ) { GivenSetting(option: option, text: .word($0)) }
  }
}

extension NameSpecification {
  static func setting(_ option: OptionName, _ names: [Element] = []) -> NameSpecification {
    NameSpecification(names + [.customLong(String(option.flag.dropFirst(2)))])
  }
}

extension ArgumentHelp {
  /// What the setting means, and its default.
  static func setting(_ option: OptionName) -> ArgumentHelp {
    let setting = RecipeOptions.setting(option)
    let standard = setting.standard.isEmpty ? "" : " (default: \(setting.standard))"
    return ArgumentHelp("\(setting.help)\(standard)", valueName: setting.placeholder)
  }
}

extension CompletionKind {
  /// Files that hold a network.
  static let model = file(extensions: ["safetensors", "pth", "pt", "th", "bin", "onnx"])
  /// The names of networks.
  static let network = list(NetworkCatalog.names)

  /// What a shell offers for the setting.
  static func setting(_ option: OptionName) -> CompletionKind? {
    switch option {
    case .model: .network
    case .data: .file()
    case .initialCheckpoint: .model
    default: RecipeOptions.setting(option).choices.map { list($0) }
    }
  }
}

extension RecipeOptions {
  fileprivate static func setting(_ option: OptionName) -> Setting<RecipeOptions> {
    guard let setting = settings.first(where: { $0.option == option }) else {
      preconditionFailure("there is no setting \(option.key)")
    }
    return setting
  }
}

/// What a flag says of a setting.
struct GivenSetting {
  let option: OptionName, text: SettingText
}

extension Collection {
  /// Reads what flags say.
  ///
  /// - Throws: ``UsageError``.
  func read<Root>(_ given: [GivenSetting?], into root: inout Root) throws
  where Element == Setting<Root> {
    for given in given.compactMap(\.self) {
      guard let setting = first(where: { $0.option == given.option }) else {
        preconditionFailure("there is no setting \(given.option.key)")
      }
      do { try setting.set(given.text, in: &root) } catch {
        throw UsageError(error.message.text(for: .commandLine))
      }
    }
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
