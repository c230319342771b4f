import Foundation
import ResidualCPU
import ResidualImages
import ResidualRuns
import Testing
import resnet

/// What the other verbs report.
extension Commands {
  @Suite struct Reports {
    let place: Workplace
    init() throws { place = try Workplace() }

    @Test(arguments: [
      ("resnet20", 269_722), ("resnet32", 464_154), ("resnet44", 658_586), ("resnet56", 853_018),
      ("resnet110", 1_727_962), ("resnet1202", 19_421_274), ("resnet20 --shortcut B", 272_474),
      ("resnet20 --shortcut C", 283_962), ("cifar-resnet20 --shortcut-padding both", 269_722),
    ])
    func parameters(_ network: String, _ count: Int) throws {
      let arguments = network.split(separator: " ").map(String.init)
      let summary = try place.run(["summary"] + arguments + ["--json"]).json()
      #expect(summary["parameters"] as? Int == count)
      let layers = try #require(summary["layers"] as? [[String: Any]])
      for key in ["parameters", "multiply_adds"] {
        #expect(layers.compactMap { $0[key] as? Int }.reduce(0, +) == summary[key] as? Int)
      }
    }

    @Test func networks() throws {
      let text = try place.run(["networks"]).output
      #expect(text.contains("cifar-resnet1202") && text.contains("19,421,274"))
      #expect(text.contains("19.6 billion multiply-adds"))
      let list = try #require(
        JSONSerialization.jsonObject(
          with: Data(place.run(["networks", "--json"]).output.utf8)) as? [[String: Any]])
      #expect(list.count == 52)
      let vgg = try #require(list.first { $0["network"] as? String == "vgg16" })
      #expect(vgg["parameters"] as? Int == 138_357_544)
      #expect((vgg["paper"] as? [String: Any])?["multiply_adds"] as? Double == 15.3e9)
    }

    /// Figure 3 of the paper: 34 layers, 16 shortcuts, of which three change the shape.
    @Test func pictureOfResNet34() throws {
      try place.run(["summary", "resnet34", "--svg", "net.svg", "--quiet"])
      let lines = try place.text("net.svg").split(separator: "\n")
      func count(_ parts: String...) -> Int {
        lines.count { line in parts.allSatisfy { line.contains($0) } }
      }
      #expect(count(">7×7 conv, 64, /2<") == 1 && count(">fc, 1000<") == 1)
      #expect(count("×", " conv, ") == 33 && count(" conv, ", ", /2<") == 4)
      #expect(count("stroke=\"#1f4e9c\"") == 16 && count("stroke-dasharray=\"4 3\"") == 3)
      try place.run(["summary", "plain34", "--svg", "plain.svg"])
      #expect(!(try place.text("plain.svg").contains("#1f4e9c")))
      try place.run(["summary", "highway34", "--svg", "gates.svg", "--quiet"])
      #expect(try place.text("gates.svg").split(separator: ">T<").count == 17)
      try place.run(["summary", "googlenet", "--svg", "inception.svg"])
      #expect(try place.text("inception.svg").contains(">concat, 1024<"))
    }

    @Test func summaryOfResNet20() throws {
      let summary = try place.run(["summary", "resnet20", "--json"]).json()
      #expect(summary["network"] as? String == "cifar-resnet20")
      let count = try #require(summary["multiply_adds"] as? Int)
      #expect((40_545_000..<40_555_000).contains(count), "40.55 million")
      let canonical = try place.run(["summary", "cifar-resnet20", "--json"])
      #expect(try canonical.json() as NSDictionary == summary as NSDictionary)
      #expect(try place.run(["summary", "resnet20"]).output.contains("269,722"))
    }

    @Test(arguments: ["train", "infer"]) func bench(_ what: String) throws {
      let report = try place.run(
        ["bench", what, "resnet20", "--batch", "4", "--steps", "2", "--threads", "1", "--json"]
      ).json()
      #expect((report["images_per_second"] as? Double ?? 0) > 0)
      #expect((report["peak_memory_bytes"] as? Int ?? 0) > 1 << 20)
      #expect((report["planned_memory_bytes"] as? Int ?? 0) > 1 << 20)
      #expect(report["network"] as? String == "cifar-resnet20")
      #expect(report["batch"] as? Int == 4 && report["threads"] as? Int == 1)
    }

