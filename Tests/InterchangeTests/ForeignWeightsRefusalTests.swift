import Foundation
import ResidualFormats
import ResidualFuzzSupport
import ResidualInterchange
import ResidualNetworks
import ResidualTensors
import ResidualTestSupport
import Testing

/// Weights that are refused, and what is said of those that are not.
@Suite struct ForeignWeightsRefusalTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static func entries(_ name: String) throws -> [SafetensorsEntry] {
    try Sample.entries(NetworkCatalog.network(named: name, classes: 4))
  }

  private func error(
    _ entries: [SafetensorsEntry], _ change: (inout WeightsOptions) -> Void = { _ in }
  )
    -> WeightsError?
  {
    var options = WeightsOptions()
    change(&options)
    return #expect(throws: WeightsError.self) {
      try TorchFile.write(entries, to: folder["w.pth"])
      _ = try OpenedModel(at: folder["w.pth"], options)
    }
  }

  @Test func refusals() throws {
    let entries = try Self.entries("cifar-resnet8")
    let path = folder["w.pth"]
    #expect(
      error(entries.filter { $0.name != "layer2.0.bn1.bias" })
        == .missingTensor(file: path, slot: "layer2.0.bn1.bias", network: "cifar-resnet8"))
    let extra = SafetensorsEntry("layer9.weight", Tensor<Float>([2], [1, 2]))
    #expect(
      error(entries + [extra])
        == .extraTensor(file: path, name: "layer9.weight", network: "cifar-resnet8"))
    let short = entries.map {
      $0.name == "bn1.bias" ? SafetensorsEntry("bn1.bias", Tensor<Float>([2], [1, 2])) : $0
    }
    #expect(
      error(short)
        == .wrongShape(
          file: path, name: "bn1.bias", found: [2], slot: "bn1.bias", expected: [16]))
    #expect(
      error([extra])
        == .notRecognized(file: path, reason: "there is no tensor 'conv1.weight'"))
    #expect(
      error(entries.filter { !$0.name.hasPrefix("fc") })
        == .notRecognized(file: path, reason: "there is no classifier 'fc.weight'"))
    let huge = entries.map { entry in
      entry.name.hasPrefix("fc.")
        ? SafetensorsEntry(entry.name, Tensor<Float>([1 << 60, 0, 1, 1], [])) : entry
    }
    #expect(
      error(huge)
        == .notRecognized(
          file: path, reason: "its classifier 'fc.weight' has \(1 << 60) rows"))
    let stages = (1...3000).map { SafetensorsEntry("layer\($0).x", Tensor<Float>([1], [0])) }
    #expect(
      error(stages + entries.filter { !$0.name.hasPrefix("layer") })
        == .notRecognized(
          file: path,
          reason: "a first filter of [16, 3, 3, 3] before stages of 0, 0, 0, 0, 0 blocks is of no "
            + "network here"))
    let twice = entries + [SafetensorsEntry("linear.bias", Tensor<Float>([4], repeating: 0))]
    #expect(
      error(twice)
        == .sameSlot(file: path, first: "fc.bias", second: "linear.bias", slot: "fc.bias"))
    #expect(
      error(entries) { $0.model = "cifar-resnet14" }
        == .missingTensor(file: path, slot: "layer1.1.conv1.weight", network: "cifar-resnet14"))
    let model = try Sample.model()
    try model.write(to: folder["m.safetensors"])
    let own = #expect(throws: WeightsError.self) {
      var options = WeightsOptions()
      (options.mean, options.inputSide, options.model) = ([0, 0, 0], 32, "linear")
      _ = try OpenedModel(at: folder["m.safetensors"], options)
    }
    #expect(
      own
        == .describesItself(
          file: folder["m.safetensors"], given: [.model, .inputSide, .mean]))
    #expect(own?.description.hasSuffix("leave `model`, `inputSide` and `mean` out") == true)
    #expect(try OpenedModel(at: folder["m.safetensors"]).model.classNameSource == .own)
  }

  @Test func hashInTheName() throws {
    let entries = try Self.entries("cifar-resnet8")
    try TorchFile.write(entries, to: folder["w.pth"])
    let digits = SHA256.digits(of: try FileBytes(at: folder["w.pth"]))
    let bytes = try Data(contentsOf: URL(filePath: folder["w.pth"]))
    // A name's digits must have a letter, or they could be a date.
    let right =
      String(digits.prefix(12)) + "a".prefix(digits.prefix(12).contains { $0.isLetter } ? 0 : 1)
    let named = folder["net-\(right).pth"]
    try bytes.write(to: URL(filePath: named))
    if right.count == 12 { #expect(throws: Never.self) { _ = try OpenedModel(at: named) } }
    let wrong = folder["net-0123abcd.pth"]
    try bytes.write(to: URL(filePath: wrong))
    let error = #expect(throws: WeightsError.self) { _ = try OpenedModel(at: wrong) }
    #expect(
      error == .wrongHash(file: wrong, expected: "0123abcd", found: String(digits.prefix(8))))
    let date = folder["net-20261121.pth"]
    try bytes.write(to: URL(filePath: date))
    #expect(throws: Never.self) { _ = try OpenedModel(at: date) }
  }

  @Test func optionsThatTheNetworkCannotUse() throws {
    let path = folder["w.pth"]
    #expect(
      error(try Self.entries("cifar-resnet8")) { $0.stridePlacement = .first1x1 }
        == .notOfNetwork(
          file: path, option: .stridePlacement, network: "cifar-resnet8", part: "bottlenecks"))
    for name in ["resnet-1-1-1-1", "cifar-preact18"] {
      #expect(
        error(try Self.entries(name)) { $0.shortcutPadding = .both }
          == .notOfNetwork(
            file: path, option: .shortcutPadding, network: name, part: "zero-padding shortcuts"))
    }
  }

  /// All labels of the larger ImageNet are read; more values than any classifier's are not.
  @Test func configurationsOfAnySize() throws {
    try Safetensors.write(
      Self.entries("resnet-bottleneck-1-1-1-1"), metadata: [:], to: folder["model.safetensors"])
    func opened(_ rest: String) throws -> OpenedModel {
      let text = #"{"model_type": "resnet", "downsample_in_bottleneck": true, "# + rest + "}"
      try AtomicFile.write(text, to: folder["config.json"])
      return try OpenedModel(at: folder["model.safetensors"])
    }
    let labels = (0..<21_841).map { "\"\($0)\": \"a label of some length, number \($0)\"" }
    let large = try opened("\"id2label\": {\(labels.joined(separator: ", "))}")
    #expect(large.model.network.stridePlacement == .first1x1)
    let numbers = [String](repeating: "0", count: 600_000).joined(separator: ",")
    // Were the limit of half a million values not there, it would be understood.
    let hostile = try opened("\"x\": [\(numbers)]")
    #expect(hostile.model.network.stridePlacement == .middle3x3)
    #expect(hostile.remarks.contains("config.json next to it is not understood and is ignored"))
  }

  @Test func aKeyCannotBreakTheMessage() throws {
    let pickle = Pickle.proto + Pickle.members(Pickle.text("a\nb"), Pickle.integer(1)) + Pickle.stop
    let error = #expect(throws: WeightsError.self) {
      _ = try WeightsFile(FileBytes(HostileZIP.torch(pickle: pickle).bytes, name: "c.pth"))
    }
    #expect(error == .noStateDictionary(file: "c.pth", found: "a dictionary of 'a\\nb'"))
  }

  /// Training scripts keep a running average of the weights beside them.
  @Test func tensorsThatAreLeftOut() throws {
    let tensors = Pickle.members(Pickle.text("module.a"), Pickle.tensor())
    func remarks(_ members: [UInt8]) throws -> [String] {
      let pickle = Pickle.proto + members + Pickle.stop
      return try WeightsFile(FileBytes(HostileZIP.torch(pickle: pickle).bytes, name: "c.pth"))
        .remarks
    }
    #expect(try remarks(tensors) == [])
    #expect(
      try remarks(Pickle.members(Pickle.text("model_ema"), tensors, Pickle.text("model"), tensors))
        == ["the tensors lie under 'model'; those under 'model_ema' are left out"])
    #expect(
      try remarks(
        Pickle.members(Pickle.text("net"), tensors, Pickle.text("epoch"), Pickle.integer(3)))
        == ["the tensors lie under 'net'"])
  }
}
