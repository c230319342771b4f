import ResidualDatasets

/// How many images of a set: a number, or a share such as `10%`.
public enum ImageCount: SettingValue, ExpressibleByIntegerLiteral {
  /// So many.
  case images(Int)
  /// Per cent of the set, rounded to whole images.
  case percent(Double)

  public static var kind: String { "a number of images, or a share such as 10%" }
  public init(integerLiteral value: Int) { self = .images(value) }
  public init?(_ text: SettingText) {
    guard let word = text.single else { return nil }
    if word.hasSuffix("%") {
      guard let share = Double(word.dropLast()) else { return nil }
      self = .percent(share)
    } else {
      guard let count = Int(word) else { return nil }
      self = .images(count)
    }
  }
  public var text: SettingText {
    switch self {
    case .images(let count): .word(String(count))
    case .percent(let share): .text((Int(exactly: share).map { "\($0)" } ?? "\(share)") + "%")
    }
  }
  var isPossible: Bool {
    switch self {
    case .images(let count): count >= 0
    case .percent(let share): share >= 0 && share < 100
    }
  }
  /// The number of images of a set.
  func count(of images: Int) -> Int {
    switch self {
    case .images(let count): count
    case .percent(let share): Int((share / 100 * Double(images)).rounded())
    }
  }
}
