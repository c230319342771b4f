/// One setting of a value `Root`: the only place that says what it is called, what it may hold, what
/// happens without it, and where it is kept.
///
/// Files, flags, the environment, checks, comparisons and the guide's table follow from lists of these.
public struct Setting<Root>: Sendable {
  /// How it is spelled.
  public let option: OptionName
  /// What it holds, in words: `a number`.
  public let kind: String
  /// What stands for its value in help: `n`.
  public let placeholder: String
  /// The words that it may be, where there is a list of them.
  public let choices: [String]?
  /// What a value must be, in words; empty where every one of the kind may stand.
  public let allowed: String
  /// What counts where it is not given, in words; empty where nothing does.
  public let standard: String
  /// What it means, in one sentence.
  public let help: String
  /// The value, `nil` if it is not given.
  public let text: @Sendable (Root) -> SettingText?
  let standardize: @Sendable (inout Root) -> Void
  let write: @Sendable (inout Root, SettingText) throws(SettingError) -> Void
  let copy: @Sendable (inout Root, Root) -> Void
  let check: @Sendable (Root) throws(SettingError) -> Void

  /// - Parameters:
  ///   - path: where the value is kept; `nil` there stands for a setting that is not given.
  ///   - placeholder: by default the choices that there are, or the kind.
  ///   - value: what counts where it is not given, if it is one value.
  ///   - standard: the same in words.
  public init<Value: SettingValue>(
    _ option: OptionName, _ path: WritableKeyPath<Root, Value?> & Sendable,
    _ allowed: SettingRange<Value> = .any, placeholder: String? = nil,
    default value: Value? = nil, otherwise standard: String = "", help: String
  ) {
    self.option = option
    kind = Value.kind
    choices = Value.choices
    self.placeholder = placeholder ?? choices?.joined(separator: "|") ?? "x"
    self.allowed = allowed.words
    self.standard = value?.text.plain ?? standard
    self.help = help
    @Sendable func check(_ value: Value) throws(SettingError) {
      guard !allowed.contains(value) else { return }
      throw SettingError(option, value.text.plain, .range(allowed.words))
    }
    text = { $0[keyPath: path]?.text }
    write = { root, text throws(SettingError) in
      guard let value = Value(text) else {
        throw SettingError(
          option, text.plain, Value.choices.map(SettingError.Reason.choices) ?? .kind(Value.kind))
      }
      try check(value)
      root[keyPath: path] = value
    }
    copy = { $0[keyPath: path] = $1[keyPath: path] }
    standardize = { $0[keyPath: path] = $0[keyPath: path] ?? value }
    self.check = { root throws(SettingError) in
      if let value = root[keyPath: path] { try check(value) }
    }
  }

  /// The same setting of a value that this one's root is a part of.
  public func within<Outer>(_ path: WritableKeyPath<Outer, Root> & Sendable) -> Setting<Outer> {
    Setting<Outer>(self, path)
  }

  private init<Inner>(_ inner: Setting<Inner>, _ path: WritableKeyPath<Root, Inner> & Sendable) {
    (option, kind, placeholder) = (inner.option, inner.kind, inner.placeholder)
    choices = inner.choices
    (allowed, standard, help) = (inner.allowed, inner.standard, inner.help)
    text = { inner.text($0[keyPath: path]) }
    write = { root, text throws(SettingError) in try inner.write(&root[keyPath: path], text) }
    copy = { inner.copy(&$0[keyPath: path], $1[keyPath: path]) }
    standardize = { inner.standardize(&$0[keyPath: path]) }
    check = { root throws(SettingError) in try inner.check(root[keyPath: path]) }
  }

  /// Reads a value from what a person wrote.
  ///
  /// - Throws: ``SettingError`` if it is of another kind or out of range; the root stays as it was.
  public func set(_ text: SettingText, in root: inout Root) throws(SettingError) {
    try write(&root, text)
  }

  /// Whether the setting is given.
  public func isGiven(in root: Root) -> Bool { text(root) != nil }
}

extension Sequence {
  /// Checks every setting that is given.
  ///
  /// - Throws: ``SettingError``.
  public func check<Root>(_ root: Root) throws(SettingError) where Element == Setting<Root> {
    for setting in self { try setting.check(root) }
  }

  /// Fills what a value leaves open, where one value counts for it.
  public func standardize<Root>(_ root: inout Root) where Element == Setting<Root> {
    for setting in self { setting.standardize(&root) }
  }

  /// A value with the settings that it leaves open filled from another one.
  public func filling<Root>(_ root: Root, from other: Root) -> Root where Element == Setting<Root> {
    var filled = root
    for setting in self where !setting.isGiven(in: root) { setting.copy(&filled, other) }
    return filled
  }

  /// The settings in which two values differ.
  public func differences<Root>(_ first: Root, _ second: Root) -> [Setting<Root>]
  where Element == Setting<Root> {
    filter { $0.text(first) != $0.text(second) }
  }
}

/// The values that a setting may have.
public struct SettingRange<Value>: Sendable {
  /// In words, such as `above 0`.
  public let words: String
  let contains: @Sendable (Value) -> Bool

  /// - Parameter words: completes «out of range: …».
  public init(_ words: String, _ contains: @escaping @Sendable (Value) -> Bool) {
    (self.words, self.contains) = (words, contains)
  }
  /// Every value.
  public static var any: Self { Self("") { _ in true } }
}

extension SettingRange where Value: BinaryFloatingPoint & Sendable {
  /// Finite numbers above 0.
  public static var positive: Self { Self("above 0") { $0 > 0 && $0.isFinite } }
  /// Finite numbers from 0 on.
  public static var nonnegative: Self { Self("0 or more") { $0 >= 0 && $0.isFinite } }
  /// From 0 to 1, without 1.
  public static var share: Self { Self("0 or more, below 1") { $0 >= 0 && $0 < 1 } }
  /// All but infinities and NaN.
  public static var finite: Self { Self("any finite number") { $0.isFinite } }
}

extension SettingRange<Int> {
  /// Whole numbers of a range.
  public static func range(_ range: ClosedRange<Int>) -> Self {
    Self(
      range.upperBound == .max
        ? "at least \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
    ) { range.contains($0) }
  }
}

/// A value that a setting cannot have.
public struct SettingError: Refusal, Hashable {
  /// The setting.
  public let option: OptionName
  /// What was given.
  public let value: String
  /// What is wrong with it.
  public let reason: Reason

  /// What can be wrong with a value.
  public enum Reason: Hashable, Sendable {
    /// It is not of this kind: `a number`.
    case kind(String)
    /// It is none of these words.
    case choices([String])
    /// It lies outside of this range: `above 0`.
    case range(String)
  }

  /// An error about a value.
  public init(_ option: OptionName, _ value: String, _ reason: Reason) {
    (self.option, self.value, self.reason) = (option, String(value.prefix(80)), reason)
  }

  public var kind: RefusalKind { .usage }
  public var description: String { message.description }
  public var message: Message {
    switch reason {
    case .kind(let kind): "\(option, "'\(value)'") is not \(kind)"
    case .choices(let words):
      "\(option, "'\(value)'") is not one of \(words.joined(separator: ", "))"
    case .range(let allowed): "\(option, value) is out of range: \(allowed)"
    }
  }
}
