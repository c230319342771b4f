import ResidualInterchange
import ResidualTestSupport
import Testing

/// Weights go from PyTorch to here, and back to those who read them: every bit is the same, and every
/// tensor finds its place. Only the count of batches is not kept, which nothing reads.
@Suite(
  .enabled(
    if: Python.has("torch", "torchvision", "safetensors.torch"),
    "RESNET_PYTHON names no Python with torch, torchvision and safetensors"))
struct RoundTripPythonTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// Writes a network of torchvision with random parameters and statistics, in both kinds of file.
  private static let make = """
    import sys, torch, torchvision
    from safetensors.torch import save_file
    name, place = sys.argv[1:]
    torch.manual_seed(1)
    network = getattr(torchvision.models, name)(num_classes=7)
    with torch.no_grad():
        for key, tensor in network.state_dict().items():
            if key.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif tensor.dim() == 1:
                tensor.uniform_(-1, 1)
    torch.save(network.state_dict(), place + ".pth")
    save_file(network.state_dict(), place + ".safetensors")
    """

  /// Defines `original`, and `bits`: of the tensors of a state dict, by name.
  private static let check = """
    import sys, torch, torchvision
    from safetensors.torch import load_file
    name, theirs, ours = sys.argv[1:]
    def bits(tensors):
        assert all(tensor.dtype in (torch.float32, torch.int64) for tensor in tensors.values())
        return {key: (tuple(tensor.shape), tensor.contiguous().numpy().tobytes())
                for key, tensor in tensors.items() if not key.endswith("num_batches_tracked")}
    original = getattr(torchvision.models, name)(num_classes=7)
    original.load_state_dict(torch.load(theirs, weights_only=True), strict=True)

    """

  /// The model as it is read here from PyTorch's file.
  private func model(_ network: String, _ kind: String) throws -> ModelFile {
    try Python.run(Self.make, network, folder["theirs"])
    return try OpenedModel(at: folder["theirs.\(kind)"]).model
  }

  private func check(_ network: String, _ script: String, _ file: String) throws {
    try Python.run(Self.check + script, network, folder["theirs.pth"], folder[file])
  }

  @Test(arguments: ["resnet18", "resnet50"], ["pth", "safetensors"])
  func torch(network: String, kind: String) throws {
    let model = try model(network, kind)
    try model.writeTorch(to: folder["ours.pth"])
    try model.write(to: folder["ours.safetensors"])
    let compare = """
      network = getattr(torchvision.models, name)(num_classes=7)
      network.load_state_dict(tensors, strict=True)
      assert bits(network.state_dict()) == bits(original.state_dict())
      """
    try check(network, "tensors = torch.load(ours, weights_only=True)\n" + compare, "ours.pth")
    try check(network, "tensors = load_file(ours)\n" + compare, "ours.safetensors")
  }

  @Test(
    .enabled(if: Python.has("timm"), "RESNET_PYTHON names no Python with timm"),
    arguments: ["resnet18", "resnet50"])
  func timm(network: String) throws {
    try HubFolder(model(network, "pth"), style: .timm).write(to: folder["hub"])
    try check(
      network,
      """
      import timm
      network = timm.create_model("local-dir:" + ours, pretrained=True)
      assert network.num_classes == 7
      assert bits(network.state_dict()) == bits(original.state_dict())
      """, "hub")
  }

  @Test(
    .enabled(if: Python.has("transformers"), "RESNET_PYTHON names no Python with transformers"),
    arguments: ["resnet18", "resnet50"])
  func transformers(network: String) throws {
    try HubFolder(model(network, "safetensors"), style: .transformers).write(to: folder["hub"])
    // Its names are others: the tensors are the same, and so is what the network makes of an image.
    try check(
      network,
      """
      from transformers import AutoModelForImageClassification
      network, report = AutoModelForImageClassification.from_pretrained(
          ours, output_loading_info=True)
      assert not any(report.values()), report
      assert network.config.id2label == {index: f"class {index}" for index in range(7)}
      def sorted_bits(network):
          return sorted(bits(network.state_dict()).values())
      assert sorted_bits(network) == sorted_bits(original)
      image = torch.randn(1, 3, 64, 64)
      with torch.no_grad():
          expected, logits = original.eval()(image), network.eval()(image).logits
      assert (logits - expected).abs().max() <= 1e-5 * expected.abs().max()
      """, "hub")
  }
}
