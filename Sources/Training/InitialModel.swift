import ResidualNetworks

/// A model whose parameters a run begins with, in place of drawn ones.
public struct InitialModel: Sendable {
  /// The path as it was given.
  public let file: String
  /// The network, its tensors, and how images are prepared for it.
  public let model: ModelFile
  /// What was recognised, assumed and converted.
  public let remarks: [Message]

  /// Opens the model that the choices of a recipe name; `nil` if they name none.
  ///
  /// - Throws: ``RecipeError``, ``SettingError``, and what `OpenedModel` throws.
  public init?(_ options: RecipeOptions) throws {
    try RecipeOptions.settings.check(options)
    guard let file = options.initialCheckpoint else { return nil }
    // What they say of the network helps to recognise it; `filling` compares them with it. A file that
    // says some of it itself takes no hint of that.
    var hints = options.network
    hints.variant = NetworkVariant()
    (hints.shortcutPadding, hints.stridePlacement) = (
      options.shortcutPadding, options.stridePlacement
    )
    var size = hints
    (size.model, size.variant) = (nil, .init())
    var preparation = size
    preparation.inputSide = nil
    let opened =
      try Self.open(file, hints) ?? Self.open(file, size) ?? OpenedModel(at: file, preparation)
    self.file = file
    (model, remarks) = (opened.model, opened.remarks)
  }

  /// Opens a file; `nil` if it says itself what the options say, or has no part that they are about.
  private static func open(_ file: String, _ options: WeightsOptions) throws -> OpenedModel? {
    do { return try OpenedModel(at: file, options) } catch WeightsError.describesItself {
      return nil
    } catch WeightsError.describesLayers { return nil } catch WeightsError.notOfNetwork {
      return nil
    }
  }

  /// A model that is open already.
  ///
  /// - Parameter file: what messages call it.
  public init(_ model: ModelFile, file: String = "the initial model") {
    (self.model, self.file) = (model, file)
    remarks = []
  }

  // MARK: The recipe

  /// Choices with the model's network where they leave it open.
  ///
  /// - Throws: ``RecipeError`` if they ask for another one.
  public func filling(_ options: RecipeOptions) throws(RecipeError) -> RecipeOptions {
    let network = model.network
    func contradiction(_ option: OptionName, _ asked: String, _ found: String?) -> RecipeError {
      .contradiction(option: option, value: asked, file: file, found: found ?? "none")
    }
    if let asked = options.model, asked != network.name {
      let asked = try canonical(asked)
      if asked != network.name { throw contradiction(.model, asked, network.name) }
    }
    for setting in NetworkVariant.settings {
      guard let asked = setting.text(options.variant.structure) else { continue }
      let found = setting.text(network.variant)
      if found != asked { throw contradiction(setting.option, asked.plain, found?.plain) }
    }
    if case .perPixelMean = model.preparation.normalization, let asked = options.inputSide,
      asked != network.inputSide
    {
      throw contradiction(.inputSide, "\(asked)", "\(network.inputSide)")
    }
    var filled = options
    filled.model = network.name
    filled.variant = network.variant.structure
    filled.gateBias = options.gateBias
    filled.inputSide = options.inputSide ?? network.inputSide
    filled.definition = network.definition
    return filled
  }

  private func canonical(_ name: String) throws(RecipeError) -> String {
    do { return try NetworkCatalog.network(named: name).name } catch { throw .network(error) }
  }

  // MARK: The tensors

  /// What a network takes over from the model.
  public struct Transfer: Sendable {
    /// By the slots' names.
    public let loaded: [String: Tensor<Float>]
    /// The slots that have first values: of heads with another number of classes, and of what the
    /// model lacks.
    public let replaced: [String]
  }

  /// The tensors for a network, which may have another number of classes.
  ///
  /// A head is taken over where all of it fits. Of auxiliary classifiers the model may lack any part.
  ///
  /// - Throws: ``ModelFileError`` for another network, or a tensor that is missing or has another shape.
  public func transfer(to network: Network) throws(ModelFileError) -> Transfer {
    guard model.network.isLike(network) else {
      throw .otherNetwork(file: file, found: model.network.name, expected: network.name)
    }
    let heads = network.heads
    func head(of slot: StateSlot) -> Int? { heads.firstIndex { $0.contains(slot.name) } }
    func fits(_ slot: StateSlot) -> Bool { model.tensors[slot.name]?.shape == slot.shape }
    let replacedHeads = Set(network.slots.filter { !fits($0) }.compactMap(head))
    var loaded: [String: Tensor<Float>] = [:]
    var replaced: [String] = []
    for slot in network.slots {
      if let head = head(of: slot), replacedHeads.contains(head) {
        replaced.append(slot.name)
      } else if let tensor = model.tensors[slot.name] {
        guard tensor.shape == slot.shape else {
          throw .wrongShape(
            file: file, name: slot.name, found: tensor.shape, expected: slot.shape)
        }
        loaded[slot.name] = tensor
      } else if network.inferenceSlots.contains(slot.name) {
        throw .missingTensor(file: file, name: slot.name, network: network.name)
      } else {
        replaced.append(slot.name)
      }
    }
    return Transfer(loaded: loaded, replaced: replaced)
  }
}

extension RecipeOptions {
  /// Checks all that can be checked before the data are there.
  ///
  /// - Parameter initial: the model that the choices name.
  /// - Throws: ``RecipeError``, ``SettingError``.
  public func check(with initial: InitialModel?) throws {
    let filled = try initial?.filling(self) ?? self
    _ = try filled.resolved(trainingCount: nil).network(classes: nil)
  }
}
