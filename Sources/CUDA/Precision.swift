import ResidualExecution

/// How a GPU computes with activations and filters of convolutions. Parameters, statistics, losses
/// and sums are float32 in any case.
public enum Precision: String, SettingValue, CaseIterable {
  /// Activations and copies of the filters in IEEE half precision, sums in float32; needs loss
  /// scaling in training (Micikevicius et al.: Mixed Precision Training, 2018).
  case fp16
  /// Likewise in bfloat16: 8 bits of precision, the range of float32.
  case bf16
  /// Activations in float32; products of convolutions of numbers rounded to 11 bits.
  case tf32
  /// Float32 throughout.
  case fp32

  /// What activations are stored as.
  var activation: ElementType {
    switch self {
    case .fp16: .float16
    case .bf16: .bfloat16
    case .tf32, .fp32: .float32
    }
  }

  /// cuDNN's number for the type of activations.
  static func dataType(_ type: ElementType) -> Int32 {
    switch type {
    case .float16: 2
    case .bfloat16: 9
    default: 0
    }
  }

  /// Whether the units for matrix products may be used.
  var usesTensorCores: Bool { self != .fp32 }
}

extension OptionName {
  /// How a GPU computes.
  public static let precision = OptionName("precision", key: "precision")
  /// Where a GPU's libraries are looked for.
  public static let cudaLibraries = OptionName("libraries", key: "cuda_libraries")
}
