/// Numbers as text, the same in every locale.
package enum NumberFormat {
  /// A number with a fixed count of decimals, such as `-0.125` with two: `-0.13`.
  ///
  /// Halves are rounded away from zero, after scaling in binary: a number whose decimal expansion
  /// is not exact can round either way. A result of zero has no sign. From 2⁵³ scaled units on,
  /// the shortest exact text is given; numbers that are not finite are `nan`, `inf` and `-inf`.
  ///
  /// - Precondition: `decimals` lies in 0…15.
  package static func fixed(_ value: Double, decimals: Int) -> String {
    precondition((0...15).contains(decimals), "\(decimals) decimals are not in 0…15")
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    let scaled = (value.magnitude * power(10, decimals)).rounded(.toNearestOrAwayFromZero)
    guard scaled < 0x1p53 else { return value.description }
    var digits = String(Int(scaled))
    let sign = scaled > 0 && value < 0 ? "-" : ""
    guard decimals > 0 else { return sign + digits }
    digits = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    return sign + digits.dropLast(decimals) + "." + digits.suffix(decimals)
  }

  /// The same without zeros at its end.
  static func shortest(_ value: Double, decimals: Int) -> String {
    var text = fixed(value, decimals: decimals)
    guard text.contains(".") else { return text }
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text
  }

  /// A whole number with a comma before every three digits, such as `25,557,032`.
  package static func grouped(_ value: Int) -> String {
    let digits = Array(String(value.magnitude))
    var text = value < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// A share as a percentage, such as 0.9231 with two decimals: `92.31 %`.
  package static func percentage(_ share: Double, decimals: Int) -> String {
    fixed(share * 100, decimals: decimals) + " %"
  }

  /// `base` to a whole power; exact for base 10 up to 10²².
  static func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0
    for _ in 0..<exponent.magnitude { result *= base }
    return exponent < 0 ? 1 / result : result
  }
}
