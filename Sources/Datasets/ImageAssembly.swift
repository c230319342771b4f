import Dispatch
import ResidualImages
import ResidualTensors
import Synchronization

/// Fills an ``ImageSet`` on all cores.
enum ImageAssembly {
  /// A thread takes this many images at a time and decodes them with one decoder.
  private static let chunk = 64

  /// Decodes `labels.count` images and brings them to `side` × `side` pixels.
  ///
  /// Neither the images nor the error depend on the number of threads: of several failures, the
  /// first in the order of the images is thrown, and decoding behind it stops.
  ///
  /// - Parameters:
  ///   - location: What an error calls the whole.
  ///   - decode: Makes the image of an index; called on many threads, with a decoder for each.
  /// - Returns: The set, and how many images had another size.
  static func assemble(
    labels: [Int32], side: Int, location: String,
    decode: @Sendable (Int, ImageDecoder) throws(DatasetError) -> Image
  ) throws(DatasetError) -> (set: ImageSet, resized: Int) {
    let size = side * side * 3
    let count = labels.count
    let memory = AlignedBuffer.machineByteCount
    let (byteCount, overflow) = size.multipliedReportingOverflow(by: count)
    guard !overflow, byteCount <= memory else {
      throw .tooLarge(location, images: count, memory: memory)
    }
    let failure = Mutex<(index: Int, error: DatasetError)?>(nil)
    let firstFailure = Atomic(Int.max)
    let resized = Atomic(0)
    let pixels = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initialized in
      // Every index is written by the one thread that takes it.
      nonisolated(unsafe) let target = buffer
      DispatchQueue.concurrentPerform(iterations: (count + chunk - 1) / chunk) { part in
        let decoder = ImageDecoder()
        for index in part * chunk..<min((part + 1) * chunk, count) {
          guard index < firstFailure.load(ordering: .relaxed) else { return }
          do throws(DatasetError) {
            var image = try decode(index, decoder)
            if image.width != side || image.height != side {
              image = image.resized(width: side, height: side)
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
    let set = ImageSet(height: side, width: side, pixels: pixels, labels: labels)
    return (set, resized.load(ordering: .relaxed))
  }
}
