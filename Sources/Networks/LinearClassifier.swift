/// Softmax regression on the pixels: what can be told apart without any hidden layer.
///
/// One filter a class as large as the image, so the product is a single number a class. It is the
/// yardstick of how much a data set asks of a network.
public enum LinearClassifier {
  /// The name in the catalogue and in files.
  public static let name = "cifar-linear"

  /// The classifier of square images: 3 · `inputSide`² · `classes` parameters, and no bias.
  ///
  /// - Parameter inputSide: of the images, in pixels.
  public static func network(inputSide: Int = 32, classes: Int = 10) -> Network {
    Network(name: name, inputSide: inputSide, classes: classes, depth: 1) {
      Convolution("fc", classes, size: inputSide, padding: 0)
      GlobalAveragePooling()
    }
  }
}
