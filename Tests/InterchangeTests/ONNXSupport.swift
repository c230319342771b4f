#if ONNX
  import Foundation
  import ResidualExecution
  import ResidualImages
  import ResidualInterchange
  import ResidualONNXSchema
  import ResidualTensors
  import ResidualTestSupport
  import Testing

  extension Sample {
    /// A model whose activations stay of moderate size at any depth.
    static func onnxModel(
      _ network: Network, _ normalization: Normalization? = nil
    ) throws -> ModelFile {
      let store = Store()
      try store.initialize(network.slots, seed: 5)
      // Blocks of residual networks add to what they are given, others replace it.
      let scale: ClosedRange<Float> = network.shortcut == nil ? 0.8...1.2 : 0.1...0.3
      for slot in network.slots where slot.shape.rank == 1 {
        var source = RandomSource(RandomKey(seed: 9).derived(slot.name))
        let range: ClosedRange<Float> =
          slot.name.hasSuffix("running_var")
          ? 0.5...1.5 : slot.name.hasSuffix("weight") ? scale : -0.1...0.1
        let numbers = (0..<slot.shape.count).map { _ in
          range.lowerBound + (range.upperBound - range.lowerBound) * source.uniform()
        }
        store.write(numbers, to: slot.name)
      }
      return ModelFile(
        network: network,
        preparation: try .init(
          side: network.inputSide,
          normalization
            ?? .channels(mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])),
        classNames: (0..<network.classes).map { "class «\($0)»" }, statistics: .exact,
        tensors: Dictionary(
          uniqueKeysWithValues: network.slots.map { ($0.name, store.read($0.name)) }),
        provenance: ["steps": "7"])
    }

    /// A mean for each pixel of square images.
    static func pixelMeans(side: Int) -> Normalization {
      var source = RandomSource(RandomKey(seed: 4))
      return .perPixelMean((0..<side * side * 3).map { _ in source.uniform() })
    }
  }

  /// ONNX Runtime in Python.
  enum ONNXRuntime {
    /// Whether there is a Python with `onnx` and `onnxruntime`.
    static let isAvailable = Python.has("numpy", "onnx", "onnxruntime")

    /// One model with inputs to run it on, as files of float32.
    struct Job: Encodable {
      struct Run: Encodable {
        let input: String, shape: [Int]
        let expected: String, expectedShape: [Int]
      }
      let model: String
      var runs: [Run]
    }

    /// Checks each model, and gives for each run the largest difference from what is expected, as a
    /// share of the largest number expected.
    private static let script = """
      import json, sys, numpy, onnx, onnxruntime
      errors = []
      for job in json.load(open(sys.argv[1])):
          onnx.checker.check_model(job["model"], full_check=True)
          options = onnxruntime.SessionOptions()
          options.intra_op_num_threads = 2
          session = onnxruntime.InferenceSession(
              job["model"], options, providers=["CPUExecutionProvider"])
          for run in job["runs"]:
              array = numpy.fromfile(run["input"], "<f4").reshape(run["shape"])
              found = session.run(None, {session.get_inputs()[0].name: array})[0]
              expected = numpy.fromfile(run["expected"], "<f4").reshape(run["expectedShape"])
              if found.shape != expected.shape:
                  sys.exit(f"{found.shape}, not {expected.shape}")
              error = numpy.abs(found - expected).max() / numpy.abs(expected).max()
              errors.append(float(error))
      print(json.dumps(errors))
      """

    /// The errors of all runs, in order.
    static func errors(_ jobs: [Job], in folder: TemporaryFolder) throws -> [Double] {
      try JSONEncoder().encode(jobs).write(to: URL(filePath: folder["jobs.json"]))
      let output = try Python.run(script, folder["jobs.json"])
      // Libraries may have said something before.
      let answer = output.split(separator: "\n").last ?? ""
      return try JSONDecoder().decode([Double].self, from: Data(answer.utf8))
    }

    /// Numbers as a file.
    static func write(_ numbers: [Float], _ name: String, in folder: TemporaryFolder) throws
      -> String
    {
      try numbers.withUnsafeBytes { Data($0) }.write(to: URL(filePath: folder[name]))
      return folder[name]
    }

    /// Images with their channels first, as ONNX has them; other tensors as they are.
    static func channelsFirst(_ tensor: Tensor<Float>) -> Tensor<Float> {
      guard tensor.shape.rank == 4 else { return tensor }
      let (n, h, w, c) = (tensor.shape[0], tensor.shape[1], tensor.shape[2], tensor.shape[3])
      var numbers: [Float] = []
      for image in 0..<n {
        for channel in 0..<c {
          for pixel in 0..<h * w {
            numbers.append(tensor.scalars[(image * h * w + pixel) * c + channel])
          }
        }
      }
      return Tensor([n, c, h, w], numbers)
    }
  }
#endif
