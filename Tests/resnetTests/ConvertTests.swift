import Foundation
import ResidualImages
import ResidualTraining
import Testing

extension Commands {
  @Suite struct Conversions {
    let place: Workplace
    init() throws { place = try Workplace() }

    /// A model with random numbers, by default with one mean a channel.
    private func addModel(
      _ name: String, _ network: String, _ shortcut: Shortcut? = nil,
      _ normalization: Normalization = .channels(mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3])
    ) throws {
      let network = try NetworkCatalog.network(
        named: network, shortcut: shortcut, inputSide: 32, classes: 3)
      var source = RandomSource(RandomKey(seed: 5))
      let tensors = network.slots.map { slot in
        (slot.name, Tensor(slot.shape, (0..<slot.shape.count).map { _ in source.uniform() - 0.25 }))
      }
      try ModelFile(
        network: network, normalization: normalization,
        classNames: Workplace.classes, statistics: .moving,
        tensors: Dictionary(uniqueKeysWithValues: tensors)
      ).write(to: place.url.appending(path: name).path)
    }

    private func tensors(_ path: String, _ options: WeightsOptions = .init()) throws -> [String:
      Tensor<Float>]
    {
      try OpenedModel(at: place.url.appending(path: path).path, options).model.tensors
    }

    @Test(arguments: [
      ("resnet18", Shortcut.projection), ("cifar-resnet8", .padding(.both)),
      ("cifar-preact18", .projection),
    ])
    func thereAndBack(network: String, shortcut: Shortcut) throws {
      try addModel("a.safetensors", network, shortcut)
      let report = try place.run(["convert", "a.safetensors", "b.pth", "--json"]).json()
      #expect(report["network"] as? String == network)
      let back = ["convert", "b.pth", "c.safetensors", "--img-size", "32"]
      try place.run(
        back + (network == "cifar-resnet8" ? ["--shortcut-padding", "both"] : []))
      #expect(try tensors("c.safetensors") == tensors("a.safetensors"))
      #expect(!place.files("").contains { $0.hasPrefix(".residual") })
      // Without names of its own it takes those of the data.
      try place.run(["evaluate", "c.safetensors", "data", "--json"])
      var arguments = ["evaluate", "b.pth", "data", "--img-size", "32", "--json"]
      arguments += ["--mean", "0.5,0.4,0.3", "--std", "0.2,0.25,0.3"]
      if network == "cifar-resnet8" { arguments += ["--shortcut-padding", "both"] }
      let (original, copy) = (
        try place.run(["evaluate", "a.safetensors", "data", "--json"]).output,
        try place.run(arguments).output
      )
      #expect(original == copy)
    }

    @Test(arguments: ["timm", "transformers"])
    func hubFolder(style: String) throws {
      try addModel("a.safetensors", "resnet18")
      try place.run(["convert", "a.safetensors", "hub", "--hub-style", style])
      #expect(
        place.files("hub") == [
          "config.json", "model.safetensors", "preprocessor_config.json", "README.md",
        ])
      var options = WeightsOptions()
      options.inputSide = 32
      #expect(try tensors("hub/model.safetensors", options) == tensors("a.safetensors"))
      let again = try Program.run(["convert", "a.safetensors", "hub"], in: place.url)
      #expect(again.code == 73)
      #expect(again.errors.contains("name another"))
    }

    @Test func onnx() throws {
      try addModel("a.safetensors", "resnet18")
      let plain = try place.run(["convert", "a.safetensors", "a.onnx"])
      #expect(plain.output.contains("a.onnx: resnet18, 3 classes"))
      #expect(plain.output.contains("to the bit"))
      let report = try place.run(
        ["convert", "a.safetensors", "b.onnx", "--fold-bn", "--opset", "11", "--json"]
      ).json()
      #expect(report["network"] as? String == "resnet18")
      let sizes = ["a.safetensors", "a.onnx", "b.onnx"].map { name in
        (try? Data(contentsOf: place.url.appending(path: name)).count) ?? 0
      }
      // The numbers are the same; without normalisations there are fewer.
      #expect(sizes[2] > 44_000_000 && sizes[2] < sizes[1] && sizes[1] < sizes[0] + 20_000)

      let pixels = [Float](repeating: 0.5, count: 32 * 32 * 3)
      try addModel("p.safetensors", "cifar-resnet8", nil, .perPixelMean(pixels))
      let noted = try place.run(["convert", "p.safetensors", "p.onnx"])
      #expect(noted.errors.contains("the first nodes subtract it"))
      let refused = try Program.run(
        ["convert", "p.safetensors", "q.onnx", "--preprocessing", "metadata"], in: place.url)
      #expect(refused.code == 64 && refused.errors.contains("--average-mean"))
      try place.run(
        ["convert", "p.safetensors", "q.onnx", "--preprocessing", "metadata", "--average-mean"])
      #expect(!place.files("").contains { $0.hasPrefix(".residual") })
    }

    @Test func refusals() throws {
      try addModel("a.safetensors", "cifar-resnet8")
      let before = place.listing
      for (arguments, code, text) in [
        ("a.safetensors hub", 65, "timm has no network like cifar-resnet8"),
        ("a.safetensors b.pth --hub-style timm", 64, "leave it out"),
        ("a.safetensors hub --hub-style keras", 64, "timm, transformers"),
        ("a.safetensors b.pth --mean 1,2,3", 65, "says itself"),
        ("a.safetensors b.keras", 64, "no kind of file"),
        ("a.safetensors b.pth --opset 17", 64, "--opset is for ONNX"),
        ("a.safetensors hub --fold-bn", 64, "--fold-bn is for ONNX"),
        ("a.safetensors b.onnx --opset 8", 64, "9 to 22"),
        ("a.safetensors b.onnx --preprocessing none", 64, "metadata, nodes"),
        ("a.safetensors b.onnx --hub-style timm", 64, "leave it out"),
        ("a.safetensors missing/b.onnx", 73, "missing"),
        ("a.safetensors b-0123abcd.pth", 64, "another file's hash"),
        ("a.safetensors missing/b.pth", 73, "missing"),
        ("none.pth b.pth", 65, "no such file"),
      ] {
        let outcome = try Program.run(
          ["convert"] + arguments.split(separator: " ").map(String.init), in: place.url)
        #expect(
          outcome.code == code && outcome.errors.contains(text), "\(arguments): \(outcome.errors)")
      }
      #expect(place.listing == before, "nothing half written")
    }
  }
}
