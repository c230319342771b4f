import ResidualFormats
import ResidualImages
import ResidualNetworks
import ResidualTensors

/// A model from a file of any kind that is read.
public struct OpenedModel: Sendable {
  /// The network with its parameters, as if it had been trained here.
  public let model: ModelFile
  /// What was recognised, assumed and converted, in words; nothing for a model of ours.
  public let remarks: [Message]

  /// Opens a model of ours, or weights from elsewhere: a file, or a folder of Hugging Face.
  ///
  /// - Parameter network: the network that the tensors are of, such as one of the caller's own layers;
  ///   `nil` for the one that the file names or that is recognised. An ONNX file has its own.
  /// - Throws: ``FileError``, `SafetensorsError`, `TorchError`, ``ONNXError``, ``ModelFileError``,
  ///   ``WeightsError`` or ``NetworkNameError``.
  public init(
    at path: String, _ options: WeightsOptions = .init(), network: Network? = nil
  ) throws {
    try WeightsOptions.settings.check(options)
    let bytes = try FileBytes(at: Self.file(at: path))
    self =
      try ONNXFile.begins(bytes)
      ? Self(onnx: bytes, options) : Self(WeightsFile(bytes), options, network)
  }

  /// The file that is read at a path: in a folder of Hugging Face, that of the tensors.
  package static func file(at path: String) -> String { HubConfiguration.tensors(at: path) }

  private init(_ whole: WeightsFile, _ options: WeightsOptions, _ expected: Network?) throws {
    if let own = whole.safetensors, ModelMetadata.describes(own.metadata) {
      guard options.given.isEmpty else {
        throw WeightsError.describesItself(file: whole.path, given: options.given)
      }
      self.init(try ModelFile(own, network: expected), remarks: [])
      return
    }
    let asked = options
    let file = Self.part(of: whole, options, expected)
    var (options, remarks) = (options, file.remarks.map { Message($0) })
    let (slots, names) = try Self.slots(of: file)
    remarks.append("its names are \(names.title)")
    let configuration = HubConfiguration(beside: file.path)
    if let configuration {
      if let activation = configuration.activation, activation != "relu" {
        throw WeightsError.notRecognized(
          file: file.path,
          reason: "config.json next to it asks for the activation '\(Printable(activation))'")
      }
      let (filled, remark) = configuration.filling(options)
      options = filled
      remarks.append(remark)
    } else if HubConfiguration.isThere(beside: file.path) {
      remarks.append("config.json next to it is not understood and is ignored")
    }
    let network = try expected ?? Self.network(file, slots, names, options, &remarks)
    try asked.check(for: network, from: file.path)
    let classNames = configuration?.classNames.flatMap { $0.count == network.classes ? $0 : nil }
    try self.init(
      network, Self.tensors(file, slots, network),
      Self.preparation(options, of: network, &remarks),
      named: classNames.map { ($0, .own) }, options, remarks)
  }

  /// A network from elsewhere with its tensors.
  ///
  /// - Parameter classes: their names, and where these come from; `nil` if the file has none.
  init(
    _ network: Network, _ tensors: [String: Tensor<Float>], _ preparation: Preparation,
    named classes: ([String], ClassNameSource)?, _ options: WeightsOptions, _ remarks: [Message]
  ) throws {
    var (tensors, remarks) = (tensors, remarks)
    if let name = Self.firstUnusable(tensors) {
      remarks.append(
        "tensor '\(Printable(name))' has elements that are infinite, NaN, or variances below zero: the "
          + "network cannot be used as it is")
    }
    if options.channelOrder == .bgr {
      try Self.reverseChannels(&tensors, of: network)
      remarks.append(
        "the first filter's channels were turned from BGR to RGB"
          + (options.mean == nil && options.std == nil
            ? "" : ", and so were the given mean and std"))
    }
    let (names, source) = classes ?? ClassNameSource.standing(for: network.classes)
    if source == .imageNet {
      remarks.append("assumed: its classes are ImageNet's, in the order of their WordNet numbers")
    }
    self.init(
      ModelFile(
        network: network, preparation: preparation, classNames: names, namedBy: source,
        statistics: .moving, tensors: tensors,
        provenance: ["imported": remarks.joined("; ").description]),
      remarks: remarks)
  }

  private init(_ model: ModelFile, remarks: [Message]) {
    (self.model, self.remarks) = (model, remarks)
  }

  /// The same model with names for its classes.
  ///
  /// - Parameter path: of a file with one name a line, in the order of the logits.
  /// - Throws: ``FileError``, ``WeightsError/wrongClassNames(file:found:classes:)``.
  public func naming(classesBy path: String) throws -> OpenedModel {
    let file = try FileBytes(at: path)
    let text = file.text(in: 0..<file.count) ?? ""
    // A byte order mark is no part of a name.
    let start = text.unicodeScalars.first == "\u{FEFF}" ? 1 : 0
    var names = String(text.unicodeScalars.dropFirst(start))
      .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    if names.last?.isEmpty == true { names.removeLast() }
    guard names.count == model.network.classes, !names.contains(where: \.isEmpty) else {
      throw WeightsError.wrongClassNames(
        file: path, found: names.count { !$0.isEmpty }, classes: model.network.classes)
    }
    return OpenedModel(model.replacing(classNames: names.map(String.init)), remarks: remarks)
  }

  /// The first tensor that makes every logit NaN.
  private static func firstUnusable(_ tensors: [String: Tensor<Float>]) -> String? {
    tensors.filter { name, tensor in
      let isVariance = name.hasSuffix(BatchNormalization.runningVariance)
      return !tensor.scalars.allSatisfy { $0.isFinite && !(isVariance && $0 < 0) }
    }.keys.min()
  }

  // MARK: Parts

