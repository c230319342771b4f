import Foundation
import ResidualRuns
import Testing

/// Training from a model that there is.
extension Commands {
  @Suite struct FineTuning {
    let place: Workplace
    /// A model of the tiny set's three classes.
    static let model = "runs/a/last.safetensors"
    static let flags = ["--initial-checkpoint", model, "--batch-size", "8", "--experiment"]

    init() throws {
      place = try Workplace()
      try place.train("a")
    }

    /// Fine-tunes for six steps into `runs/<name>`.
    @discardableResult
    func tune(_ name: String, data: String = "data", _ more: [String] = []) throws
      -> Program.Outcome
    {
      try place.run(["train", data, "--steps", "6"] + Self.flags + [name] + more)
    }

    @Test func aRunSaysWhatItBeginsWith() throws {
      let outcome = try tune("b", ["--freeze", "conv1,bn1,layer1", "--json"])
      for text in [
        "cifar-resnet8 on ",
        "loaded 37 tensors (bn1, conv1, fc, layer1, layer2, layer3) from \(place.path(Self.model))\n",
        "frozen: 9 parameters (bn1, conv1, layer1); their batch normalisation uses its running",
      ] {
        #expect(outcome.errors.contains(text), "\(text): \(outcome.errors)")
      }
      let result = try outcome.json()
      #expect(result["loaded_tensors"] as? Int == 37)
      #expect(result["replaced_tensors"] as? [String] == [])
      let frozen = try #require(result["frozen_tensors"] as? [String])
      #expect(frozen.count == 9 && frozen.contains("layer1.0.bn2.bias"))
      let config = try place.text("runs/b/config.yaml")
      for line in [
        "model: cifar-resnet8", "initial_checkpoint: \(place.path(Self.model))", "num_classes: 3",
        "freeze: [conv1, bn1, layer1]",
      ] {
        #expect(config.split(separator: "\n").contains { $0 == line }, "\(line) in \(config)")
      }
      try place.run(["train", "-c", "runs/b/config.yaml", "--experiment", "c"])
      for name in ["config.yaml", "metrics.csv", "last.safetensors"] {
        #expect(try place.bytes("runs/b/\(name)") == place.bytes("runs/c/\(name)"), "\(name)")
      }
    }

    @Test func otherClassesReplaceTheHead() throws {
      try place.addImages("other", train: ["x", "y"], test: ["x", "y"])
      let outcome = try tune(
        "b", data: "other", ["--num-classes", "2", "--freeze", "all-but-head"])
      #expect(
        outcome.errors.contains(
          "loaded 35 tensors (bn1, conv1, layer1, layer2, layer3) from \(place.path(Self.model)); "
            + "replaced fc.weight, fc.bias "
            + "(3 classes there, 2 here)"), "\(outcome.errors)")
      let model = try ModelFile(at: place.path("runs/b/last.safetensors"))
      #expect(model.network.classes == 2 && model.classNames == ["x", "y"])

      // The same number of other classes.
      try place.addImages("third", train: ["x", "y", "z"], test: ["x", "y", "z"])
      let third = try tune("c", data: "third")
      #expect(third.errors.contains("loaded 37 tensors"))
      #expect(third.errors.contains("its classes have other names"), "\(third.errors)")
    }