    @Test func benchLayers() throws {
      let command = ["bench", "layers", "cifar-resnet8", "--batch", "2", "--threads", "1"]
      let report = try place.run(command + ["--json"]).json()
      let layers = try #require(report["layers"] as? [[String: Any]])
      // Seven extents: three directions in training, but no gradient of the images; one in inference.
      #expect(layers.filter { $0["what"] as? String == "training" }.count == 20)
      #expect(layers.filter { $0["what"] as? String == "inference" }.count == 7)
      for layer in layers {
        let times = try #require(layer["seconds_by_algorithm"] as? [String: Double])
        let algorithm = try #require(layer["algorithm"] as? String)
        #expect(times[algorithm] == layer["seconds"] as? Double)
      }
      let text = try place.run(command + ["--infer"]).output
      #expect(text.contains("layer1.0.conv1") && !text.contains("training"))
      #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }

    @Test func benchProfile() throws {
      let command = ["bench", "infer", "resnet20", "--batch", "2", "--steps", "2", "--profile"]
      let report = try place.run(command + ["--json"]).json()
      let profile = try #require(report["profile"] as? [String: Any])
      for key in ["kinds", "layers"] {
        let groups = try #require(profile[key] as? [[String: Any]])
        let shares = groups.compactMap { $0["share"] as? Double }
        #expect(shares.count == groups.count && abs(shares.reduce(0, +) - 1) < 1e-6)
      }
      #expect(try place.run(command).output.contains("kind of step"))
    }

    @Test func checks() throws {
      let report = try place.run(["checks", "--json"]).json()
      #expect(report["cores"] as? Int == CPUDevice.coreCount)
      #expect(report["instruction_sets"] as? [String] == InstructionSet.available.map(\.rawValue))
      #expect((report["memory_bytes"] as? Int ?? 0) > 1 << 28)
      let baseline = try place.run(["checks", "--json"], environment: ["RESNET_ISA": "baseline"])
      #expect(try baseline.json()["instruction_set"] as? String == "baseline")
    }

    @Test func versionHelpAndCompletions() throws {
      let version = try place.run(["--version"]).output
      #expect(version.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
      let completions = try place.run(["--generate-completion-script", "bash"]).output
      for word in ["complete", "--batch-size", "cifar-resnet110", "safetensors", "fan-out"] {
        #expect(completions.contains(word), "\(word)")
      }
      let help = try place.run(["--help"]).output
      for word in [
        "train", "evaluate", "predict", "networks", "summary", "data", "bench", "checks",
        "Exit codes",
      ] {
        #expect(help.contains(word), "\(word)")
      }
      for verb in ["train", "evaluate", "val", "predict", "summary", "data show", "bench train"] {
        let arguments = verb.split(separator: " ").map(String.init) + ["--help"]
        let lines = try place.run(arguments).output.split(separator: "\n")
        #expect(lines.count > 5 && lines.allSatisfy { $0.count <= 80 }, "\(verb)")
      }
      for verb in [
        "train", "evaluate", "predict", "networks", "summary", "convert", "data", "bench", "checks",
      ] {
        let text = try place.run([verb, "--help"]).output
        let examples = text.split(separator: "Examples:\n").last?.prefix { $0 != "U" } ?? ""
        #expect(examples.split(separator: "\n").count { $0.hasPrefix("  resnet ") } == 3, "\(verb)")
      }
      let training = try place.run(["train", "--help"]).output.split(separator: "\n")
      #expect(
        training.filter { $0.hasSuffix(":") && $0.uppercased() == $0 } == [
          "ARGUMENTS:", "NETWORK:", "LENGTH AND RATE:", "DIVERGENCE:", "IMAGES:", "MEMORY:",
          "CHECKPOINTS:",
          "FINE-TUNING:",
          "RUN:",
          "MACHINE:", "OUTPUT:", "OPTIONS:",
        ])
      #expect(try place.run([]).output == help)
    }

    @Test func evaluationAndPrediction() throws {
      try place.train("a")
      let model = "runs/a/last.safetensors"
      let outcome = try place.run([
        "evaluate", model, "data", "--confusion", "matrix.svg", "--json",
      ])
      let report = try outcome.json()
      #expect(Set(report.keys) == ["images", "top1", "top5", "loss", "classes"])
      let classes = try #require(report["classes"] as? [[String: Any]])
      #expect(classes.map { $0["name"] as? String } == Workplace.classes)
      #expect(classes.allSatisfy { $0["images"] as? Int == 4 })
      let correct = classes.compactMap { $0["correct"] as? Int }.reduce(0, +)
      #expect(abs(100 * Double(correct) / 12 - (report["top1"] as? Double ?? 0)) < 1e-9)
      #expect(
        classes.allSatisfy {
          $0["accuracy"] as? Double == ($0["correct"] as? Double ?? 0) * 25
        })
      #expect(report["images"] as? Int == 12 && report["top5"] as? Double == 100)
      #expect(try place.text("matrix.svg").contains("cow"))
      #expect(try place.run(["val", model, "data", "--json"]).output == outcome.output)
      let text = try place.run(["evaluate", model, "data"]).output
      for word in ["top-1 accuracy", "correct  accuracy", "ape  ", "bat  ", "cow  "] {
        #expect(text.contains(word))
      }

