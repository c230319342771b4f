/// Softmax regression on the pixels: what can be told apart without any hidden layer.
///
/// One filter a class as large as the image, so the product is a single number a class. It is the
/// yardstick of how much a data set asks of a network.
public enum LinearClassifier {
  public static let name = "cifar-linear"
  static let side = 32

  public static func network(classes: Int = 10) -> Network {
    Network(name: name, inputSide: side, classes: classes, shortcut: nil, depth: 1) {
      Convolution(Network.classifier, classes, size: side, padding: 0)
      GlobalAveragePooling()
    }
  }
}
