import Dispatch
import ResidualTensors

/// The built-in data set: 32×32 colour pictures of ten everyday things, drawn from a seed.
///
/// Every picture shows one thing of its class, varied in proportions, pose and colour, on a
/// patterned background among unrelated shapes, partly hidden, under uneven light and with noise.
/// A picture is a pure function of (seed, split, index). It is drawn with 64-bit integers and the
/// operations + − × ÷ √ min max |·| of float32, never fused or reordered, so its bytes are the same
/// on every machine, in any order and on any number of threads.
///
/// The classes take turns: the label of picture `index` is `index` mod 10.
public enum TenThings {
  /// The classes' names by label.
  public static let classNames = Thing.allCases.map { "\($0)" }
  /// The length of a picture's edge in pixels.
  public static let side = 32
  /// The number of pictures in the training split.
  public static let trainingCount = 20_000
  /// The number of pictures in the test split.
  public static let testCount = 4_000

  /// The part of the set that a picture belongs to; no picture is shared.
  public enum Split: Int, CaseIterable, Sendable {
    case training = 0
    case test = 1
  }

  /// The class of a picture, as a position in `classNames`.
  public static func label(of index: Int) -> Int {
    precondition(index >= 0, "picture \(index) has a negative index")
    return index % Thing.count
  }

  /// Bytes of one picture: `side` × `side` pixels of red, green and blue.
  static let pictureBytes = side * side * 3

  /// Draws the pictures `indices` on the calling thread.
  ///
  /// - Parameters:
  ///   - seed: Picks one of 2⁶⁴ versions of the data set.
  ///   - indices: The pictures to draw; any that are not negative, also beyond the split's count.
  ///   - pixels: Room for `indices.count` × 3,072 bytes: picture, row, column, channel (RGB).
  /// - Complexity: About 20 µs a picture.
  public static func draw(
    seed: UInt64, split: Split, indices: Range<Int>, into pixels: UnsafeMutableBufferPointer<UInt8>
  ) {
    precondition(indices.lowerBound >= 0, "picture \(indices.lowerBound) has a negative index")
    precondition(
      pixels.count == indices.count * pictureBytes,
      "\(indices.count) pictures need \(indices.count * pictureBytes) bytes, not \(pixels.count)")
    guard let start = pixels.baseAddress else { return }
    let splitKey = RandomKey(seed: seed).derived(split.rawValue)
    Canvas.withCanvas { canvas in
      for (position, index) in indices.enumerated() {
        let scene = Scene(thing: Thing(label: label(of: index)), key: splitKey.derived(index))
        scene.draw(on: &canvas, into: start + position * pictureBytes)
      }
    }
  }

  /// The first `count` pictures of a split, drawn on all cores.
  ///
  /// - Returns: `count` × 3,072 bytes: picture, row, column, channel (RGB).
  /// - Complexity: About 20 µs a picture and core.
  public static func images(seed: UInt64, split: Split, count: Int) -> [UInt8] {
    precondition(count >= 0, "\(count) pictures cannot be drawn")
    return [UInt8](unsafeUninitializedCapacity: count * pictureBytes) { buffer, initialized in
      // Every chunk writes its own bytes, so they may be drawn at once.
      nonisolated(unsafe) let pixels = buffer
      let chunk = 64
      DispatchQueue.concurrentPerform(iterations: (count + chunk - 1) / chunk) { part in
        let indices = part * chunk..<min(count, (part + 1) * chunk)
        let bytes = indices.lowerBound * pictureBytes..<indices.upperBound * pictureBytes
        draw(
          seed: seed, split: split, indices: indices,
          into: UnsafeMutableBufferPointer(rebasing: pixels[bytes]))
      }
      initialized = count * pictureBytes
    }
  }
}