      // A larger image is made smaller.
      let large = Image(width: 50, height: 40, checked: .init(repeating: 9, count: 6000))
      try place.write(try PNG.encode(large), "large.png")
      let images = ["data/test/ape/0.png", "large.png"]
      let predicted = try place.run(["predict", model] + images + ["--top", "2", "--json"])
      let document = try JSONSerialization.jsonObject(with: Data(predicted.output.utf8))
      let list = try #require(document as? [[String: Any]])
      #expect(list.map { $0["image"] as? String } == images)
      for entry in list {
        let classes = try #require(entry["classes"] as? [[String: Any]])
        let shares = classes.compactMap { $0["probability"] as? Double }
        #expect(classes.count == 2 && shares.count == 2 && shares[0] >= shares[1])
        #expect(shares[0] <= 1 && shares[1] >= 0)
        #expect(Workplace.classes.contains(classes[0]["name"] as? String ?? ""))
      }
      let all = try place.run(["predict", model, "large.png", "--top", "99"]).output
      #expect(Workplace.classes.allSatisfy(all.contains))
    }

    @Test func contactSheets() throws {
      let outcome = try place.run(["data", "show", "data", "--output", "sheet.png", "--json"])
      let report = try outcome.json()
      #expect(report["class_names"] as? [String] == Workplace.classes)
      let training = report["training"] as? [String: Any]
      #expect(training?["images_per_class"] as? [Int] == [20, 20, 20])
      let sheet = try place.bytes("sheet.png")
      let image = try sheet.withUnsafeBytes { try ImageDecoder().decode($0, file: "sheet.png") }
      #expect(image.width > 12 * 64 && image.height > 3 * 64)
    }
  }
}

/// What cannot be written, or is not there.
extension Commands {
  @Suite struct RefusedOutput {
    let place: Workplace
    init() throws { place = try Workplace() }

    @Test(arguments: [
      ("train data --output /proc/x", "/proc", "choose another --output"),
      ("train data --output file/x", "file", "choose another --output"),
      ("data show data --output /proc/x.png", "/proc", "choose another --output"),
      ("data show data --output none/x.png", "none", "create it first"),
      ("data show data --output data", "data", "name a file"),
    ])
    func places(_ arguments: String, _ name: String, _ mend: String) throws {
      try place.write("", "file")
      try Commands.expectRefusal(
        arguments.split(separator: " ").map(String.init), code: 73, says: [name, mend], in: place)
    }

    @Test func confusionMatrices() throws {
      try place.train("a")
      for (path, word) in [
        ("/proc/x.svg", "/proc"), ("none/x.svg", "none"), ("data", "name a file"),
      ] {
        try Commands.expectRefusal(
          ["evaluate", "runs/a/last.safetensors", "data", "--confusion", path], code: 73,
          says: [word], in: place)
      }
    }

    @Test(.enabled(if: geteuid() != 0, "the superuser may write everywhere"))
    func readOnlyFolders() throws {
      try FileManager.default.createDirectory(
        at: place.url.appending(path: "locked"), withIntermediateDirectories: false,
        attributes: [.posixPermissions: 0o555])
      try Commands.expectRefusal(
        ["train", "data", "--output", "locked"], code: 73, says: ["locked", "permission denied"],
        in: place)
    }

    @Test func memory() throws {
      try Commands.expectRefusal(
        ["bench", "train", "resnet110", "--batch", "100000", "--threads", "1"], code: 71,
        says: ["the device has", "GiB; use --batch-size", "with --recompute"], in: place)
      for flags in [["--memory-limit", "50MB"], ["--memory-limit=70MiB", "--no-recompute"]] {
        try Commands.expectRefusal(
          ["bench", "train", "resnet20", "--batch", "64"] + flags, code: 71,
          says: [
            "training needs", "activations and gradients", "--memory-limit allows",
            "use --recompute",
          ],
          in: place)
      }
      try Commands.expectRefusal(
        ["train", "data", "--batch-size", "16", "--memory-limit", "1MB", "--recompute"], code: 71,
        says: ["training needs", "--memory-limit allows", "a higher limit"], in: place)
    }

    @Test(
      .enabled(
        if: InstructionSet.allCases.contains { !$0.isAvailable }, "this machine lacks nothing"))
    func hardware() throws {
      let missing = try #require(InstructionSet.allCases.first { !$0.isAvailable })
      try Commands.expectRefusal(
        ["bench", "train", "resnet20"], code: 69, says: ["RESNET_ISA", "lacks"], in: place,
        environment: ["RESNET_ISA": missing.rawValue])
    }
  }
}

/// The table of exit codes, where no machine can show them all.
@Suite struct ExitCodes {
  @Test func table() {
    #expect(Failure.code(for: DeviceUnavailable("no such thing")) == .unavailable)
    #expect(Failure.code(for: DatasetError.missing("x")) == .input)
    #expect(Failure.code(for: NetworkNameError.unknown("x")) == .usage)
    #expect(Failure.code(for: RecipeError.epochsAndSteps) == .usage)
    #expect(
      Failure.Code.allCases.map(\.rawValue) == [64, 65, 69, 70, 71, 73, 129, 130, 138, 143])
  }
}
