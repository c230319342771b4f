/// The matrices of Winograd's minimal filtering F(4, 3), four outputs of a filter of three taps:
///
///     outputs = Aᵀ [(G taps) ⊙ (Bᵀ inputs)]
///     tapGradients = Gᵀ [(Bᵀ inputs) ⊙ (A outputGradients)]
///
/// for the points 0, 1, −1, 1/2, −2 and ∞.
public enum WinogradTransform: CaseIterable, Sendable {
  /// Bᵀ: six inputs to six values.
  case input
  /// G: three taps to six values.
  case filter
  /// Aᵀ: six products to four outputs.
  case output
  /// A: four output gradients to six values.
  case outputGradient
  /// Gᵀ: six sums of products to the gradients of three taps.
  case filterGradient
}
