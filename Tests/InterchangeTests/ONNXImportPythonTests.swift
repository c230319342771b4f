#if ONNX
  import Foundation
  import ResidualCPU
  import ResidualExecution
  import ResidualInterchange
  import ResidualTestSupport
  import Testing

  /// Graphs of other programs, with random numbers, against ONNX Runtime: those that the package
  /// `onnx` brings for its backend tests.
  @Suite(
    .serialized,
    .enabled(
      if: ONNXRuntime.isAvailable, "RESNET_PYTHON names no Python with onnx and onnxruntime"))
  struct ONNXImportPythonTests {
    /// Constants become drawn numbers of the size that keeps activations moderate. Results are
    /// written as probabilities.
    private static let script = """
      import os, sys
      import numpy, onnx, onnxruntime
      from onnx import numpy_helper
      name, folder = sys.argv[1:]
      root = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "light")
      model = onnx.load(os.path.join(root, f"light_{name}.onnx"))
      random = numpy.random.default_rng(7)
      shapes = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
      uses = {v: (n.op_type, i) for n in model.graph.node for i, v in enumerate(n.input)}
      nodes = []
      for node in model.graph.node:
          if node.op_type != "ConstantOfShape":
              nodes.append(node)
              continue
          shape = tuple(int(extent) for extent in shapes[node.input[0]])
          use = uses[node.output[0]]
          if use == ("BatchNormalization", 4):
              array = random.uniform(0.5, 1.5, shape)
          elif use == ("BatchNormalization", 1) or use[0] in ("Mul", "Unsqueeze"):
              array = random.uniform(0.5, 1.0, shape)
          elif len(shape) > 1:
              fan = numpy.prod(shape[1:]) if use[0] == "Conv" else max(shape)
              array = random.normal(0, numpy.sqrt(2 / fan), shape)
          else:
              array = random.normal(0, 0.1, shape)
          model.graph.initializer.append(
              numpy_helper.from_array(array.astype("float32"), node.output[0]))
      del model.graph.node[:]
      model.graph.node.extend(nodes)
      onnx.save(model, os.path.join(folder, name + ".onnx"))
      image = random.normal(0, 1, (1, 3, 224, 224)).astype("float32")
      image.transpose(0, 2, 3, 1).tofile(os.path.join(folder, "image"))
      session = onnxruntime.InferenceSession(
          os.path.join(folder, name + ".onnx"), providers=["CPUExecutionProvider"])
      inputs = {v.name for v in model.graph.input} - {t.name for t in model.graph.initializer}
      result = session.run(None, {inputs.pop(): image})[0].reshape(-1).astype("float64")
      if not any(node.op_type == "Softmax" for node in nodes):
          result = numpy.exp(result - result.max())
          result /= result.sum()
      result.astype("float32").tofile(os.path.join(folder, "result"))
      """

    @Test(arguments: [
      ("resnet50", 50), ("densenet121", 121), ("inception_v2", 34), ("squeezenet", 18),
    ])
    func light(name: String, depth: Int) throws {
      try compare(Self.script, name, depth: depth)
    }

    /// Relatives of residual networks, with random numbers: groups of channels, gates on them, and
    /// what prepares images channel by channel.
    private static let torchScript = """
      import os, sys
      import torch, torchvision, onnxruntime
      name, folder = sys.argv[1:]
      torch.manual_seed(1)
      class Normalized(torch.nn.Module):
          def __init__(self):
              super().__init__()
              self.network = torchvision.models.resnet18(weights=None)
              self.mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
              self.std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
          def forward(self, images):
              return self.network((images - self.mean) / self.std)
      if name == "normalized":
          model = Normalized()
      elif name == "googlenet":
          model = torchvision.models.googlenet(
              weights=None, aux_logits=False, transform_input=True, init_weights=False)
      else:
          model = torchvision.models.get_model(name, weights=None)
      with torch.no_grad():
          model(torch.randn(4, 3, 224, 224))
      model.eval()
      image = torch.randn(1, 3, 224, 224)
      path = os.path.join(folder, name + ".onnx")
      torch.onnx.export(model, (image,), path, opset_version=17, dynamo=False,
                        input_names=["images"], dynamic_axes={"images": {0: "batch"}})
      image.permute(0, 2, 3, 1).contiguous().numpy().tofile(os.path.join(folder, "image"))
      session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
      logits = torch.from_numpy(session.run(None, {"images": image.numpy()})[0]).double()
      # Networks that have learnt nothing hardly tell classes apart; this does for them.
      logits = (logits - logits.mean()) / logits.std()
      torch.softmax(logits, 1).float().numpy().tofile(os.path.join(folder, "result"))
      """

    @Test(
      .enabled(if: Python.has("torchvision"), "RESNET_PYTHON has no torchvision"),
      arguments: [
        ("resnext50_32x4d", 50), ("regnet_y_400mf", 82), ("googlenet", 22), ("normalized", 18),
      ])
    func relative(name: String, depth: Int) throws {
      try compare(Self.torchScript, name, depth: depth, standardizes: true)
    }

    private func compare(_ script: String, _ name: String, depth: Int, standardizes: Bool = false)
      throws
    {
      let folder = try TemporaryFolder()
      try Python.run(script, name, folder.path)
      let model = try OpenedModel(at: folder[name + ".onnx"]).model
      #expect(model.network.depth == depth)
      func numbers(_ file: String) throws -> [Float] {
        try Data(contentsOf: URL(filePath: folder[file])).withUnsafeBytes {
          Array($0.bindMemory(to: Float.self))
        }
      }
      let device = try CPUDevice(threads: 2)
      let session = Session(device: device, store: Store(for: device))
      let plan = try session.load(
        model.network.graph(.inference), inputs: [Network.imagesInput: [1, 224, 224, 3]])
      for (name, tensor) in model.tensors { session.store.write(tensor.scalars, to: name) }
      plan.write(try numbers("image"), to: Network.imagesInput)
      plan.run()
      var logits = plan.read(Network.logitsOutput).scalars.map(Double.init)
      if standardizes {
        let mean = logits.reduce(0, +) / Double(logits.count)
        let variance =
          logits.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(logits.count - 1)
        logits = logits.map { ($0 - mean) / variance.squareRoot() }
      }
      let largest = try #require(logits.max())
      let sum = logits.reduce(0) { $0 + exp($1 - largest) }
      let expected = try numbers("result").map(Double.init)
      let error = zip(logits, expected).reduce(0) { max($0, abs(exp($1.0 - largest) / sum - $1.1)) }
      let scale = try #require(expected.max())
      // The classes are told apart, or the comparison would say little.
      #expect(scale > 3 / Double(expected.count))
      #expect(error / scale < 1e-4)
    }
  }
#endif
