import Foundation
import Testing

/// Files of settings, and who wins where settings differ.
extension Commands {
  @Suite struct Configurations {
    let place: Workplace
    init() throws { place = try Workplace() }

    @Test(arguments: [
      ("modle: resnet20", "'modle'", "did you mean 'model'?"),
      ("batch_size: many", "batch_size = 'many'", "a whole number"),
      ("lr: [1]", "lr = '[1]'", "a number"),
      ("milestones: [3, many]", "milestones = '[3, many]'", "whole number"),
      ("exact_bn: 3", "bn_statistics = '3'", "moving, plain, augmented"),
      ("seed: -1", "seed = '-1'", "whole number"),
      ("steps: 99999999999999999999", "steps = '9", "whole number"),
      ("lr: -1", "lr = -1.0", "above 0"), ("model: resnt20", "'resnt20'", "'resnet20'"),
      ("steps: 1\nepochs: 1", "epochs", "steps"), ("lr: 1\nlr: 2", "lr", "unique"),
      ("lr 1", "name: value", "recipe"), ("lr: 'a", "line", "not YAML"), ("", "empty", "file"),
      ("a: &a [x, x]\nb: *a", "line 1", "anchors"), ("lr: 1\r\nx: &a [x]", "line 2", "anchors"),
      ("x'y: &a [x, x]", "line 1", "anchors"), ("- a: &a [x]", "line 1", "anchors"),
      ("? &a x\n: 1", "line 1", "anchors"), ("data: [\na: b, &a c]", "line 2", "anchors"),
    ])
    func refusedFiles(_ text: String, _ what: String, _ mend: String) throws {
      try place.write(text, "recipe.yaml")
      try Commands.expectRefusal(
        ["train", "data", "-c", "recipe.yaml"], code: 65, says: ["recipe.yaml", what, mend],
        in: place)
    }

    @Test func hugeFiles() throws {
      // Nine aliases to nine aliases …: some 400 bytes for ten gigabytes.
      var bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n"
      for (name, before) in zip("bcdefghijk", "abcdefghij") {
        bomb +=
          "\(name): &\(name) [" + Array(repeating: "*\(before)", count: 9).joined(separator: ",")
          + "]\n"
      }
      let deep = String(repeating: "[", count: 60_000)
      let long = String(repeating: "# nothing\n", count: 7_000)
      for (text, word) in [(bomb, "anchors"), (deep, "YAML"), (long, "at most 65536")] {
        try place.write(text, "recipe.yaml")
        try Commands.expectRefusal(
          ["train", "data", "--config", "recipe.yaml"], code: 65, says: ["recipe.yaml", word],
          in: place)
      }
      try Commands.expectRefusal(
        ["train", "data", "-c", "/dev/zero"], code: 65, says: ["/dev/zero", "regular file"],
        in: place)
    }

    /// The settings of a run's file.
    func settings(_ name: String) throws -> [String: String] {
      let lines = try place.text("runs/\(name)/config.yaml").split(separator: "\n")
      return Dictionary(
        uniqueKeysWithValues: lines.map {
          let parts = $0.split(separator: ":", maxSplits: 1)
          return (String(parts[0]), parts[1].trimmingCharacters(in: .whitespaces))
        })
    }

    @Test func flagsWinOverVariablesOverFilesOverDefaults() throws {
      try place.write(
        "lr: 0.01\nmomentum: 0.5\nseed: 5\nepochs: 100\nvalidation: 9\n", "recipe.yaml")
      try place.run(
        Workplace.training + [
          "-c", "recipe.yaml", "--experiment", "a", "--steps", "2", "--seed", "7",
        ],
        environment: ["RESNET_SEED": "6", "RESNET_MOMENTUM": "0.25", "RESNET_BATCH_SIZE": "4"])
      let found = try settings("a")
      #expect(found["seed"] == "7")
      #expect(found["batch_size"] == "8")
      #expect(found["steps"] == "2" && found["epochs"] == nil)
      #expect(found["momentum"] == "0.25")
      #expect(found["lr"] == "0.01" && found["validation"] == "9")
      #expect(found["weight_decay"] == "0.0001" && found["bn_statistics"] == "moving")
      #expect(found["model"] == "cifar-resnet8" && found["shortcut"] == "A")
    }

    @Test func aliasesAreRecordedByTheirCanonicalNames() throws {
      try place.run([
        "train", "data", "--model", "plain20", "--batch-size", "2", "--steps", "1", "--experiment",
        "a",
      ])
      #expect(try settings("a")["model"] == "cifar-plain20")
      let summary = try place.run(["summary", "runs/a/last.safetensors", "--json"]).json()
      #expect(summary["network"] as? String == "cifar-plain20")
    }

    @Test(arguments: ["data", "my data", "it's &x", "a: *b #c", "\"d\" \\e", "null", "é [1"])
    func anyPathSurvivesItsConfiguration(_ name: String) throws {
      if name != "data" { try place.addImages(name) }
      try place.run(
        ["train", name] + Workplace.training.dropFirst(2) + ["--steps", "1", "--experiment", "a"])
      try place.run(["train", "-c", "runs/a/config.yaml", "--experiment", "b"])
      #expect(try place.bytes("runs/a/config.yaml") == place.bytes("runs/b/config.yaml"))
    }
  }
}
