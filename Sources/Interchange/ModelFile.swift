import ResidualFormats
import ResidualImages
@_exported import ResidualNetworks

/// A trained network that describes itself: a safetensors file with everything that using it needs.
///
/// Tensors have the parameters' paths; a per-pixel mean is the tensor `preprocessing.mean`. The
/// file's metadata say what the network is, how images are prepared and what the classes are called.
/// Tensors whose names begin with `training/` belong to a checkpoint, and are left out.
public struct ModelFile: Sendable {
  /// The format that this version writes. Files of a higher version are refused.
  public static let formatVersion = 2
  static let formatName = "residual-model"
  static let meanTensor = "preprocessing.mean"
  /// Begins the names of tensors that only resuming a run needs; from version 2 on.
  package static let trainingPrefix = "training/"
  /// The provenance field for the training steps that are done.
  public static let stepField = "step"

  /// How the statistics of batch normalisation came about.
  public enum Statistics: String, Hashable, Codable, Sendable {
    /// Exact over the training images, computed after training.
    case exact
    /// Moving averages from training.
    case moving
  }

  /// The network that the tensors belong to.
  public let network: Network
  /// How images are prepared for it.
  public let preparation: Preparation
  /// In the order of the logits.
  public let classNames: [String]
  /// Where the names come from.
  public let classNameSource: ClassNameSource
  /// How the running statistics came about.
  public let statistics: Statistics
  /// Parameters and running statistics by path. Those of auxiliary classifiers may be missing.
  public let tensors: [String: Tensor<Float>]
  /// What else is worth keeping: the data's name, steps, seed, version. Never needed to use the file.
  public let provenance: [String: String]

  /// A model of values in memory.
  ///
  /// - Precondition: there is a name for each class, a preparation for images of the network's size, and
  ///   a tensor of the right shape for each slot of the network, or at least for those that
  ///   classification needs.
  public init(
    network: Network, preparation: Preparation, classNames: [String],
    namedBy classNameSource: ClassNameSource = .own, statistics: Statistics,
    tensors: [String: Tensor<Float>], provenance: [String: String] = [:]
  ) {
    precondition(
      classNames.count == network.classes,
      "\(classNames.count) class names for \(network.classes) classes")
    precondition(
      preparation.side == network.inputSide,
      "images of \(preparation.side) pixels for a network of \(network.inputSide)")
    for slot in network.slots
    where network.inferenceSlots.contains(slot.name) || tensors[slot.name] != nil {
      precondition(
        tensors[slot.name]?.shape == slot.shape, "tensor \(slot.name) must have \(slot.shape)")
    }
    self.network = network
    self.preparation = preparation
    (self.classNames, self.classNameSource) = (classNames, classNameSource)
    self.statistics = statistics
    self.tensors = tensors
    self.provenance = provenance
  }

  /// The same model, prepared for otherwise or with other names for its classes.
  ///
  /// - Precondition: there is a name for each class, and the preparation is for images of this size.
  public func replacing(preparation: Preparation? = nil, classNames: [String]? = nil) -> ModelFile {
    ModelFile(
      network: network, preparation: preparation ?? self.preparation,
      classNames: classNames ?? self.classNames,
      namedBy: classNames == nil ? classNameSource : .given, statistics: statistics,
      tensors: tensors, provenance: provenance)
  }

  /// The same model with a mean for each pixel replaced by each channel's average of it.
  public func averagingMean() -> ModelFile {
    guard case .perPixelMean(let mean) = preparation.normalization else { return self }
    let average = (0..<3).map { channel in
      Float(
        stride(from: channel, to: mean.count, by: 3).reduce(0.0) { $0 + Double(mean[$1]) }
          / Double(mean.count / 3))
    }
    let channels = Normalization.channels(mean: average, std: [1, 1, 1])
    return (try? preparation.replacing(channels)).map { replacing(preparation: $0) } ?? self
  }

  /// Writes the file whole or not at all.
  ///
  /// - Throws: ``FileError``.
  public func write(to path: String) throws {
    try Safetensors.write(entries, metadata: metadata, to: path)
  }

  /// The tensors of the file.
  package var entries: [SafetensorsEntry] {
    var entries = tensors.map { SafetensorsEntry($0.key, $0.value) }
    if case .perPixelMean(let mean) = preparation.normalization {
      let side = network.inputSide
      entries.append(SafetensorsEntry(Self.meanTensor, Tensor([side, side, 3], mean)))
    }
    return entries
  }

  /// The description in the file's header.
  package var metadata: [String: String] { ModelMetadata(self).fields }

  /// Reads a file and checks that it holds what its description says.
  ///
  /// - Parameter network: the network that it must be, such as one of the caller's own layers, which
  ///   a file only names; `nil` for any that can be built from what the file says.
  /// - Throws: ``FileError``, `SafetensorsError` or ``ModelFileError``.
  public init(at path: String, network: Network? = nil) throws {
    try self.init(Safetensors(at: path), network: network)
  }

