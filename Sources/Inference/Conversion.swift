import ResidualFormats
import ResidualNetworks

/// A kind of file that a model can be converted to.
public enum ConversionTarget: Sendable {
  /// A model of this software, a safetensors file.
  case model
  /// A state dictionary for PyTorch.
  case torch
  /// A network for ONNX Runtime and others.
  case onnx(ONNXOptions)
  /// A folder for the Hugging Face Hub.
  case hub(HubFolder.Style)

  /// Writes a model, opens what was written, and runs both on the same images; only then the file or
  /// folder has its path.
  ///
  /// - Returns: the largest difference of a logit as a share of the largest one, by rounding; 0 if all
  ///   bits are the same.
  /// - Throws: ``ConversionError`` if the two differ, ``HubFolder/Unsupported``,
  ///   ``ONNXExportError``, ``FileError``, what opening and running throw.
  public func write(_ model: ModelFile, to path: String, checkedOn device: some Device) throws
    -> Float
  {
    if model.network.definition != nil {
      switch self {
      case .torch, .hub: throw ConversionError.noPlaceForLayers(file: path)
      case .model, .onnx: break
      }
    }
    return try CheckedPlace.write(to: path) { partial in
      switch self {
      case .model: try model.write(to: partial)
      case .torch: try model.writeTorch(to: partial)
      case .onnx(let options): try model.writeONNX(to: partial, options)
      case .hub(let style): try HubFolder(model, style: style).write(to: partial)
      }
      let (other, bound) = try reopened(model, at: partial)
      let difference = try ModelComparison(model, other, on: device).difference
      guard difference <= bound else {
        throw ConversionError.different(file: path, difference: difference)
      }
      return difference
    }
  }

  /// What was written, and by how much its logits may differ.
  private func reopened(_ model: ModelFile, at path: String) throws -> (ModelFile, bound: Float) {
    switch self {
    case .model: return (try OpenedModel(at: path).model, 0)
    case .torch: return (try OpenedModel(at: path, unsaid(of: model)).model, 0)
    case .hub:
      return (try OpenedModel(at: path + "/model.safetensors", unsaid(of: model)).model, 0)
    case .onnx(let options):
      try model.checkONNX(at: path, options)
      let other = try OpenedModel(at: path).model
      // Another way to compute the same is rounded otherwise.
      let isRewritten = other.network.definition != nil && model.network.definition == nil
      return (other, options.foldsNormalization || isRewritten ? 1e-4 : 0)
    }
  }

  /// What files of tensors alone do not say of a model.
  private func unsaid(of model: ModelFile) -> WeightsOptions {
    var options = WeightsOptions()
    options.model = model.network.name
    options.variant.stridePlacement = model.network.stridePlacement
    options.variant.shortcutPadding = model.network.shortcutPadding
    options.inputSide = model.network.inputSide
    if case .channels(let mean, let std) = model.preparation.normalization {
      (options.mean, options.std) = (mean, std)
    } else {
      (options.mean, options.std) = ([0, 0, 0], [1, 1, 1])
    }
    return options
  }
}

/// Why a model was not converted. Nothing was written.
public enum ConversionError: Refusal, Hashable {
  /// A network whose layers have no name, in a file that holds no layers.
  case noPlaceForLayers(file: String)
  /// Both sides give different logits.
  case different(file: String, difference: Float)

  public var kind: RefusalKind {
    switch self {
    case .noPlaceForLayers: .usage
    case .different: .output
    }
  }
  public var description: String {
    switch self {
    case .noPlaceForLayers(let file):
      "\(file): such files hold no layers, and this network has no name that stands for its own; "
        + "write a .safetensors or .onnx file"
    case .different(let file, let difference):
      "\(file): both sides give different logits, by \(difference) of the largest, so nothing was "
        + "written; this is a bug in the program; please report it"
    }
  }
}
