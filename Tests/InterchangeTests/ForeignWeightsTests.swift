import Foundation
import ResidualFormats
import ResidualImages
import ResidualInterchange
import ResidualTensors
import ResidualTestSupport
import Testing

@Suite struct ForeignWeightsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func network(_ name: String, _ shortcut: Shortcut? = nil, classes: Int = 4) throws
    -> Network
  {
    try NetworkCatalog.network(named: name, variant: .init(shortcut), classes: classes)
  }

  /// Every design is recognised from its tensors alone, in both kinds of file.
  @Test(arguments: [
    "resnet18", "resnet50", "highway18", "resnet-1-2-1-1", "resnet-bottleneck-1-1-1-2",
    "googlenet", "cifar-resnet20", "cifar-highway8", "cifar-single8", "cifar-bottleneck11",
    "cifar-preact18", "cifar-preact50",
  ])
  func recognition(name: String) throws {
    let network = try network(name)
    let entries = try Sample.entries(network)
    try TorchFile.write(entries, to: folder["weights.pth"])
    try Safetensors.write(entries, metadata: [:], to: folder["weights.safetensors"])
    for file in ["weights.pth", "weights.safetensors"] {
      let opened = try OpenedModel(at: folder[file])
      #expect(opened.model.network.name == name && opened.model.classNameSource == .numbers)
      #expect(opened.model.network.shortcut == network.shortcut)
      #expect(opened.model.network.stridePlacement == network.stridePlacement)
      #expect(opened.model.network.inceptionBranch == network.inceptionBranch)
      #expect(opened.model.classNames == ["class 0", "class 1", "class 2", "class 3"])
      for entry in entries {
        #expect(opened.model.tensors[entry.name]?.scalars == (try floats(entry)), "\(entry.name)")
      }
    }
  }

  private func floats(_ entry: SafetensorsEntry) throws -> [Float] {
    try Safetensors(FileBytes(Safetensors.encoded([entry], metadata: [:]))).floats(entry.name)
      .scalars
  }

  /// VGG's classifier alone takes half a gigabyte, so only its shapes are looked at.
  @Test(arguments: ["vgg16", "vgg16-bn", "vgg19", "vgg19-bn"])
  func recognitionOfVGG(name: String) throws {
    let shapes = Dictionary(
      uniqueKeysWithValues: try network(name).slots.map { ($0.name, $0.shape) })
    let found = try RecognizedNetwork(shapes, padding: nil)
    #expect(found.name == name && found.classes == 4 && found.variant == .init())
  }

  @Test(arguments: [Shortcut.padding(.both), .projection, .projectionEverywhere])
  func namesAfterAkamaster(shortcut: Shortcut) throws {
    let network = try network("cifar-resnet14", shortcut)
    let entries = try Sample.entries(network) { name in
      let name = name.replacing("fc.", with: "linear.").replacing("downsample", with: "shortcut")
      return "module." + name
    }
    try TorchFile.write(entries, to: folder["a.th"])
    let opened = try OpenedModel(at: folder["a.th"])
    #expect(opened.model.network.name == "cifar-resnet14")
    #expect(opened.model.network.shortcut == shortcut)
    #expect(opened.remarks.contains { "\($0)".contains("'module.'") })
    let isAssumed = opened.remarks.contains { "\($0)".contains("half of the zero channels") }
    #expect(isAssumed == (shortcut == .padding(.both)))
    var options = WeightsOptions()
    options.shortcutPadding = .end
    if shortcut == .padding(.both) {
      let other = try OpenedModel(at: folder["a.th"], options)
      #expect(other.model.network.shortcut == .padding(.end))
    }
  }

  @Test(arguments: ["resnet18", "resnet50"])
  func namesOfTransformers(name: String) throws {
    let network = try network(name)
    let entries = try Sample.entries(network, name: Self.transformersName)
    try Safetensors.write(entries, metadata: ["format": "pt"], to: folder["model.safetensors"])
    let opened = try OpenedModel(at: folder["model.safetensors"])
    #expect(opened.model.network.name == name)
    #expect(Set(opened.model.tensors.keys) == Set(network.slots.map(\.name)))
    let first = try #require(entries.first)
    #expect(first.name == "resnet.embedder.embedder.convolution.weight")
    #expect(opened.model.tensors["conv1.weight"]?.scalars == (try floats(first)))
  }

  /// The rule as the documentation of transformers gives it, written the other way round.
  private static func transformersName(_ name: String) -> String? {
    let parts = name.split(separator: ".").map(String.init)
    let kind: (String) -> String = { $0.hasPrefix("conv") ? "convolution" : "normalization" }
    switch parts[0] {
    case "conv1", "bn1": return "resnet.embedder.embedder.\(kind(parts[0])).\(parts[1])"
    case "fc": return "classifier.1.\(parts[1])"
    default: break
    }
    let stage = "resnet.encoder.stages.\((Int(parts[0].dropFirst(5)) ?? 0) - 1).layers.\(parts[1])"
    if parts[2] == "downsample" {
      return "\(stage).shortcut.\(parts[3] == "0" ? "convolution" : "normalization").\(parts[4])"
    }
    let index = (Int(String(parts[2].last ?? "0")) ?? 0) - 1
    return "\(stage).layer.\(index).\(kind(parts[2])).\(parts[3])"
  }

  /// What a network computes is the same for a turned filter on turned channels.
  @Test func channelOrderAndRange() throws {
    let network = try network("cifar-resnet8")
    try TorchFile.write(Sample.entries(network), to: folder["bgr.pth"])
    var options = WeightsOptions()
    options.channelOrder = .bgr
    options.inputRange = .bytes
    options.mean = [104, 117, 124]
    options.std = [1, 2, 4]
    let turned = try OpenedModel(at: folder["bgr.pth"], options).model
    let straight = try OpenedModel(at: folder["bgr.pth"]).model
    guard case .channels(let mean, let std) = turned.preparation.normalization else {
      Issue.record("the mean is one a channel")
      return
    }
    #expect(mean == [124, 117, 104].map { $0 / 255 } && std == [4, 2, 1].map { $0 / 255 })
    let filter = try #require(straight.tensors["conv1.weight"])
    let other = try #require(turned.tensors["conv1.weight"])
    for k in 0..<16 {
      for c in 0..<3 {
        for tap in 0..<9 {
          #expect(
            other.scalars[(k * 3 + c) * 9 + tap] == filter.scalars[(k * 3 + 2 - c) * 9 + tap])
        }
      }
    }
    #expect(turned.tensors["layer1.0.conv1.weight"] == straight.tensors["layer1.0.conv1.weight"])
  }

  /// What is assumed is in our own order and range.
  @Test func assumedMeanAndDeviation() throws {
    let network = try network("cifar-resnet8")
    let mean: [Float] = [0.485, 0.456, 0.406]
    try TorchFile.write(Sample.entries(network), to: folder["w.pth"])
    func normalization(_ options: WeightsOptions = .init()) throws -> Normalization {
      try OpenedModel(at: folder["w.pth"], options).model.preparation.normalization
    }
    let torchvision = Normalization.channels(mean: mean, std: [0.229, 0.224, 0.225])
    #expect(try normalization() == torchvision)
    var options = WeightsOptions()
    options.channelOrder = .bgr
    #expect(try normalization(options) == torchvision)
    // Caffe's: a mean, and no deviation.
    options.inputRange = .bytes
    options.mean = [102, 153, 204]
    let (first, second, third): (Float, Float, Float) = (204 / 255, 153 / 255, 102 / 255)
    let one: Float = 1 / 255
    let caffe = Normalization.channels(mean: [first, second, third], std: [one, one, one])
    #expect(try normalization(options) == caffe)
    let inception = try NetworkCatalog.network(
      named: "googlenet", variant: .init(inceptionBranch: .three), classes: 4)
    try TorchFile.write(Sample.entries(inception), to: folder["w.pth"])
    let half = Normalization.channels(mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5])
    #expect(try normalization() == half)
  }

  @Test func namedNetworksNeedNoRecognition() throws {
    try TorchFile.write(Sample.entries(network("cifar-linear")), to: folder["l.pth"])
    #expect(throws: WeightsError.self) { _ = try OpenedModel(at: folder["l.pth"]) }
    var options = WeightsOptions()
    options.model = "cifar-linear"
    #expect(try OpenedModel(at: folder["l.pth"], options).model.network.classes == 4)
    try TorchFile.write(
      Sample.entries(network("cifar-resnet8", .projectionEverywhere)), to: folder["c.pth"])
    let opened = try OpenedModel(at: folder["c.pth"]).model
    #expect(opened.network.shortcut == .projectionEverywhere)
  }

  @Test func plainNetworksMustBeNamed() throws {
    try TorchFile.write(Sample.entries(network("cifar-plain8")), to: folder["p.pth"])
    let opened = try OpenedModel(at: folder["p.pth"])
    #expect(opened.model.network.name == "cifar-resnet8")
    #expect(opened.remarks.contains { "\($0)".contains("`model` cifar-plain") })
    var options = WeightsOptions()
    options.model = "cifar-plain8"
    #expect(try OpenedModel(at: folder["p.pth"], options).model.network.name == "cifar-plain8")
  }

  @Test func auxiliaryClassifiersMayBeMissing() throws {
    let network = try network("googlenet")
    let entries = try Sample.entries(network) { $0.hasPrefix("aux") ? nil : $0 }
    try TorchFile.write(entries, to: folder["g.pth"])
    let model = try OpenedModel(at: folder["g.pth"]).model
    #expect(model.tensors.count == entries.count)
    try model.write(to: folder["g.safetensors"])
    #expect(try ModelFile(at: folder["g.safetensors"]).tensors == model.tensors)
  }

  /// A network may lie under any prefix, with tensors of other things around it.
  @Test(arguments: ["backbone.", "encoder.", "net.", "model.0.", "module.backbone."])
  func prefixes(prefix: String) throws {
    let folder = try TemporaryFolder()
    let network = try NetworkCatalog.network(named: "resnet18", inputSide: 32, classes: 4)
    let whole = try Sample.entries(network)
    let plain = folder["plain.safetensors"]
    try Safetensors.write(whole, to: plain)
    let expected = try OpenedModel(at: plain).model
    let path = folder["prefixed.safetensors"]
    let inside = try Sample.entries(network, name: { prefix + $0 })
    try Safetensors.write(inside, to: path)
    var opened = try OpenedModel(at: path)
    #expect(opened.model.tensors == expected.tensors)
    #expect(opened.remarks.contains("all names begin with '\(prefix)', which is left out"))
    let others = ["head.conv1.weight", "optimizer.step"].map {
      SafetensorsEntry($0, Tensor([1], [Float(1)]))
    }
    try Safetensors.write(inside + others, to: path)
    opened = try OpenedModel(at: path)
    #expect(opened.model.tensors == expected.tensors)
    let imported = try #require(opened.model.provenance["imported"])
    #expect(
      imported.contains("the network lies under '\(prefix)'; 2 tensors elsewhere are left out: "))
    #expect(imported.contains("'optimizer.step'") && imported.contains("'head.conv1.weight'"))
    // A tensor inside that the network has no place for is refused, by its whole name.
    let surplus = SafetensorsEntry(prefix + "attention.weight", Tensor([1], [Float(1)]))
    try Safetensors.write(inside + [surplus], to: path)
    #expect(
      throws: WeightsError.extraTensor(
        file: path, name: prefix + "attention.weight", network: "resnet18")
    ) { try OpenedModel(at: path) }
  }

  /// Photographs are cropped as torchvision does it; the images of CIFAR are taken as they are.
  @Test func viewsOfNetworksFromElsewhere() throws {
    let folder = try TemporaryFolder()
    func view(_ name: String, side: Int?, _ change: (inout WeightsOptions) -> Void = { _ in })
      throws -> Preparation.View
    {
      let path = folder[name + ".safetensors"]
      try Safetensors.write(
        Sample.entries(NetworkCatalog.network(named: name, inputSide: side, classes: 4)), to: path)
      var options = WeightsOptions()
      options.inputSide = side
      change(&options)
      return try OpenedModel(at: path, options).model.preparation.view
    }
    #expect(try view("resnet18", side: nil) == .centerCrop(shorterSide: 256))
    #expect(try view("resnet18", side: 288) == .centerCrop(shorterSide: 329))
    #expect(try view("resnet18", side: 64) { $0.view = .squash } == .squash)
    #expect(try view("cifar-resnet8", side: nil) == .squash)
    #expect(try view("cifar-resnet8", side: 64) { $0.view = .crop } == .centerCrop(shorterSide: 73))
  }
}