  /// The provenance of the model in a file, of which no tensor is read.
  ///
  /// - Throws: ``FileError``, `SafetensorsError` or ``ModelFileError``.
  package static func provenance(at path: String) throws -> [String: String] {
    try ModelMetadata(Safetensors(at: path).metadata, file: path).provenance
  }

  /// Checks that a file holds what its description says, and reads it.
  ///
  /// - Throws: `SafetensorsError` or ``ModelFileError``.
  package init(_ file: Safetensors, network expected: Network? = nil) throws {
    let path = file.file.name
    let metadata = try ModelMetadata(file.metadata, file: path)
    network = try metadata.network(expected, file: path)
    let slots = network.slots
    var tensors: [String: Tensor<Float>] = [:]
    for slot in slots {
      guard let record = file[slot.name] else {
        guard network.inferenceSlots.contains(slot.name) else { continue }
        throw ModelFileError.missingTensor(file: path, name: slot.name, network: network.name)
      }
      guard record.shape == slot.shape else {
        throw ModelFileError.wrongShape(
          file: path, name: slot.name, found: record.shape, expected: slot.shape)
      }
      tensors[slot.name] = try file.floats(slot.name)
    }
    let known = Set(slots.map(\.name)).union([Self.meanTensor])
    func isTraining(_ name: String) -> Bool {
      metadata.version > 1 && name.utf8.starts(with: Self.trainingPrefix.utf8)
    }
    if let extra = file.names.first(where: { !known.contains($0) && !isTraining($0) }) {
      throw ModelFileError.extraTensor(file: path, name: extra, network: network.name)
    }
    self.tensors = tensors
    preparation = try metadata.preparation(of: network, file: path, in: file)
    (classNames, statistics) = (metadata.classNames, metadata.statistics)
    classNameSource = metadata.classNameSource
    provenance = metadata.provenance
  }
}

/// Why a file is not a model of ours.
public enum ModelFileError: Refusal, Hashable {
  /// A safetensors file without our description.
  case notAModel(file: String)
  /// A format version above ``ModelFile/formatVersion``.
  case newerVersion(file: String, version: String)
  /// A field of the description that is missing, malformed or contradicts another.
  case badField(file: String, field: String, value: String)
  /// A field whose value only a later version can know.
  case unknownValue(file: String, field: String, value: String)
  /// A preparation of images whose parts contradict each other, or the network.
  case contradiction(file: String, reason: String)
  /// A graph of layers that cannot be read.
  case badGraph(file: String, reason: String)
  /// A tensor that the description calls for and the file lacks.
  case missingTensor(file: String, name: String, network: String)
  /// A tensor that the network has no place for.
  case extraTensor(file: String, name: String, network: String)
  /// A tensor whose shape is not that of the network's slot, or of its images.
  case wrongShape(file: String, name: String, found: Shape, expected: Shape)
  /// A model whose network or classes are not those that were asked for.
  case otherNetwork(file: String, found: String, expected: String)

  public var kind: RefusalKind { .input }
  public var description: String {
    switch self {
    case .notAModel(let file):
      "\(file): this safetensors file does not describe a network; use a model that this system wrote"
    case .newerVersion(let file, let version):
      "\(file): format version '\(Printable(version))' is newer than \(ModelFile.formatVersion); "
        + "update this program"
    case .badField(let file, "network", let value):
      "\(file): network '\(Printable(value.prefix(80)))' cannot be built from its name and options; a program that "
        + "has its layers must give them"
    case .badField(let file, let field, let value):
      "\(file): the description's '\(field)' is '\(Printable(value.prefix(80)))', which cannot be right; "
        + "write the file again"
    case .unknownValue(let file, let field, let value):
      "\(file): the description's '\(field)' is '\(Printable(value.prefix(80)))', which this version does "
        + "not know; update this program, or write the file again"
    case .contradiction(let file, let reason):
      "\(file): its description contradicts itself: \(reason); write the file again"
    case .badGraph(let file, let reason): "\(file): its layers cannot be read: \(reason)"
    case .missingTensor(let file, let name, let network):
      "\(file): tensor '\(Printable(name))' of \(Printable(network)) is missing; the file is incomplete"
    case .extraTensor(let file, let name, let network):
      "\(file): tensor '\(Printable(name))' does not belong to \(Printable(network)); "
        + "the file is damaged, or of another network"
    case .wrongShape(let file, let name, let found, let expected):
      "\(file): tensor '\(Printable(name))' has shape \(found), but the network needs \(expected); "
        + "the file is damaged, or of another network"
    case .otherNetwork(let file, let found, let expected):
      "\(file): this is a \(Printable(found))"
        + (found == expected
          ? " of other classes or options than are asked for"
          : ", not the \(expected) that is asked for") + "; give the file that belongs to it"
    }
  }
}