    /// A checkpoint for PyTorch says neither the network nor how images are prepared.
    @Test func weightsFromElsewhere() throws {
      try place.run(["convert", Self.model, "a.pth", "--average-mean"])
      let flags = [
        "train", "data", "--steps", "1", "-b", "8", "--initial-checkpoint", "a.pth", "--experiment",
        "b", "--mean", "0.5,0.25,0.125", "--std", "0.5,0.5,0.5", "--channel-order", "bgr",
        "--freeze", "layer*.0.bn1",
      ]
      let outcome = try place.run(flags)
      #expect(outcome.errors.contains("a.pth: its names are"), "\(outcome.errors)")
      let config = try place.text("runs/b/config.yaml")
      for line in [
        "shortcut: A", "mean: [0.5, 0.25, 0.125]", "std: [0.5, 0.5, 0.5]", "channel_order: BGR",
        #"freeze: ["layer\u002a.0.bn1"]"#,
      ] {
        #expect(config.split(separator: "\n").contains { $0 == line }, "\(line) in \(config)")
      }
      try place.run(["train", "-c", "runs/b/config.yaml", "--experiment", "c"])
      for name in ["config.yaml", "last.safetensors"] {
        #expect(try place.bytes("runs/b/\(name)") == place.bytes("runs/c/\(name)"), "\(name)")
      }
      // By the environment, and with a star in a file.
      try place.write("freeze: [\"layer*.0.bn1\"]\nmean: [0.5, 0.25, 0.125]\n", "recipe.yaml")
      try place.run(
        [
          "train", "data", "--steps", "1", "-b", "8", "-c", "recipe.yaml", "--experiment", "d",
          "--channel-order", "BGR",
        ], environment: ["RESNET_INITIAL_CHECKPOINT": "a.pth", "RESNET_STD": "0.5,0.5,0.5"])
      #expect(
        try place.bytes("runs/b/last.safetensors") == place.bytes("runs/d/last.safetensors"))
    }

    @Test func whatIsRefused() throws {
      func expectRefusal(_ arguments: String, code: Int32 = 64, _ words: String...) throws {
        try Commands.expectRefusal(
          ["train", "data", "-b", "8"] + arguments.split(separator: " ").map(String.init),
          code: code, says: words, in: place)
      }
      let initial = "--initial-checkpoint \(Self.model)"
      try expectRefusal(
        "\(initial) --freeze conv9", "--freeze: 'conv9' names no parameter of cifar-resnet8",
        "there are conv1, bn1, layer1, layer2, layer3, fc, all-but-head")
      try expectRefusal("\(initial) --freeze layer1.3", "in layer1 there are 0")
      try expectRefusal("\(initial) --freeze conv1,,fc", "'' names no parameter")
      try expectRefusal("\(initial) --freeze all-but-head,fc", "leave some to train")
      try expectRefusal("--model cifar-resnet8 --freeze layer4", "--freeze: 'layer4'")
      try expectRefusal(
        "\(initial) --num-classes 7", "--num-classes 7, but the data have 3 classes", "give 3")
      try expectRefusal("--num-classes 0", "--num-classes 0 is out of range")
      try expectRefusal(
        "\(initial) --model resnet56", "--model cifar-resnet56 contradicts", "cifar-resnet8")
      try expectRefusal("\(initial) --shortcut B", "--shortcut B contradicts", "has A")
      try expectRefusal("\(initial) --img-size 64", "--img-size 64 contradicts", "has 32")
      try expectRefusal("--mean 0.5,0.5,0.5", "--mean is about", "--initial-checkpoint")
      try expectRefusal("--channel-order BGR", "--channel-order is about")
      try expectRefusal("\(initial) --std 0,1,1", "--std [0.0, 1.0, 1.0]", "three numbers")
      try expectRefusal("\(initial) --mean 0,0,0", code: 65, Self.model, "says itself")
      try expectRefusal(
        "--initial-checkpoint nothing.pth", code: 65, "nothing.pth", "no such file")
      try expectRefusal("--initial-checkpoint data/train/ape/0.png", code: 65, "0.png")
    }

    /// A run that goes on needs the file no more.
    @Test func aResumedRunGivesTheSameBits() throws {
      func arguments(_ name: String) -> [String] {
        ["train", "data", "--steps", "105"] + Self.flags + [name, "--freeze", "conv1,bn1,layer2"]
      }
      try place.run(arguments("whole"))
      let cut = try Program.run(arguments("cut"), in: place.url) { process in
        let metrics = (try? place.text("runs/cut/metrics.csv")) ?? ""
        guard metrics.split(separator: "\n").count > 2 else { return false }
        kill(process.processIdentifier, SIGINT)
        return true
      }
      #expect(cut.code == 130 && !cut.isKilled, "\(cut.errors)")
      try place.remove(Self.model)
      let resumed = try place.run(["train", "--resume", "runs/cut", "--json"])
      #expect(resumed.errors.contains("frozen: "), "\(resumed.errors)")
      #expect(!resumed.errors.contains("loaded "))
      let result = try resumed.json()
      #expect(result["replaced_tensors"] == nil && result["frozen_tensors"] != nil)
      for name in ["config.yaml", "metrics.csv", "last.safetensors"] {
        #expect(try place.bytes("runs/whole/\(name)") == place.bytes("runs/cut/\(name)"), "\(name)")
      }
    }
  }
}
