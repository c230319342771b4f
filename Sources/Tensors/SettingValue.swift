/// A value as files, flags and the environment write it.
public enum SettingText: Hashable, Sendable {
  /// A number or a word, which stands as it is.
  case word(String)
  /// Any text, which a file may have to quote.
  case text(String)
  /// Several, in order.
  case list([SettingText])

  /// The text of a single value; `nil` for a list.
  public var single: String? {
    switch self {
    case .word(let text), .text(let text): text
    case .list: nil
    }
  }

  /// For messages: `0.1`, `[390, 585]`.
  public var plain: String {
    switch self {
    case .word(let text), .text(let text): text
    case .list(let parts): "[" + parts.map(\.plain).joined(separator: ", ") + "]"
    }
  }
}

/// What a setting can hold: it is written as text, and read again from what people write.
public protocol SettingValue: Hashable, Sendable {
  /// What such a value is called: `a whole number`.
  static var kind: String { get }
  /// The words that there are, where there is a list of them.
  static var choices: [String]? { get }
  init?(_ text: SettingText)
  var text: SettingText { get }
}

extension SettingValue {
  public static var choices: [String]? { nil }
}

/// Numbers and the like: what Swift itself reads and writes.
extension SettingValue where Self: LosslessStringConvertible {
  public init?(_ text: SettingText) {
    guard let value = text.single.flatMap(Self.init) else { return nil }
    self = value
  }
  public var text: SettingText { .word(description) }
}

extension Int: SettingValue { public static var kind: String { "a whole number" } }
extension UInt64: SettingValue { public static var kind: String { "a whole number, 0 or more" } }
extension Float: SettingValue { public static var kind: String { "a number" } }
extension Double: SettingValue { public static var kind: String { "a number" } }

extension String: SettingValue {
  public static var kind: String { "text" }
  public init?(_ text: SettingText) {
    guard let value = text.single else { return nil }
    self = value
  }
  public var text: SettingText { .text(self) }
}

extension Bool: SettingValue {
  public static var kind: String { "true or false" }
  public init?(_ text: SettingText) {
    switch text.single?.lowercased() {
    case "true", "yes", "on": self = true
    case "false", "no", "off": self = false
    default: return nil
    }
  }
}

/// Words of a closed set, in any case.
extension SettingValue where Self: RawRepresentable<String> & CaseIterable {
  public static var kind: String { "one of " + allCases.map(\.rawValue).joined(separator: ", ") }
  public static var choices: [String]? { allCases.map(\.rawValue) }
  public init?(_ text: SettingText) {
    let word = text.single?.lowercased()
    guard let value = Self.allCases.first(where: { $0.rawValue.lowercased() == word }) else {
      return nil
    }
    self = value
  }
  public var text: SettingText { .word(rawValue) }
}

/// A list, or one text with commas, perhaps in brackets.
extension Array: SettingValue where Element: SettingValue {
  public static var kind: String { "a list, each part \(Element.kind)" }
  public init?(_ text: SettingText) {
    let parts: [SettingText]
    switch text {
    case .list(let list): parts = list
    case .word(let one), .text(let one):
      let isBracketed = one.hasPrefix("[") && one.hasSuffix("]")
      let inside = isBracketed ? one.dropFirst().dropLast() : one[...]
      parts = inside.split(separator: ",", omittingEmptySubsequences: false).map {
        .word(String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()))
      }
    }
    let values = parts.compactMap(Element.init)
    guard values.count == parts.count else { return nil }
    self = values
  }
  public var text: SettingText { .list(map(\.text)) }
}
