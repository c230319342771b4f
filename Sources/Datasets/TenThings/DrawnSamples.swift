import ResidualImages
import ResidualTensors

extension TenThings {
  /// The built-in set, of which nothing is drawn yet.
  static func dataset(seed: UInt64, parts: Set<Dataset.Part>) -> Dataset {
    var sources: [Dataset.Part: any SampleSource] = [:]
    if parts.contains(.training) { sources[.training] = DrawnSamples(seed: seed, split: .training) }
    if parts.contains(.test) { sources[.test] = DrawnSamples(seed: seed, split: .test) }
    return Dataset(
      name: "Ten Things (built-in, seed \(seed))", source: .builtIn, classNames: classNames,
      parts: sources)
  }
}

/// The pictures of one split, each drawn when it is asked for.
private struct DrawnSamples: SampleSource {
  let seed: UInt64
  let split: TenThings.Split

  var count: Int { split == .training ? TenThings.trainingCount : TenThings.testCount }
  var location: String { "built-in set" }
  func label(_ index: Int) -> Int32 { Int32(TenThings.label(of: index)) }
  func name(_ index: Int) -> String { "picture \(index)" }

  func withSample<Result>(_ index: Int, _ body: (EncodedSample) throws -> Result) throws -> Result {
    let pixels = [UInt8](unsafeUninitializedCapacity: TenThings.pictureBytes) { buffer, count in
      let room = UnsafeMutableBufferPointer(rebasing: buffer[..<TenThings.pictureBytes])
      TenThings.draw(seed: seed, split: split, indices: index..<index + 1, into: room)
      count = TenThings.pictureBytes
    }
    return try body(
      .image(Image(width: TenThings.side, height: TenThings.side, checked: pixels)))
  }
}
