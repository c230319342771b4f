import ResidualTensors

/// How an image file becomes the numbers that a network takes, when it is evaluated or used.
///
/// Training, evaluation, prediction and conversion read this from one place, the model's file. How
/// training varies images is the recipe's matter.
public struct Preparation: Hashable, Sendable {
  /// How an image of any size becomes the square that the network takes.
  public enum View: Hashable, Sendable {
    /// Resized to the square without regard to its proportions; nothing is cut off.
    case squash
    /// Resized until its shorter side has so many pixels, and the square cut out of its middle: the
    /// single crop of torchvision and timm.
    case centerCrop(shorterSide: Int)
  }

  /// The part of the image that is taken.
  public let view: View
  /// The side of the square in pixels.
  public let side: Int
  /// What is subtracted and divided by.
  public let normalization: Normalization

  /// - Throws: ``PreparationError`` if the parts contradict each other.
  public init(_ view: View = .squash, side: Int, _ normalization: Normalization)
    throws(PreparationError)
  {
    if case .centerCrop(let shorterSide) = view, !(side...Self.largestSide).contains(shorterSide) {
      throw PreparationError(
        "the shorter side of \(shorterSide) pixels is not from \(side), the side of the square that is "
          + "cut out, to \(Self.largestSide)")
    }
    switch normalization {
    case .perPixelMean(let mean):
      guard mean.count == Shape.checkedCount([side, side, 3]) else {
        throw PreparationError(
          "a mean of \(mean.count) numbers for images of \(side)×\(side) pixels")
      }
    case .channels(let mean, let std):
      guard mean.count == 3, std.count == 3, std.allSatisfy({ $0 > 0 }) else {
        throw PreparationError("mean and deviation are not three numbers each, the latter above 0")
      }
    }
    (self.view, self.side, self.normalization) = (view, side, normalization)
  }

  /// The largest image that one is resized to, by its shorter side in pixels.
  public static let largestSide = 8192

  /// The same view with another normalisation.
  ///
  /// - Throws: ``PreparationError`` if it is for images of another size.
  public func replacing(_ normalization: Normalization) throws(PreparationError) -> Preparation {
    try Preparation(view, side: side, normalization)
  }

  /// The square of pixels that an image is taken for.
  public func image(_ image: Image) -> Image { view.image(image, side: side) }
}

extension Preparation.View {
  /// Whether an image of this size is its own view; a centre crop enlarges even one of the square's size.
  func keeps(width: Int, height: Int, side: Int) -> Bool {
    switch self {
    case .squash: width == side && height == side
    case .centerCrop(let shorter): width == side && height == side && shorter == side
    }
  }

  /// The square of an image.
  ///
  /// With the shorter side s and the centre crop, the longer side becomes ⌊s · longer / shorter⌋ pixels,
  /// and the square begins at half of what is left over, rounded to even: torchvision's
  /// `Resize(s)` and `CenterCrop(side)`.
  ///
  /// - Parameter side: of the square in pixels.
  public func image(_ image: Image, side: Int) -> Image {
    switch self {
    case .squash: return image.resized(width: side, height: side)
    case .centerCrop(let shorter):
      let image = image.withoutExtremes
      let (width, height) = (image.width, image.height)
      let resized =
        width <= height
        ? image.resized(width: shorter, height: shorter * height / width)
        : image.resized(width: shorter * width / height, height: shorter)
      func begin(_ extent: Int) -> Int {
        Int((Double(extent - side) / 2).rounded(.toNearestOrEven))
      }
      return resized.cropped(
        x: begin(resized.width), y: begin(resized.height), width: side, height: side)
    }
  }
}

extension Image {
  /// The middle of an image that is more than 64 times as long as it is wide: resized whole, it could
  /// take any amount of memory.
  fileprivate var withoutExtremes: Image {
    let limit = 64 * min(width, height)
    return cropped(
      x: max(0, width - limit) / 2, y: max(0, height - limit) / 2, width: min(width, limit),
      height: min(height, limit))
  }
}

/// A preparation that cannot be: its parts contradict each other, or the network.
public struct PreparationError: Refusal, Hashable {
  public let description: String
  init(_ description: String) { self.description = description }
  public var kind: RefusalKind { .input }
}
