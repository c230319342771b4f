extension Graph {
  /// The names of the update's scalar inputs.
  public static let learningRateInput = "learningRate", momentumInput = "momentum"
  /// The output that holds the squared norms of each parameter's gradient, of the parameter before the
  /// update, and of its change, one parameter after another; see ``updatedParameters``.
  public static let squaresOutput = "squares"

  /// Adds stochastic gradient descent with momentum as nodes, so that a training step is one graph.
  ///
  ///     v ← m·v + lr·(g + λw),   w ← w − v
  ///
  /// The learning rate and the momentum are the scalar inputs `learningRate` and `momentum`; the
  /// velocity of a parameter is the slot `momentum/<parameter>`.
  ///
  /// - Parameters:
  ///   - loss: where it is not finite, parameters and velocities stay as they are.
  ///   - gradients: the gradient of each parameter that is to change.
  ///   - weightDecay: λ, for slots that are decayed.
  ///   - lossScaling: with which the gradients were computed: they are divided by its scale, and
  ///     where one of them is not finite, nothing but the scale and running statistics changes.
  ///   - maximumNorm: what the norm of all gradients is clipped to. As loss scaling, it makes every
  ///     update wait for all gradients, and a gradient that is not finite changes nothing.
  ///   - skipsFaults: whether a step whose loss or gradients are not finite changes nothing at all, running
  ///     statistics included. It waits for all gradients, too.
  ///   - rateScale: a factor of the learning rate for a parameter, by its name.
  public mutating func updateByMomentumSGD(
    of loss: Value? = nil, gradients: [String: Value], weightDecay: Float,
    lossScaling: LossScaling? = nil, maximumNorm: Float? = nil, skipsFaults: Bool = false,
    rateScale: (String) -> Float = { _ in 1 }
  ) {
    let rate = input(Self.learningRateInput)
    let momentum = input(Self.momentumInput)
    let changing = slots.compactMap { slot in
      slot.trainable ? gradients[slot.name].map { (slot, $0) } : nil
    }
    guard !changing.isEmpty else { return }
    var gates = loss.map { [$0] } ?? []
    if lossScaling != nil || maximumNorm != nil || skipsFaults {
      gates = gate(
        loss, changing.map(\.1), scale: lossScaling.map { scale(of: $0) },
        maximumNorm: maximumNorm ?? .infinity)
    }
    if skipsFaults { keepStatistics(gate: gates[0]) }
    var squares: [Value] = []
    for (slot, gradient) in changing {
      guard let parameter = value(ofSlot: slot.name) else { continue }
      let velocitySlot = StateSlot(
        name: "momentum/" + slot.name, shape: slot.shape, role: .optimizer,
        initialValue: .constant(0))
      let update = append(
        .momentumUpdate(
          .init(weightDecay: slot.decayed ? weightDecay : 0, rateScale: rateScale(slot.name))),
        [parameter, state(velocitySlot), gradient, rate, momentum] + gates,
        path: "update/" + slot.name, pass: .update)
      bind(slot.name, to: update)
      bind(velocitySlot.name, to: update.result(1))
      squares.append(update.result(2))
    }
    output(
      Self.squaresOutput,
      append(.concatenate(.init(axis: 0)), squares, path: Self.squaresOutput, pass: .update))
    if let lossScaling { update(lossScaling, gate: gates[0]) }
  }

  /// The parameters that the step updates, in the order of ``squaresOutput``.
  ///
  /// - Complexity: O(bindings).
  public var updatedParameters: [String] {
    bindings.compactMap { slot, value in
      if case .momentumUpdate = nodes[value.node].operation, value.result == 0 { slot } else { nil }
    }
  }

  /// What is finite where the loss and all gradients are, and the factors of the gradients.
  private mutating func gate(
    _ loss: Value?, _ gradients: [Value], scale: Value?, maximumNorm: Float
  ) -> [Value] {
    let scale =
      scale ?? append(.constant(.init(1)), [], path: "gradient/scale", pass: .backward)
    let norm = append(
      .gradientNorm(.init(maximum: maximumNorm)), [scale] + gradients, path: "gradient/norm",
      pass: .backward)
    guard let loss else { return [norm, norm.result(1)] }
    let sum = append(.add(.init()), [loss, norm], path: "gradient/gate", pass: .backward)
    return [sum, norm.result(1)]
  }

  /// Lets slots that change keep their values where the gate is not finite.
  private mutating func keepStatistics(gate: Value) {
    for (index, (slot, new)) in bindings.enumerated() {
      guard let old = value(ofSlot: slot) else { continue }
      rebind(
        at: index,
        to: append(.select(.init()), [gate, new, old], path: "update/" + slot, pass: .update))
    }
  }
}
