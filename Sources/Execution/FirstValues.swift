import Dispatch

/// What a new slot holds.
struct FirstValues: Sendable {
  private let value: StateSlot.InitialValue
  private let key: RandomKey
  /// Numbers that a thread makes at a time: even, since normal ones come in pairs.
  private static let part = 4096

  /// - Parameter key: the slot's own.
  init(_ value: StateSlot.InitialValue, under key: RandomKey) {
    (self.value, self.key) = (value, key)
  }

  /// Fills a slot's memory; the threads take turns with its parts.
  func fill(_ buffer: NumberBuffer, threads: Int) {
    let parts = (buffer.count + Self.part - 1) / Self.part
    let threads = min(threads, parts)
    // Every part is written by the one thread that takes it.
    nonisolated(unsafe) let target = buffer
    DispatchQueue.concurrentPerform(iterations: threads) { first in
      for part in stride(from: first, to: parts, by: threads) {
        let start = part * Self.part
        target.write(numbers(start..<min(start + Self.part, target.count)), from: start)
      }
    }
  }

  /// Some of the numbers; each is a function of its place.
  private func numbers(_ places: Range<Int>) -> [Float] {
    switch value {
    case .constant(let value): return [Float](repeating: value, count: places.count)
    case .normal(let deviation):
      var source = NormalSource(key, from: places.lowerBound)
      return places.map { _ in Float(deviation * source.next()) }
    }
  }
}
