import Foundation
import ResidualInterchange
import ResidualTestSupport
import Testing

/// Model files are safetensors to others, too.
@Suite struct PythonTests {
  private static let script = """
    import json, sys
    from safetensors import safe_open
    with safe_open(sys.argv[1], framework="np") as file:
        tensors = {}
        for name in file.keys():
            tensor = file.get_tensor(name)
            bits = tensor.reshape(-1).view("<u4").tolist()
            tensors[name] = {"shape": list(tensor.shape), "bits": bits}
        metadata = file.metadata()
    metadata["class_names"] = json.loads(metadata["class_names"])
    print(json.dumps({"metadata": metadata, "tensors": tensors}))
    """

  private struct Answer: Decodable {
    struct Tensor: Decodable {
      let shape: [Int]
      let bits: [UInt32]
    }
    struct Metadata: Decodable {
      let format: String, network: String, shortcut: String
      let classNames: [String]
      enum CodingKeys: String, CodingKey {
        case format, network, shortcut
        case classNames = "class_names"
      }
    }
    let metadata: Metadata
    let tensors: [String: Tensor]
  }

  @Test(
    .enabled(
      if: Python.has("safetensors", "numpy"),
      "RESNET_PYTHON names no Python with safetensors and numpy"))
  func readableByPython() throws {
    let folder = try TemporaryFolder()
    let names = ["\"cat\"", "狐 🦊", "dog"]
    let model = try Sample.model("cifar-resnet8", .projection, classNames: names)
    try model.write(to: folder["model.safetensors"])

    let output = try Python.run(Self.script, folder["model.safetensors"])
    let answer = try JSONDecoder().decode(Answer.self, from: Data(output.utf8))
    #expect(answer.metadata.format == "residual-model" && answer.metadata.shortcut == "B")
    #expect(answer.metadata.network == "cifar-resnet8")
    #expect(answer.metadata.classNames == names)
    #expect(answer.tensors.count == model.tensors.count + 1)
    for (name, tensor) in model.tensors {
      #expect(answer.tensors[name]?.shape == tensor.shape.extents)
      #expect(answer.tensors[name]?.bits == tensor.scalars.map(\.bitPattern))
    }
    #expect(answer.tensors["preprocessing.mean"]?.shape == [32, 32, 3])
  }
}
