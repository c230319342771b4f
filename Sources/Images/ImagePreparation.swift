import Dispatch
import ResidualTensors
import Synchronization

/// How many images of a source were prepared, and what a user should know of them.
package struct PreparationCounts: Hashable, Sendable {
  package var images = 0
  /// Those that had another size.
  package var resized = 0
  /// Those that are stored turned or mirrored.
  package var turned = 0

  package init() {}

  package static func += (sum: inout Self, other: Self) {
    sum.images += other.images
    sum.resized += other.resized
    sum.turned += other.turned
  }

  /// What EXIF says and is not done; `nil` if there is nothing.
  package var turnedRemark: String? {
    guard turned > 0 else { return nil }
    return
      "\(turned.grouped) of \(images.counted("image")) \(turned == 1 ? "has" : "have") an EXIF "
      + "orientation, which is not applied yet; turn \(turned == 1 ? "it" : "them") upright first"
  }
}

extension Preparation.View {
  /// Decodes all images of a source and brings them to the view, on all cores.
  ///
  /// Neither the images nor the error depend on the number of threads: of several failures, the
  /// first in the order of the images is thrown, and decoding after it stops.
  ///
  /// - Parameter side: of the view in pixels.
  /// - Returns: The set, and what was found on the way.
  /// - Throws: ``ImageError``, and what the source throws. No image is left out.
  /// - Complexity: Linear in the bytes of the source.
  package func images(of source: any SampleSource, side: Int) throws -> (
    set: ImageSet, counts: PreparationCounts
  ) {
    var counts = PreparationCounts()
    counts.images = source.count
    if let set = source as? ImageSet, keeps(width: set.width, height: set.height, side: side) {
      return (set, counts)
    }
    let size = side * side * 3
    let count = source.count
    let memory = AlignedBuffer.machineByteCount
    let (byteCount, overflow) = size.multipliedReportingOverflow(by: count)
    guard !overflow, byteCount <= memory else {
      throw ImageError.setTooLarge(location: source.location, images: count, memory: memory)
    }
    // A thread takes this many images at a time and decodes them with one decoder.
    let chunk = 64
    let failure = Mutex<(index: Int, error: any Error)?>(nil)
    let firstFailure = Atomic(Int.max)
    let resized = Atomic(0)
    let turned = Atomic(0)
    let pixels = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initialized in
      // Every index is written by the one thread that takes it.
      nonisolated(unsafe) let target = buffer
      DispatchQueue.concurrentPerform(iterations: (count + chunk - 1) / chunk) { part in
        let decoder = ImageDecoder()
        for index in part * chunk..<min((part + 1) * chunk, count) {
          guard index < firstFailure.load(ordering: .relaxed) else { return }
          do {
            var image = try source.withSample(index) { sample in
              if sample.isTurned { turned.wrappingAdd(1, ordering: .relaxed) }
              return try sample.image(decoder, file: source.name(index))
            }
            if !keeps(width: image.width, height: image.height, side: side) {
              image = self.image(image, side: side)
              resized.wrappingAdd(1, ordering: .relaxed)
            }
            let place = UnsafeMutableBufferPointer(
              rebasing: target[index * size..<(index + 1) * size])
            _ = place.update(fromContentsOf: image.pixels)
          } catch {
            firstFailure.min(index, ordering: .relaxed)
            failure.withLock { if index < $0?.index ?? .max { $0 = (index, error) } }
          }
        }
      }
      initialized = firstFailure.load(ordering: .relaxed) == .max ? byteCount : 0
    }
    if let failure = failure.withLock({ $0 }) { throw failure.error }
    counts.resized = resized.load(ordering: .relaxed)
    counts.turned = turned.load(ordering: .relaxed)
    return (ImageSet(height: side, width: side, checked: pixels, labels: source.labels), counts)
  }
}

extension Preparation.View {
  /// What a user should know of images that were prepared, a line each.
  package func remarks(_ counts: PreparationCounts, side: Int) -> [String] {
    [resizedRemark(counts, side: side), counts.turnedRemark].compactMap(\.self)
  }

  private func resizedRemark(_ counts: PreparationCounts, side: Int) -> String? {
    let resized = counts.resized
    guard resized > 0 else { return nil }
    let change =
      switch self {
      case .squash: "resized to \(side)×\(side)"
      case .centerCrop(let shorter):
        "resized to \(shorter) at the shorter side and cropped to \(side)×\(side)"
      }
    return
      "\(resized.grouped) of \(counts.images.grouped) images \(resized == 1 ? "was" : "were") \(change)"
  }
}
