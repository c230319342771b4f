/// A dynamic loss scale as state of a graph, so that a checkpoint has it and a skipped step needs no
/// help from outside.
public struct LossScaling: Hashable, Sendable {
  /// The slots: the scale, and the steps since it last changed.
  public static let scaleSlot = "lossScale", stepsSlot = "lossScaleSteps"

  /// How the scale moves.
  public let update: Operation.LossScaleUpdate
  /// Before the first step.
  public let initialScale: Float

  /// By default 2¹⁵ and the customary factors.
  public init(_ update: Operation.LossScaleUpdate = .init(), initialScale: Float = 0x1p15) {
    (self.update, self.initialScale) = (update, initialScale)
  }

  fileprivate var slots: (scale: StateSlot, steps: StateSlot) {
    func slot(_ name: String, _ value: Float) -> StateSlot {
      StateSlot(name: name, shape: .scalar, role: .optimizer, initialValue: .constant(value))
    }
    return (slot(Self.scaleSlot, initialScale), slot(Self.stepsSlot, 0))
  }
}

extension Graph {
  /// The scale before the step: the seed of ``differentiate(_:withRespectTo:seed:)``.
  public mutating func scale(of scaling: LossScaling) -> Value { state(scaling.slots.scale) }

  /// Appends the update of the scale. It comes after all that reads the old one, and so may happen in
  /// place.
  mutating func update(_ scaling: LossScaling, gate: Value) {
    let (scale, steps) = (state(scaling.slots.scale), state(scaling.slots.steps))
    let update = append(
      .lossScaleUpdate(scaling.update), [scale, steps, gate],
      path: "update/" + LossScaling.scaleSlot, pass: .update)
    bind(LossScaling.scaleSlot, to: update)
    bind(LossScaling.stepsSlot, to: update.result(1))
  }
}
