import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A model made ready to classify images on a device.
///
/// Threads may share a classifier; it serves one at a time.
public final class Classifier: @unchecked Sendable {
  /// The network, its class names, and how images are prepared for it.
  public let model: ModelFile
  /// Evaluates a set of images, and is given the logits of each batch.
  private let evaluation:
    (
      ImageSet, Normalization, (_ logits: [Float], _ range: Range<Int>) throws -> Void
    ) throws -> Evaluation
  private let turn = Mutex(())

  /// A class and how likely it is.
  public struct Guess: Hashable, Sendable, Encodable {
    /// The class's, as in ``ModelFile/classNames``.
    public let index: Int
    /// The class's.
    public let name: String
    /// The softmax of its logit, from 0 to 1.
    public let probability: Double
  }

  /// Loads a model onto a device.
  ///
  /// - Parameter batchSize: images that are classified at once.
  /// - Throws: ``ShapeError``, ``AllocationError``.
  public init(_ model: ModelFile, device: some Device, batchSize: Int = 1) throws {
    self.model = model
    let session = Session(device: device, store: Store(for: device))
    try session.store.initialize(
      model.network.graph(.inference).slots, seed: 0, from: model.tensors)
    let evaluator = try Evaluator(model.network, session: session, batchSize: batchSize)
    evaluation = { try evaluator.evaluate($0, normalization: $1, observe: $2) }
  }

  /// The likeliest classes of an image of any size, which is resized to the network's.
  ///
  /// - Parameter top: how many classes, the likeliest first.
  /// - Throws: ``ShapeError``, ``AllocationError``.
  public func classify(_ image: Image, top: Int = 1) throws -> [Guess] {
    try classify([image], top: top)[0]
  }

  /// The likeliest classes of each image.
  ///
  /// - Throws: ``ShapeError``, ``AllocationError``.
  public func classify(_ images: [Image], top: Int = 1) throws -> [[Guess]] {
    let side = model.network.inputSide
    let set = ImageSet(
      height: side, width: side,
      pixels: images.flatMap { $0.resized(width: side, height: side).pixels },
      labels: [Int32](repeating: 0, count: images.count))
    var guesses: [[Guess]] = []
    _ = try evaluate(set) { logits, range in
      let classes = model.network.classes
      for position in range.indices.map({ $0 - range.lowerBound }) {
        guesses.append(guess(logits[position * classes..<(position + 1) * classes], top: top))
      }
    }
    return guesses
  }

  /// The likeliest classes of JPEG or PNG files. The package's traits `JPEG` and `PNG` bring the
  /// codecs.
  ///
  /// - Throws: ``FileError``, ``ImageError``, ``ShapeError``, ``AllocationError``.
  public func classify(imagesAt paths: [String], top: Int = 1) throws -> [[Guess]] {
    let decoder = ImageDecoder()
    return try classify(
      paths.map { path in
        let bytes = try FileBytes(at: path)
        return try bytes.withUnsafeBytes { bytes throws(ImageError) in
          try decoder.decode(bytes, file: path)
        }
        .resized(width: model.network.inputSide, height: model.network.inputSide)
      }, top: top)
  }

  /// The likeliest classes of a JPEG or PNG file.
  ///
  /// - Throws: ``FileError``, ``ImageError``, ``ShapeError``, ``AllocationError``.
  public func classify(imageAt path: String, top: Int = 1) throws -> [Guess] {
    try classify(imagesAt: [path], top: top)[0]
  }

  /// Evaluates labelled images of the network's size.
  ///
  /// - Parameters:
  ///   - normalization: how images are prepared, if not as the model says.
  ///   - observe: is given the logits of each batch; it may throw to stop.
  /// - Throws: ``ShapeError``, ``AllocationError``, and what `observe` throws.
  public func evaluate(
    _ images: ImageSet, normalization: Normalization? = nil,
    observe: (_ logits: [Float], _ range: Range<Int>) throws -> Void = { _, _ in }
  ) throws -> Evaluation {
    try withoutActuallyEscaping(observe) { observe in
      try turn.withLock { _ in
        try evaluation(images, normalization ?? model.normalization, observe)
      }
    }
  }

  private func guess(_ logits: ArraySlice<Float>, top: Int) -> [Guess] {
    precondition(top >= 0, "the \(top) likeliest classes")
    let largest = logits.max() ?? 0
    let exponentials = logits.map { exp(Double($0 - largest)) }
    let sum = exponentials.reduce(0, +)
    return zip(model.classNames, exponentials).enumerated()
      .map { Guess(index: $0, name: $1.0, probability: $1.1 / sum) }
      .sorted { $0.probability > $1.probability }.prefix(top).map { $0 }
  }

  /// The position of the largest number; the first of equal ones.
  package static func largest(_ numbers: ArraySlice<Float>) -> Int {
    (numbers.indices.max { numbers[$0] < numbers[$1] || (numbers[$0] == numbers[$1] && $0 > $1) }
      ?? numbers.startIndex) - numbers.startIndex
  }
}
