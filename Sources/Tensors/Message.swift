/// The name of an option, a setting or a flag: one thing that is spelled in several ways.
public struct OptionName: Hashable, Sendable {
  /// In Swift code, such as `learningRate`.
  public let code: String
  /// In files of settings, such as `lr`; variables of the environment derive theirs from it.
  public let key: String
  /// On the command line, such as `--lr`.
  public let flag: String
  /// In files of earlier versions.
  public let formerKey: String?

  /// - Parameter flag: where it is not `--` and the key with hyphens.
  public init(_ code: String, key: String, flag: String? = nil, formerKey: String? = nil) {
    (self.code, self.key, self.formerKey) = (code, key, formerKey)
    self.flag = flag ?? "--" + String(key.map { $0 == "_" ? "-" : $0 })
  }

  /// In the environment, such as `RESNET_LR`.
  public var variable: String { "RESNET_" + key.uppercased() }
}

/// A text for people that may name options. Whoever shows it chooses how they are spelled.
public struct Message: Hashable, Sendable, CustomStringConvertible {
  /// Who reads the names of options.
  public enum Reader: Hashable, Sendable {
    /// Someone who writes Swift: `learningRate`.
    case program
    /// Someone who writes a file of settings: `lr`.
    case file
    /// Someone who types flags: `--lr`.
    case commandLine
    /// Someone who sets variables of the environment: `RESNET_LR`.
    case environment

    func name(_ option: OptionName) -> String {
      switch self {
      case .program: "`\(option.code)`"
      case .file: option.key
      case .commandLine: option.flag
      case .environment: option.variable
      }
    }
    /// What stands between an option and its value.
    var equals: String {
      switch self {
      case .program, .file: " = "
      case .commandLine: " "
      case .environment: "="
      }
    }
  }

  private enum Part: Hashable, Sendable {
    case text(String)
    case option(OptionName, value: String?)
  }
  /// No text follows another text, so equal messages have equal parts.
  private var parts: [Part] = []

  private mutating func append(_ part: Part) {
    if case (.text(let last)?, .text(let next)) = (parts.last, part) {
      parts[parts.count - 1] = .text(last + next)
    } else {
      parts.append(part)
    }
  }

  /// The text with the names that its reader knows.
  public func text(for reader: Reader) -> String {
    parts.map { part in
      switch part {
      case .text(let text): text
      case .option(let option, nil): reader.name(option)
      case .option(let option, let value?): reader.name(option) + reader.equals + value
      }
    }.joined()
  }

  /// The text for someone who writes Swift.
  public var description: String { text(for: .program) }

  /// One text behind the other.
  public static func + (first: Message, second: Message) -> Message {
    var sum = first
    for part in second.parts { sum.append(part) }
    return sum
  }
}

extension Message: ExpressibleByStringInterpolation {
  /// Takes text, values, options, options with values, and other messages.
  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var message = Message()
    /// Begins an empty message.
    public init(literalCapacity: Int, interpolationCount: Int) {}
    /// Text between the values.
    public mutating func appendLiteral(_ literal: String) { append(.text(literal)) }
    /// An option's name.
    public mutating func appendInterpolation(_ option: OptionName) {
      append(.option(option, value: nil))
    }
    /// An option's name and its value: `--lr 0.1`.
    public mutating func appendInterpolation(_ option: OptionName, _ value: some Any) {
      append(.option(option, value: "\(value)"))
    }
    /// Another message.
    public mutating func appendInterpolation(_ other: Message) { message = message + other }
    /// What an error says.
    public mutating func appendInterpolation(_ refusal: some Refusal) {
      message = message + refusal.message
    }
    /// Any value as text.
    public mutating func appendInterpolation(_ value: some Any) { append(.text("\(value)")) }
    private mutating func append(_ part: Part) { message.append(part) }
  }

  /// The text with its values.
  public init(stringInterpolation: StringInterpolation) { self = stringInterpolation.message }
  /// A text that names no option.
  public init(stringLiteral value: String) { parts = [.text(value)] }
  /// See ``init(stringLiteral:)``.
  public init(_ text: String) { parts = [.text(text)] }
}

extension Sequence<Message> {
  /// All of them, one after another.
  package func joined(_ separator: String) -> Message {
    var result: Message?
    for part in self { result = result.map { $0 + Message(separator) + part } ?? part }
    return result ?? ""
  }
}
