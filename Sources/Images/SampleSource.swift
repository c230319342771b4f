/// Labelled images, one by one, wherever they lie: in files, in an archive, in memory, or nowhere before
/// they are drawn.
///
/// Threads may ask for different samples at once.
public protocol SampleSource: Sendable {
  /// The number of samples.
  var count: Int { get }
  /// What messages call the whole, such as the path of a folder.
  var location: String { get }
  /// The index of a sample's class.
  func label(_ index: Int) -> Int32
  /// What messages call a sample.
  func name(_ index: Int) -> String
  /// Lends a sample as it is kept.
  ///
  /// - Throws: what reading it throws, and what `body` throws.
  func withSample<Result>(_ index: Int, _ body: (EncodedSample) throws -> Result) throws -> Result
}

/// A sample as its source keeps it.
public enum EncodedSample {
  /// The bytes of a JPEG or PNG file.
  case file(UnsafeRawBufferPointer)
  /// Pixels.
  case image(Image)
}

extension SampleSource {
  /// The class of each sample, in order.
  ///
  /// - Complexity: O(samples).
  public var labels: [Int32] { (0..<count).map(label) }

  /// A sample's pixels.
  ///
  /// - Parameter decoder: of the calling thread.
  /// - Throws: ``ImageError``, and what the source throws.
  public func image(_ index: Int, decoder: ImageDecoder) throws -> Image {
    try withSample(index) { try $0.image(decoder, file: name(index)) }
  }

  /// The same samples with other labels, by the labels that they have.
  package func relabelled(_ labels: [Int]) -> any SampleSource {
    RelabelledSamples(source: self, newLabels: labels)
  }

  /// Some of the samples, in a given order.
  ///
  /// - Precondition: every index lies in `0..<count`.
  public func selecting(_ indices: [Int]) -> any SampleSource {
    SelectedSamples(source: self, indices: indices)
  }
}

extension EncodedSample {
  /// The pixels, which a file's bytes are decoded to.
  func image(_ decoder: ImageDecoder, file: @autoclosure () -> String) throws -> Image {
    switch self {
    case .file(let bytes): try decoder.decode(bytes, file: file())
    case .image(let image): image
    }
  }

  /// Whether EXIF says that the image is to be turned or mirrored.
  var isTurned: Bool {
    switch self {
    case .file(let bytes): EXIF.isTurned(bytes)
    case .image: false
    }
  }
}

/// The samples of another source, with labels of their own.
private struct RelabelledSamples<Source: SampleSource>: SampleSource {
  let source: Source
  let newLabels: [Int]

  var count: Int { source.count }
  var location: String { source.location }
  func label(_ index: Int) -> Int32 { Int32(newLabels[Int(source.label(index))]) }
  func name(_ index: Int) -> String { source.name(index) }
  func withSample<Result>(_ index: Int, _ body: (EncodedSample) throws -> Result) throws -> Result {
    try source.withSample(index, body)
  }
}

/// Some samples of another source, in an order of their own.
private struct SelectedSamples<Source: SampleSource>: SampleSource {
  let source: Source
  let indices: [Int]

  var count: Int { indices.count }
  var location: String { source.location }
  func label(_ index: Int) -> Int32 { source.label(indices[index]) }
  func name(_ index: Int) -> String { source.name(indices[index]) }
  func withSample<Result>(_ index: Int, _ body: (EncodedSample) throws -> Result) throws -> Result {
    try source.withSample(indices[index], body)
  }
}
