import CMallocCounter
import Foundation

/// What this thread asks the C library for, in bytes: work that can be counted, which a clock on a
/// busy machine cannot. Copies of arrays and texts show in it, whether they are kept or not.
package enum Allocation {
  /// Whether anything is counted: with glibc, and without a sanitizer. Otherwise all counts are zero.
  package static var isCounted: Bool { isCountingMalloc() }

  /// The bytes that are allocated until `body` returns, those that it has freed by then included.
  package static func bytes(_ body: () throws -> Void) rethrows -> Int {
    let before = bytesAllocatedByThread()
    try body()
    return Int(bytesAllocatedByThread() - before)
  }

  /// How many times as many bytes twice the work takes: two where work grows with the size, four
  /// where each step copies what the ones before have left. The count of a size is the same each
  /// time, but for memory that is made once, which the first call pays.
  package static func growth(of size: Int, _ body: (Int) throws -> Void) rethrows -> Double {
    try body(size)
    let once = try bytes { try body(size) }
    let twice = try bytes { try body(2 * size) }
    return Double(twice) / Double(max(once, 1))
  }
}

/// Waits until something has happened, for as long as a busy machine takes to let it happen.
///
/// - Returns: `false` where it has not after ten minutes, so that a test fails and does not hang.
package func waits(for event: () throws -> Bool) rethrows -> Bool {
  let end = ContinuousClock.now + .seconds(600)
  while try !event() {
    if ContinuousClock.now > end { return false }
    usleep(1000)
  }
  return true
}
