import Foundation
import ResidualCPU
import ResidualCUDA
import ResidualRuns
import ResidualTestSupport
import Testing

/// Weights that others have trained or drawn, against what PyTorch computes with them.
@Suite struct PublishedWeightsTests {
  /// Holds `weights/` and `data/cifar10-jpeg.tar.gz`.
  static let shared = ProcessInfo.processInfo.environment["RESNET_SHARED"]
  /// Holds, for torchvision's ResNets, NAME.pth, NAME.safetensors, NAME-input.npy and
  /// NAME-logits.npy.
  static let torchvision = ProcessInfo.processInfo.environment["RESNET_TORCHVISION"]

  /// A real GPU: a simulated one would take hours for these networks.
  static let hasGPU: Bool = {
    let environment = ProcessInfo.processInfo.environment
    let name = (try? CUDADevice(precision: .fp32, environment: environment))?.name
    return name != nil && name != "Simulated GPU"
  }()

  private func device() throws -> CPUDevice {
    try CPUDevice(threads: 2, instructionSet: #require(InstructionSet.available.last))
  }

  private func floats(_ path: String) throws -> Tensor<Float> {
    try NumPyFile.floats(at: path)
  }

  /// The largest difference, relative to the largest number expected.
  private func distance(_ numbers: [Float], _ expected: [Float]) -> Float {
    #expect(numbers.count == expected.count)
    let largest = expected.map(abs).max() ?? 0
    return (zip(numbers, expected).map { abs($0 - $1) }.max() ?? .infinity) / largest
  }

  /// The networks after akamaster on all of CIFAR-10's test images.
  @Test(
    .enabled(if: shared != nil, "RESNET_SHARED names no folder of weights and data"),
    arguments: [
      ("resnet20-12fca82f", "resnet20", 81.03, 98.72, 0.878796),
      ("resnet32-d509ac18", "resnet32", 82.56, 99.00, 0.922708),
    ])
  func cifar(file: String, name: String, top1: Double, top5: Double, loss: Double) throws {
    let folder = try #require(Self.shared)
    let model = try OpenedModel(at: "\(folder)/weights/\(file).th").model
    let data = try Dataset(at: "\(folder)/data/cifar10-jpeg.tar.gz", parts: [.test])
    let classifier = try Classifier(model, device: device(), batchSize: 128)
    var logits: [Float] = []
    let evaluation = try classifier.evaluate(data.samples(of: .test)) { numbers, _ in
      logits += numbers
    }
    #expect(abs(evaluation.top1 - top1) < 1e-9 && abs(evaluation.top5 - top5) < 1e-9)
    #expect(abs(evaluation.loss - loss) < 1e-6)
    let expected = try floats("\(folder)/weights/\(name)-logits.npy").scalars
    #expect(distance(logits, expected) < 1e-4)
  }

  @Test(
    .enabled(if: torchvision != nil, "RESNET_TORCHVISION names no folder of weights and logits"),
    arguments: [18, 34, 50, 101, 152], ["pth", "safetensors"])
  func imageNet(depth: Int, kind: String) throws {
    try compare(depth: depth, kind: kind, on: device())
  }

  @Test(
    .enabled(
      if: torchvision != nil && hasGPU,
      "RESNET_TORCHVISION names no folder of weights and logits, or there is no real GPU"),
    arguments: [18, 34, 50, 101, 152],
    [(Precision.fp32, Float(1e-4)), (.fp16, 2e-2), (.bf16, 1e-1)])
  func imageNetOnGPU(depth: Int, precision: (Precision, bound: Float)) throws {
    let device = try CUDADevice(
      precision: precision.0, environment: ProcessInfo.processInfo.environment)
    try compare(depth: depth, kind: "safetensors", on: device, bound: precision.bound)
  }

  private func compare(depth: Int, kind: String, on device: some Device, bound: Float = 1e-4) throws
  {
    let path = "\(try #require(Self.torchvision))/resnet\(depth)"
    let model = try OpenedModel(at: "\(path).\(kind)").model
    #expect(model.network.name == "resnet\(depth)" && model.network.shortcut == .projection)
    let input = try floats("\(path)-input.npy")
    let (batch, height, width) = (input.shape[0], input.shape[2], input.shape[3])
    let session = Session(device: device, store: Store(for: device))
    let loaded = try session.load(
      model.network.graph(.inference), inputs: [Network.imagesInput: [batch, height, width, 3]])
    for (name, tensor) in model.tensors { session.store.write(tensor.scalars, to: name) }
    // [N, C, H, W] to [N, H, W, C].
    let pixels = height * width
    loaded.write(
      (0..<input.scalars.count).map { index in
        let (pixel, channel) = (index / 3 % pixels, index % 3)
        return input.scalars[(index / (3 * pixels) * 3 + channel) * pixels + pixel]
      }, to: Network.imagesInput)
    loaded.run()
    let logits = loaded.read(Network.logitsOutput).scalars
    let expected = try floats("\(path)-logits.npy").scalars
    let distance = distance(logits, expected)
    #expect(distance < bound)
    print("resnet\(depth), \(type(of: device)): logits within \(distance) of PyTorch's")
  }
}
