import Foundation
import ResidualImages
import ResidualRuns
import Testing

extension Commands {
  @Suite struct Conversions {
    let place: Workplace
    init() throws { place = try Workplace() }

    /// A model with random numbers, by default with one mean a channel.
    @discardableResult
    private func addModel(
      _ name: String, _ network: String, _ shortcut: Shortcut? = nil,
      _ normalization: Normalization = .channels(mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3])
    ) throws -> ModelFile {
      try addModel(
        name,
        NetworkCatalog.network(named: network, variant: .init(shortcut), inputSide: 32, classes: 3),
        normalization)
    }

    @discardableResult
    private func addModel(
      _ name: String, _ network: Network,
      _ normalization: Normalization = .channels(mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3])
    ) throws -> ModelFile {
      var source = RandomSource(RandomKey(seed: 5))
      let tensors = network.slots.map { slot in
        // Variances are not below zero, and activations stay moderate over many layers.
        let least: Float = slot.name.hasSuffix("running_var") ? 0.25 : -0.25
        let scale: Float = slot.shape.rank == 4 ? 0.05 : 1
        let numbers = (0..<slot.shape.count).map { _ in scale * (source.uniform() + least) }
        return (slot.name, Tensor(slot.shape, numbers))
      }
      let model = try ModelFile(
        network: network, preparation: Preparation(side: network.inputSide, normalization),
        classNames: Workplace.classes, statistics: .moving,
        tensors: Dictionary(uniqueKeysWithValues: tensors))
      try model.write(to: place.path(name))
      return model
    }

    private func model(_ path: String) throws -> ModelFile {
      try OpenedModel(at: place.path(path)).model
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
      arguments += ["--mean", "0.5,0.4,0.3", "--std", "0.2,0.25,0.3", "--preparation", "squash"]
      if network == "cifar-resnet8" { arguments += ["--shortcut-padding", "both"] }
      let (original, copy) = (
        try place.run(["evaluate", "a.safetensors", "data", "--json"]).output,
        try place.run(arguments).output
      )
      #expect(original == copy)
    }

    /// What the command crops itself is what a view of the library cuts out, once.
    @Test func imagesAreCroppedOnce() throws {
      try addModel("a.safetensors", "resnet18")
      try place.run(["convert", "a.safetensors", "b.pth"])
      let view = Preparation.View.centerCrop(shorterSide: 36)
      var source = RandomSource(RandomKey(seed: 5))
      for name in ["ape", "bat", "cow"] {
        let bytes = (0..<90 * 60 * 3).map { _ in UInt8(source.index(below: 256)) }
        let image = try Image(width: 90, height: 60, pixels: bytes)
        try place.write(PNG.encode(image), "large/test/\(name)/0.png")
        try place.write(PNG.encode(view.image(image, side: 32)), "small/test/\(name)/0.png")
      }
      func logits(_ data: String, _ preparation: String) throws -> [UInt8] {
        let file = "\(data)-\(preparation).npy"
        try place.run([
          "evaluate", "b.pth", data, "--img-size", "32", "--preparation", preparation, "--logits",
          file,
        ])
        return try Array(place.bytes(file))
      }
      let expected = try logits("small", "squash")
      #expect(try logits("large", "crop") == expected)
      #expect(try logits("large", "squash") != expected)
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

    /// The folder says what the names do not.
    @Test func hubFolderAndBack() throws {
      let network = try NetworkCatalog.network(
        named: "resnet50", variant: .init(stridePlacement: .first1x1), inputSide: 32, classes: 3)
      try addModel("a.safetensors", network)
      try place.run(["convert", "a.safetensors", "hub", "--hub-style", "transformers"])
      let back = try place.run(["convert", "hub", "b.safetensors"])
      #expect(back.errors.contains("config.json next to it says: stride"))
      let (before, after) = (try model("a.safetensors"), try model("b.safetensors"))
      #expect(after.network.stridePlacement == .first1x1 && after.network.inputSide == 32)
      #expect(after.classNames == before.classNames && after.tensors == before.tensors)
      #expect(after.preparation == before.preparation)
    }

    /// What training writes has a mean for each pixel, which a checkpoint cannot hold.
    @Test func meanOfPixels() throws {
      try addModel(
        "a.safetensors", "cifar-resnet8", nil,
        .perPixelMean((0..<32 * 32 * 3).map { Float($0 % 7) / 10 }))
      let noted = try place.run(["convert", "a.safetensors", "b.pth"])
      #expect(noted.output.contains("to the bit") && noted.errors.contains("holds no mean"))
      for opset in ["9", "13"] {
        let written = try place.run([
          "convert", "a.safetensors", "o\(opset).onnx", "--opset", opset,
        ])
        #expect(written.output.contains("to the bit"))
      }
    }

    @Test func numbersThatAreNone() throws {
      let model = try addModel("a.safetensors", "cifar-resnet8")
      var tensors = model.tensors
      tensors["bn1.running_var"]?.scalars[3] = -1
      try ModelFile(
        network: model.network, preparation: model.preparation, classNames: model.classNames,
        statistics: .moving, tensors: tensors
      ).write(to: place.path("bad.safetensors"))
      let refused = try Program.run(["convert", "bad.safetensors", "b.pth"], in: place.url)
      #expect(refused.code == 65 && refused.errors.contains("NaN or infinite"), "\(refused.errors)")
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
