/// What the paper that a network comes from says of its training, where it is not the same for all.
public struct TrainingDefaults: Hashable, Sendable {
  /// The rate before the first milestone.
  public var learningRate: Float = 0.1
  /// How filters are drawn.
  public var initialization = Initialization.fanIn
  /// Whether the rate starts low: plain and residual networks of 6n + 2 layers for CIFAR-10, from 110
  /// layers on (section 4.2 of the residual paper).
  public var startsLow = false
  /// Whether the network is one for ImageNet, whose recipe is another than CIFAR-10's.
  public var isForImageNet = false

  /// For a network of layers that have no name.
  public init() {}

  /// For a network that ``NetworkCatalog`` knows.
  ///
  /// - Throws: ``NetworkNameError``.
  public init(ofNetworkNamed name: String) throws(NetworkNameError) {
    let design = try NetworkName(name).design
    isForImageNet = !design.isForCIFAR
    switch design {
    case .cifar(.residual, .basic, let depth), .cifar(.plain, .basic, let depth):
      // The paper names 110 layers; its 1202-layer network is trained "as above".
      startsLow = depth >= 110
    case .vgg:
      // Section 3.1 of VGG's paper. With batch normalisation too, which the fully-connected layers
      // lack: at 0.1 the loss explodes.
      learningRate = 0.01
    default: break
    }
  }
}

extension Network {
  /// Whether the network is made for photographs, which are larger than what it is given: ImageNet's, and
  /// networks without a known name whose images have more than 64 pixels a side.
  package var isForPhotographs: Bool {
    (try? TrainingDefaults(ofNetworkNamed: name))?.isForImageNet ?? (inputSide > 64)
  }
}