  /// The part of a file under the first prefix where a network is complete. Where none is, the whole, or
  /// what stands under a prefix that all names have.
  private static func part(
    of file: WeightsFile, _ options: WeightsOptions, _ expected: Network?
  ) -> WeightsFile {
    let named =
      expected
      ?? options.model.flatMap {
        try? NetworkCatalog.network(
          named: $0, variant: options.variant, inputSide: options.inputSide)
      }
    let prefixes = file.prefixes(
      before: WeightNames.firstTensors + (named?.slots.first.map { [$0.name] } ?? []))
    let complete = prefixes.first { prefix in
      guard let (slots, names) = try? slots(of: file.under(prefix)) else { return false }
      let shapes = slots.mapValues(\.shape)
      if let named { return named.inferenceSlots.allSatisfy { shapes[$0] != nil } }
      var remarks: [Message] = []
      let network = try? network(file, slots, names, options, &remarks)
      return network.map { $0.inferenceSlots.allSatisfy { shapes[$0] != nil } } ?? false
    }
    return file.under(
      complete ?? prefixes.last { prefix in file.entries.allSatisfy { $0.name.hasPrefix(prefix) } }
        ?? "")
  }

  /// The file's tensors by the slots that their names mean.
  private static func slots(of file: WeightsFile) throws -> (
    [String: WeightsFile.Entry], WeightNames
  ) {
    let names = WeightNames(of: file.entries.lazy.map(\.name))
    var slots: [String: WeightsFile.Entry] = [:]
    for entry in file.entries {
      guard let slot = names.slot(entry.name) else { continue }
      if let other = slots[slot] {
        throw WeightsError.sameSlot(
          file: file.path, first: other.fullName, second: entry.fullName, slot: slot)
      }
      slots[slot] = entry
    }
    return (slots, names)
  }

  private static func network(
    _ file: WeightsFile, _ slots: [String: WeightsFile.Entry], _ names: WeightNames,
    _ options: WeightsOptions, _ remarks: inout [Message]
  ) throws -> Network {
    // Names after akamaster are those of networks that put half of the zeros before.
    let padding = options.shortcutPadding ?? (names == .cifar ? .both : nil)
    let shapes = slots.mapValues(\.shape)
    let result = Result { () throws(RecognizedNetwork.Unrecognized) in
      try RecognizedNetwork(
        shapes, padding: padding, stridePlacement: options.stridePlacement)
    }
    let found = try? result.get()
    if let name = options.model {
      // The tensors tell what the name leaves open, as far as they are understood.
      func named(classes: Int?) throws -> Network {
        try NetworkCatalog.network(
          named: name, variant: found?.variant(options) ?? options.variant,
          inputSide: options.inputSide, classes: classes)
      }
      let classifier = try named(classes: nil).classifier + ".weight"
      guard let classes = try? RecognizedNetwork.classes(shapes, classifier) else {
        throw WeightsError.missingTensor(file: file.path, slot: classifier, network: name)
      }
      return try named(classes: classes)
    }
    let recognized: RecognizedNetwork
    do { recognized = try result.get() } catch {
      throw WeightsError.notRecognized(file: file.path, reason: error.reason)
    }
    let network: Network
    do {
      network = try NetworkCatalog.network(
        named: recognized.name, variant: recognized.variant(options),
        inputSide: options.inputSide, classes: recognized.classes)
    } catch {
      throw WeightsError.notRecognized(
        file: file.path, reason: "\(list(recognized.reasons)) are of no network here")
    }
    remarks.append("\(network.name) of \(recognized.classes) classes: \(list(recognized.reasons))")
    remarks += recognized.assumed.map { "assumed: " + $0 }
    if names == .cifar, options.shortcutPadding == nil, case .padding = network.shortcut {
      remarks.append("assumed from the names: half of the zero channels stand before")
    }
    if options.inputSide == nil {
      remarks.append("assumed: images of \(network.inputSide) pixels (\(OptionName.inputSide))")
    }
    return network
  }

  /// The elements of every slot.
  private static func tensors(
    _ file: WeightsFile, _ slots: [String: WeightsFile.Entry], _ network: Network
  ) throws -> [String: Tensor<Float>] {
    let needed = network.inferenceSlots
    var tensors: [String: Tensor<Float>] = [:]
    var rest = slots
    for slot in network.slots {
      guard let entry = rest.removeValue(forKey: slot.name) else {
        guard needed.contains(slot.name) else { continue }
        throw WeightsError.missingTensor(
          file: file.path, slot: slot.name, network: network.name)
      }
      // A fully-connected layer may be kept as a convolution over the whole map, number by number the
      // same.
      let isFlat =
        slot.shape.rank == 2 && entry.shape.rank == 4
        && Shape.checkedCount(entry.shape.extents) == Shape.checkedCount(slot.shape.extents)
        && entry.shape[0] == slot.shape[0]
      guard entry.shape == slot.shape || isFlat else {
        throw WeightsError.wrongShape(
          file: file.path, name: entry.fullName, found: entry.shape, slot: slot.name,
          expected: slot.shape)
      }
      tensors[slot.name] = Tensor(slot.shape, try file.floats(entry).scalars)
    }
    if let extra = rest.values.min(by: { $0.name < $1.name }) {
      throw WeightsError.extraTensor(file: file.path, name: extra.fullName, network: network.name)
    }
    return tensors
  }

  private static func list(_ parts: [String]) -> String { parts.joined(separator: ", ") }
}

extension RecognizedNetwork {
  /// What the tensors show of a network's options, and what they do not as it is asked for.
  fileprivate func variant(_ options: WeightsOptions) -> NetworkVariant {
    NetworkVariant.settings.filling(variant, from: options.variant)
  }
}
