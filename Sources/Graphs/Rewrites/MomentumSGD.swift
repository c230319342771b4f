extension Graph {
  /// The names of the update's scalar inputs.
  public static let learningRateInput = "learningRate", momentumInput = "momentum"

  /// Adds stochastic gradient descent with momentum as nodes, so that a training step is one graph.
  ///
  ///     v ← m·v + lr·(g + λw),   w ← w − v
  ///
  /// The learning rate and the momentum are the scalar inputs `learningRate` and `momentum`; the
  /// velocity of a parameter is the slot `momentum/<parameter>`.
  ///
  /// - Parameters:
  ///   - gradients: the gradient of each parameter that is to change.
  ///   - weightDecay: λ, for slots that are decayed.
  ///   - lossScaling: with which the gradients were computed: they are divided by its scale, and
  ///     where one of them is not finite, nothing but the scale changes.
  ///   - rateScale: a factor of the learning rate for a parameter, by its name.
  public mutating func updateByMomentumSGD(
    gradients: [String: Value], weightDecay: Float, lossScaling: LossScaling? = nil,
    rateScale: (String) -> Float = { _ in 1 }
  ) {
    let rate = input(Self.learningRateInput)
    let momentum = input(Self.momentumInput)
    var scaling: [Value] = []
    if let lossScaling {
      let changing = slots.filter(\.trainable).compactMap { gradients[$0.name] }
      scaling = [scale(of: lossScaling), allFinite(changing)]
    }
    for slot in slots where slot.trainable {
      guard let gradient = gradients[slot.name], let parameter = value(ofSlot: slot.name) else {
        continue
      }
      let velocitySlot = StateSlot(
        name: "momentum/" + slot.name, shape: slot.shape, role: .optimizer,
        initialValue: .constant(0))
      let update = append(
        .momentumUpdate(
          .init(weightDecay: slot.decayed ? weightDecay : 0, rateScale: rateScale(slot.name))),
        [parameter, state(velocitySlot), gradient, rate, momentum] + scaling,
        path: "update/" + slot.name, pass: .update)
      bind(slot.name, to: update)
      bind(velocitySlot.name, to: update.result(1))
    }
    if let lossScaling { update(lossScaling, finite: scaling[1]) }
  }
}
