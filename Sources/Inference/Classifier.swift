import Dispatch
import ResidualFormats
import ResidualPlatform
import Synchronization

/// A model made ready to classify images on a device.
///
/// Threads may share a classifier; it serves one at a time.
public final class Classifier: @unchecked Sendable {
  /// The network, its class names, and how images are prepared for it.
  public let model: ModelFile
  private let running: any RunningModel
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
    running = try LoadedModel(model, device: device, batchSize: batchSize)
  }

  /// The likeliest classes of an image of any size, which is prepared as the model says.
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
    try classify(squares: images.map(model.preparation.image), top: top)
  }

  /// The likeliest classes of images that are prepared.
  private func classify(squares: [Image], top: Int) throws -> [[Guess]] {
    let side = model.network.inputSide
    let set = ImageSet(
      height: side, width: side, checked: squares.flatMap(\.pixels),
      labels: [Int32](repeating: 0, count: squares.count))
    var guesses: [[Guess]] = []
    let classes = model.network.classes
    try turn.withLock { _ in
      try running.logits(of: set) { logits, range in
        for position in 0..<range.count {
          guesses.append(guess(logits[position * classes..<(position + 1) * classes], top: top))
        }
      }
    }
    return guesses
  }

  /// The likeliest classes of JPEG or PNG files. The package's traits `JPEG` and `PNG` bring the
  /// codecs.
  ///
  /// - Throws: ``FileError``, ``ImageError``, ``ShapeError``, ``AllocationError``.
  public func classify(imagesAt paths: [String], top: Int = 1) throws -> [[Guess]] {
    try outcomes(ofImagesAt: paths, top: top).guesses.map { try $0.get() }
  }

  /// The likeliest classes of each file, or what is wrong with it, and how many are stored turned.
  ///
  /// - Throws: ``ShapeError``, ``AllocationError``, and ``ImageError`` if it is not about one file.
  /// - Complexity: Memory for as many squares as there are files.
  package func outcomes(ofImagesAt paths: [String], top: Int) throws -> (
    guesses: [Result<[Guess], any Error>], counts: PreparationCounts
  ) {
    let found = Mutex<[Int: Result<Image, any Error>]>([:])
    let turned = Atomic(0)
    let decoders = min(paths.count, 16)
    DispatchQueue.concurrentPerform(iterations: decoders) { first in
      let decoder = ImageDecoder()
      for index in stride(from: first, to: paths.count, by: decoders) {
        let square = Result {
          try FileBytes(at: paths[index]).withUnsafeBytes { bytes in
            if EXIF.isTurned(bytes) { turned.wrappingAdd(1, ordering: .relaxed) }
            return try model.preparation.image(decoder.decode(bytes, file: paths[index]))
          }
        }
        found.withLock { $0[index] = square }
      }
    }
    let squares = found.withLock { found in paths.indices.compactMap { found[$0] } }
    for case .failure(let error) in squares where (error as? any Refusal)?.kind != .input {
      throw error
    }
    var guesses = try classify(squares: squares.compactMap { try? $0.get() }, top: top)[...]
    var counts = PreparationCounts()
    (counts.images, counts.turned) = (paths.count, turned.load(ordering: .relaxed))
    return (squares.map { square in square.map { _ in guesses.removeFirst() } }, counts)
  }

  /// The likeliest classes of a JPEG or PNG file.
  ///
  /// - Throws: ``FileError``, ``ImageError``, ``ShapeError``, ``AllocationError``.
  public func classify(imageAt path: String, top: Int = 1) throws -> [Guess] {
    try classify(imagesAt: [path], top: top)[0]
  }

  /// Evaluates labelled images, each prepared as the model says.
  ///
  /// - Parameter observe: is given the logits of each batch; it may throw to stop.
  /// - Throws: ``SampleError``, ``ShapeError``, ``AllocationError``, what the source throws, and what
  ///   `observe` throws.
  public func evaluate(
    _ samples: any SampleSource,
    observe: (_ logits: [Float], _ range: Range<Int>) throws -> Void = { _, _ in }
  ) throws -> Evaluation {
    try evaluate(
      squares: model.preparation.view.images(of: samples, side: model.network.inputSide).set,
      observe: observe)
  }

  /// Evaluates labelled images that are prepared already.
  ///
  /// - Throws: as the other.
  package func evaluate(
    squares: ImageSet, observe: (_ logits: [Float], _ range: Range<Int>) throws -> Void
  ) throws -> Evaluation {
    try model.network.check(squares)
    return try turn.withLock { _ in try running.evaluate(squares, observe: observe) }
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
