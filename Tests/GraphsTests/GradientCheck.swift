import ResidualReference
import Testing

/// A graph in which gradients of `loss` are checked against central differences.
///
/// Slots that the graph changes must not matter for its loss, as running statistics do not.
struct GradientCheck {
  let session: Session<ReferenceDevice>
  let plan: LoadedPlan<ReferenceDevice>
  /// The loss alone, for the difference quotients.
  private let forward: LoadedPlan<ReferenceDevice>
  let parameters: [String]

  /// - Parameters:
  ///   - graph: has the scalar output `loss`; gradients and their outputs are added here.
  ///   - parameters: the slots with respect to which the loss is differentiated.
  ///   - inputs: the numbers and shapes of inputs; `labels` are made up.
  init(
    _ graph: Graph, parameters: [String], inputs: [String: Tensor<Double>] = [:],
    labels: [String: [Int32]] = [:], seed: UInt64 = 1
  ) throws {
    let original = graph
    var graph = graph
    let loss = try #require(graph.output("loss"))
    let gradients = graph.differentiate(loss, withRespectTo: parameters)
    for name in parameters {
      graph.output("gradient/" + name, try #require(gradients[name], "no gradient of \(name)"))
    }
    session = Session(device: ReferenceDevice(), store: Store(realType: .float64))
    var shapes = inputs.mapValues(\.shape)
    for (name, values) in labels { shapes[name] = [values.count] }
    plan = try session.load(graph, inputs: shapes, seed: seed)
    forward = try session.load(original, inputs: shapes)
    for plan in [plan, forward] {
      for (name, tensor) in inputs { plan.write(tensor.scalars, to: name) }
      for (name, values) in labels { plan.write(values, to: name) }
    }
    self.parameters = parameters
  }

  /// Compares at most `limit` entries of each parameter.
  ///
  /// The difference quotient has an error of about ε² from the next term of the series and of
  /// 10⁻¹⁶ / ε from rounding, so that 10⁻⁷ is ample where nothing has a kink.
  func run(
    limit: Int = .max, absolute: Double = 1e-7, relative: Double = 1e-5,
    location: SourceLocation = #_sourceLocation
  ) {
    let step = 1e-6
    plan.poison()
    plan.run()
    let gradients = parameters.map { plan.readDouble("gradient/" + $0) }
    for (name, gradient) in zip(parameters, gradients) {
      let values = session.store.readDouble(name)
      let distance = 1 + (values.count - 1) / limit
      var largest = 0.0
      var errors: [String] = []
      for index in stride(from: 0, to: values.count, by: distance) {
        func loss(_ difference: Double) -> Double {
          var changed = values
          changed[index] += difference
          session.store.write(changed, to: name)
          forward.run()
          return forward.readDouble("loss")[0]
        }
        let quotient = (loss(step) - loss(-step)) / (2 * step)
        if !(abs(gradient[index] - quotient) <= absolute + relative * abs(quotient)) {
          errors.append("[\(index)] is \(gradient[index]), by differences \(quotient)")
        }
        largest = max(largest, abs(gradient[index]))
      }
      #expect(
        errors.isEmpty, "\(name): \(errors.count) wrong; \(errors.first ?? "")",
        sourceLocation: location)
      session.store.write(values, to: name)
      // Where all gradients vanish nothing has been compared.
      #expect(largest > 1e-5, "\(name) has no gradient to speak of", sourceLocation: location)
    }
  }
}

/// Numbers in -1..<1 that depend on their name.
func numbers(_ name: String, _ shape: Shape) -> Tensor<Double> {
  var source = RandomSource(RandomKey(seed: 11).derived(name))
  return Tensor(shape, (0..<shape.count).map { _ in 2 * Double(source.uniform()) - 1 })
}

/// A slot that starts with normally distributed numbers.
func variable(_ name: String, _ shape: Shape) -> StateSlot {
  StateSlot(
    name: name, shape: shape, role: .parameter, initialValue: .normal(standardDeviation: 1))
}

/// Checks the gradients of one operation.
///
/// Its result `[N, …]` goes through a fixed random map to three classes and a cross-entropy with
/// weights, so that every element of the result has a gradient of its own.
func checkGradients(
  _ variables: [(String, Shape)], result: Shape, inputs: [String: Tensor<Double>] = [:],
  labels wholeInputs: [String: [Int32]] = [:], location: SourceLocation = #_sourceLocation,
  _ build: (inout Graph, [Value]) -> Value
) throws {
  var graph = Graph()
  let operands = variables.map { graph.state(variable($0, $1)) }
  let value = build(&graph, operands)
  var inputs = inputs
  inputs["weights"] = Tensor([result[0]], (0..<result[0]).map { 1 / Double($0 + 1) })
  let logits: Value
  if result.rank == 4 {
    inputs["head"] = numbers("head", [3, result[3], result[1], result[2]])
    let map = graph.append(.convolution(.init()), [value, graph.input("head")], path: "map")
    logits = graph.append(.globalAveragePooling(.init()), [map], path: "logits")
  } else {
    inputs["head"] = numbers("head", [result[1], 3])
    logits = graph.append(.matrixProduct(.init()), [value, graph.input("head")], path: "logits")
  }
  graph.output(
    "loss",
    graph.append(
      .softmaxCrossEntropy(.init()),
      [logits, graph.input("labels", .int32), graph.input("weights")], path: "loss"))
  let labels = (0..<result[0]).map { Int32($0 % 3) }
  let check = try GradientCheck(
    graph, parameters: variables.map(\.0), inputs: inputs,
    labels: wholeInputs.merging(["labels": labels]) { $1 })
  check.run(location: location)
}
