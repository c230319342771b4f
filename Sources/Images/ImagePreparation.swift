import Dispatch
import ResidualTensors
import Synchronization

extension Preparation.View {
  /// Decodes all images of a source and brings them to the view, on all cores.
  ///
  /// Neither the images nor the error depend on the number of threads: of several failures, the
  /// first in the order of the images is thrown, and decoding after it stops.
  ///
  /// - Parameter side: of the view in pixels.
  /// - Returns: The set, and how many images had another size.
  /// - Throws: ``ImageError``, and what the source throws. No image is left out.
  /// - Complexity: Linear in the bytes of the source.
  package func images(of source: any SampleSource, side: Int) throws -> (
    set: ImageSet, resized: Int
  ) {
    if let set = source as? ImageSet, keeps(width: set.width, height: set.height, side: side) {
      return (set, 0)
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
    let pixels = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initialized in
      // Every index is written by the one thread that takes it.
      nonisolated(unsafe) let target = buffer
      DispatchQueue.concurrentPerform(iterations: (count + chunk - 1) / chunk) { part in
        let decoder = ImageDecoder()
        for index in part * chunk..<min((part + 1) * chunk, count) {
          guard index < firstFailure.load(ordering: .relaxed) else { return }
          do {
            var image = try source.image(index, decoder: decoder)
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
    return (
      ImageSet(height: side, width: side, checked: pixels, labels: source.labels),
      resized.load(ordering: .relaxed)
    )
  }
}

extension Preparation.View {
  /// What a user should know where images had another size; `nil` if none had.
  package func remark(resized: Int, of count: Int, side: Int) -> String? {
    guard resized > 0 else { return nil }
    let change =
      switch self {
      case .squash: "resized to \(side)×\(side)"
      case .centerCrop(let shorter):
        "resized to \(shorter) at the shorter side and cropped to \(side)×\(side)"
      }
    return
      "\(resized.grouped) of \(count.grouped) images \(resized == 1 ? "was" : "were") \(change)"
  }
}
