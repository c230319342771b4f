/// A place in a file that moves forward, for parsers of textual headers. It never leaves its end.
struct ByteCursor {
  let file: FileBytes
  private(set) var offset: Int
  let end: Int

  /// - Precondition: the range lies within the file.
  init(_ file: FileBytes, _ range: Range<Int>) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= file.count,
      "bytes \(range) of \(file.count) in \(file.name)")
    self.file = file
    offset = range.lowerBound
    end = range.upperBound
  }

  /// The byte here, `nil` at the end.
  var peek: UInt8? { offset < end ? file[offset] : nil }

  /// Takes the byte here, `nil` at the end.
  mutating func next() -> UInt8? {
    guard let byte = peek else { return nil }
    offset += 1
    return byte
  }

  /// Takes the byte here if it is the given one.
  mutating func take(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    offset += 1
    return true
  }

  /// Takes bytes for as long as the condition holds, and returns their range.
  @discardableResult
  mutating func take(while condition: (UInt8) -> Bool) -> Range<Int> {
    let start = offset
    while let byte = peek, condition(byte) { offset += 1 }
    return start..<offset
  }

  /// Takes a decimal number without sign or leading zeros; `nil` if it exceeds `Int`.
  ///
  /// - Returns: an empty range if there is no such number here; then nothing is taken.
  mutating func takeNumber() -> (value: Int?, range: Range<Int>) {
    let start = offset
    var value: Int? = 0
    while let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
      // A number that starts with zero is zero.
      if offset == start + 1 && value == 0 { break }
      offset += 1
      value = value?.appending(digit: byte - UInt8(ascii: "0"), radix: 10)
    }
    return (value, start..<offset)
  }
}

extension Int {
  /// The number with one more digit after it, `nil` if it exceeds `Int`.
  func appending(digit: UInt8, radix: Int) -> Int? {
    let (shifted, shiftOverflow) = multipliedReportingOverflow(by: radix)
    let (sum, sumOverflow) = shifted.addingReportingOverflow(Int(digit))
    return shiftOverflow || sumOverflow ? nil : sum
  }
}
