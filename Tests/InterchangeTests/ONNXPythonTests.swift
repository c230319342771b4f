#if ONNX
  import Foundation
  import ResidualCPU
  import ResidualExecution
  import ResidualInterchange
  import ResidualReference
  import ResidualTensors
  import ResidualTestSupport
  import Testing

  /// ONNX Runtime computes what we do, and ONNX's own checker finds nothing wrong.
  @Suite(
    .serialized,
    .enabled(
      if: ONNXRuntime.isAvailable, "RESNET_PYTHON names no Python with onnx and onnxruntime"))
  struct ONNXPythonTests {
    /// All networks of the catalogue are tried where the variable is set; it takes a while.
    static let isCampaign = ProcessInfo.processInfo.environment["RESNET_ONNX_CAMPAIGN"] != nil
    static let names =
      isCampaign
      ? NetworkCatalog.names
      : [
        "resnet18", "plain18", "highway18", "googlenet", "cifar-resnet20", "cifar-plain20",
        "cifar-highway20", "cifar-single20", "cifar-bottleneck29", "cifar-preact18", "cifar-linear",
      ]

    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    /// Writes a model in several forms, and compares logits for 1 and for 7 images.
    private func compare(_ model: ModelFile, _ forms: [ONNXOptions]) throws {
      let (network, side) = (model.network, model.network.inputSide)
      let store = Store()
      try store.initialize(network.graph(.inference).slots, seed: 0)
      for slot in store.slots {
        store.write(model.tensors[slot.name]?.scalars ?? [], to: slot.name)
      }
      let session = Session(device: try CPUDevice(threads: 2), store: store)
      var images: [Tensor<Float>] = []
      var results: [Tensor<Float>] = []
      var jobs: [ONNXRuntime.Job] = []
      for (index, form) in forms.enumerated() {
        try model.writeONNX(to: folder["\(index).onnx"], form)
        try model.checkONNX(at: folder["\(index).onnx"], form)
        jobs.append(ONNXRuntime.Job(model: folder["\(index).onnx"], runs: []))
      }
      for batch in [1, 7] {
        var source = RandomSource(RandomKey(seed: 2))
        let bytes = (0..<batch * side * side * 3).map { _ in Float(source.index(below: 256)) }
        let prepared = bytes.enumerated().map { index, byte in
          switch model.preparation.normalization {
          case .perPixelMean(let mean): byte / 255 - mean[index % mean.count]
          case .channels(let mean, let std): (byte / 255 - mean[index % 3]) / std[index % 3]
          }
        }
        let shape = network.imagesShape(batch: batch)
        let plan = try session.load(
          network.graph(.inference), inputs: [Network.imagesInput: shape])
        plan.write(prepared, to: Network.imagesInput)
        plan.run()
        let logits = plan.read(Network.logitsOutput)
        images.append(Tensor(shape, prepared))
        results.append(logits)
        let pixels = ONNXRuntime.channelsFirst(Tensor(shape, bytes))
        let activations = ONNXRuntime.channelsFirst(Tensor(shape, prepared))
        let paths = (
          bytes: try ONNXRuntime.write(pixels.scalars, "images\(batch)", in: folder),
          prepared: try ONNXRuntime.write(activations.scalars, "prepared\(batch)", in: folder),
          logits: try ONNXRuntime.write(logits.scalars, "logits\(batch)", in: folder)
        )
        for (index, form) in forms.enumerated() {
          let takesBytes = (form.preprocessing ?? model.onnxPreprocessing) == .nodes
          jobs[index].runs.append(
            .init(
              input: takesBytes ? paths.bytes : paths.prepared, shape: pixels.shape.extents,
              expected: paths.logits, expectedShape: [batch, network.classes]))
        }
      }
      let errors = try ONNXRuntime.errors(jobs, in: folder)
      #expect(errors.count == 2 * forms.count)
      var bounds = [Double](repeating: 1e-4, count: 2)
      for (index, error) in errors.enumerated() {
        let batch = index % 2
        if error > bounds[batch], network.name == "cifar-plain1202" {
          // Over 1,201 layers without shortcuts, roundings grow with every layer: ours as well. Two
          // programs round alike in size, not in sign; 16 is what gradients are granted, too.
          bounds[batch] = 16 * (try Self.rounding(of: results[batch], images[batch], model))
        }
        #expect(error <= bounds[batch], "\(network.name), \(forms[index / 2]), batch \(batch)")
      }
    }

    /// The largest error of logits in single precision, as a share of the largest logit.
    private static func rounding(
      of logits: Tensor<Float>, _ images: Tensor<Float>, _ model: ModelFile
    ) throws -> Double {
      let device = ReferenceDevice()
      let session = Session(device: device, store: Store(for: device))
      let graph = model.network.graph(.inference)
      let plan = try session.load(graph, inputs: [Network.imagesInput: images.shape])
      for slot in graph.slots {
        session.store.write(model.tensors[slot.name]?.scalars ?? [], to: slot.name)
      }
      plan.write(images.scalars, to: Network.imagesInput)
      plan.run()
      let exact = plan.readDouble(Network.logitsOutput)
      let error = zip(exact, logits.scalars).reduce(0) { max($0, abs($1.0 - Double($1.1))) }
      return error / exact.reduce(0) { max($0, abs($1)) }
    }

    private static func form(
      opset: Int = 17, folds: Bool = false, _ preprocessing: ONNXOptions.Preprocessing? = nil
    ) -> ONNXOptions {
      var options = ONNXOptions()
      (options.opset, options.foldsNormalization) = (opset, folds)
      options.preprocessing = preprocessing
      return options
    }

    /// Every network, folded and not, images prepared before and in the file.
    @Test(arguments: names)
    func logits(name: String) throws {
      let isVGG = name.hasPrefix("vgg")
      let side = name.hasPrefix("cifar-") ? nil : isVGG ? 32 : 64
      let network = try NetworkCatalog.network(named: name, inputSide: side, classes: 10)
      let plain = Self.form(folds: false, .metadata)
      // VGG's classifier makes half a gigabyte of each file.
      let forms =
        isVGG
        ? [plain, Self.form(folds: true, .nodes)]
        : [
          plain, Self.form(folds: true, .metadata), Self.form(.nodes),
          Self.form(folds: true, .nodes),
        ]
      try compare(try Sample.onnxModel(network), forms)
    }

    /// Early and late operators.
    @Test(arguments: ["resnet18", "highway18", "googlenet", "cifar-resnet20", "cifar-preact18"])
    func opsets(name: String) throws {
      let side = name.hasPrefix("cifar-") ? nil : 64
      let network = try NetworkCatalog.network(named: name, inputSide: side, classes: 10)
      let forms = [9, 10, 11, 13, 17, ONNXOptions.opsets.upperBound].map { Self.form(opset: $0) }
      try compare(try Sample.onnxModel(network), forms)
    }

    /// VGG averages maps to 7×7 pixels, whatever their size.
    @Test(arguments: [32, 96, 224])
    func adaptivePooling(side: Int) throws {
      let network = try #require(
        VGG.network(depth: 16, normalizes: true, hidden: 32, inputSide: side, classes: 10))
      let forms = [Self.form(), Self.form(opset: 9, folds: true)]
      try compare(try Sample.onnxModel(network), forms)
    }

    /// Other shortcuts, and a mean for each pixel.
    @Test(arguments: [
      Shortcut.padding(.both), .padding(.end), .projection, .projectionEverywhere,
    ])
    func pixelMeans(shortcut: Shortcut) throws {
      let network = try NetworkCatalog.network(named: "cifar-resnet20", variant: .init(shortcut))
      let model = try Sample.onnxModel(network, Sample.pixelMeans(side: 32))
      try compare(model, [Self.form(), Self.form(folds: true)])
    }
  }
#endif
