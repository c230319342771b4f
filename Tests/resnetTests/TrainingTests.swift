import Foundation
import Testing

/// What a training run leaves behind.
extension Commands {
  @Suite struct Training {
    let place: Workplace
    init() throws { place = try Workplace() }

    @Test func theRunFolderIsCompleteAndRepeats() throws {
      let outcome = try place.train("a")
      let files = [
        "config.yaml", "metrics.csv", "timings.csv", "curves.svg", "last.safetensors",
        "result.json",
      ]
      #expect(place.files("runs/a") == Set(files))
      let plan = outcome.errorLines.first { $0.contains("planned memory") }
      #expect((plan?.count ?? 99) <= 80)
      for text in ["about ", "no best.safetensors", "runs/a", "epoch 1/1"] {
        #expect(outcome.errors.contains(text), "\(text)")
      }
      let result = outcome.output
      for text in [
        "test accuracy", "network: runs/a/last.safetensors",
        "curves:  runs/a/curves.svg", "evaluate runs/a/last.safetensors",
      ] {
        #expect(result.contains(text) && !outcome.errors.contains(text), "\(text)")
      }
      #expect(outcome.errors.utf8.allSatisfy { $0 == 10 || $0 >= 32 }, "control characters")
      #expect(try place.text("runs/a/metrics.csv").split(separator: "\n").count == 2)
      #expect(try place.text("runs/a/curves.svg").hasSuffix("</svg>\n"))

      try place.run(["train", "-c", "runs/a/config.yaml", "--experiment", "b", "--threads", "2"])
      for name in ["config.yaml", "metrics.csv", "last.safetensors", "result.json"] {
        #expect(try place.bytes("runs/a/\(name)") == place.bytes("runs/b/\(name)"), "\(name)")
      }
    }

    @Test func runFoldersAreNeverOverwritten() throws {
      try place.train("a")
      let before = try place.bytes("runs/a/timings.csv")
      try place.train("a")
      #expect(place.files("runs") == ["a", "a-2"])
      #expect(try place.bytes("runs/a/timings.csv") == before)
      try place.run(Workplace.training + ["--steps", "1", "--output", "new/place"])
      #expect(place.files("new/place").first?.hasPrefix("cifar-resnet8-2") == true)
    }

    @Test func aValidationSplitChoosesTheBest() throws {
      let outcome = try place.train("a", ["--validation", "12", "--json"])
      #expect(place.files("runs/a").contains("best.safetensors"))
      #expect(try place.text("runs/a/metrics.csv").contains(",validation,"))
      let result = try outcome.json()
      #expect((result["validation"] as? [String: Any])?["images"] as? Int == 12)
      #expect((result["best_test"] as? [String: Any])?["images"] as? Int == 12)
      #expect(result["best"] as? String == "runs/a/best.safetensors")
      // What the run says of its networks is what evaluating their files says.
      for (file, key) in [("best", "best_test"), ("last", "test")] {
        let report = try place.run([
          "evaluate", "runs/a/\(file).safetensors", "data", "-b", "8", "--json",
        ])
        .json()
        #expect(
          report.filter { $0.key != "classes" } as NSDictionary == result[key] as? NSDictionary)
      }
    }

    @Test func quietRunsSayTheResultAlone() throws {
      let outcome = try place.train("a", ["--quiet"])
      #expect(outcome.errors.isEmpty && outcome.output.hasPrefix("test accuracy"))
    }

    @Test(arguments: ["stop", "skip", "rollback"])
    func divergenceEndsTheRun(_ response: String) throws {
      let outcome = try Program.run(
        Workplace.training + ["--steps", "20", "--lr", "1e30", "--on-nan", response, "--quiet"],
        in: place.url)
      #expect(outcome.code == 70 && !outcome.isKilled)
      #expect(outcome.errorLines.count == 1 && outcome.errors.contains("--lr"), "\(outcome.errors)")
    }

    @Test(arguments: ["B", "C"]) func shortcutOptionsAreKept(_ option: String) throws {
      try place.train("a", ["--shortcut", option])
      let summary = try place.run(["summary", "runs/a/last.safetensors", "--json"]).json()
      #expect(summary["shortcut"] as? String == option)
      try place.run(["evaluate", "runs/a/last.safetensors", "data"])
    }
  }
}

/// Runs that a signal stops.
extension Commands {
  @Suite struct Interruptions {
    let place: Workplace
    init() throws { place = try Workplace() }

    static let flags =
      Workplace.training + ["--steps", "105", "--validation", "6", "--experiment"]

    /// Starts a run and stops it once it has recorded some epochs: it cannot be more than one epoch
    /// further by then, since each writes a message.
    func interrupt(_ name: String, _ arguments: [String], epochs: Int, by signal: Int32) throws
      -> Program.Outcome
    {
      try Program.run(arguments, in: place.url) { process in
        let metrics = (try? place.text("runs/\(name)/metrics.csv")) ?? ""
        guard metrics.split(separator: "\n").count > epochs else { return false }
        kill(process.processIdentifier, signal)
        return true
      }
    }

    @Test func aResumedRunGivesTheSameBits() throws {
      try place.run(Self.flags + ["whole"])
      let first = try interrupt("cut", Self.flags + ["cut"], epochs: 2, by: SIGINT)
      #expect(first.code == 130 && !first.isKilled, "\(first.errors)")
      #expect(first.errors.contains("train --resume runs/cut"))

      let second = try interrupt(
        "cut", ["train", "--resume", "runs/cut"], epochs: 6, by: SIGTERM)
      #expect(second.code == 143 && !second.isKilled, "\(second.errors)")
      let third = try interrupt(
        "cut", Self.flags + ["cut", "--resume", "auto"], epochs: 9, by: SIGUSR1)
      #expect(third.code == 138 && !third.isKilled, "\(third.errors)")

      try place.run(Self.flags + ["cut", "--resume", "auto", "--threads", "2"])
      for name in [
        "config.yaml", "metrics.csv", "best.safetensors", "last.safetensors", "result.json",
      ] {
        #expect(try place.bytes("runs/whole/\(name)") == place.bytes("runs/cut/\(name)"), "\(name)")
      }
      #expect(place.files("runs/cut") == place.files("runs/whole"))

      // The same command once more says what has come out.
      let again = try place.run(Self.flags + ["cut", "--resume", "auto", "--json"])
      #expect(again.errors.contains("finished"))
      #expect(try again.json()["model"] as? String == "runs/cut/last.safetensors")
      #expect(place.files("runs") == ["whole", "cut"])
    }

    /// Killed at once, again and again; the same command line each time, on other numbers of threads.
    @Test func killedRunsAreResumedByTheSameCommand() throws {
      try place.run(Self.flags + ["whole"])
      let command =
        Self.flags + ["cut", "--resume", "auto", "--checkpoint-steps", "1", "--log-interval", "1"]
      var kills = 0
      for attempt in 0..<40 {
        var messages = 0
        let outcome = try Program.run(
          command + ["--threads", String([1, 2, 4][attempt % 3])], in: place.url
        ) { process in
          messages += 1
          guard messages > 9 + attempt * 5 % 13, kills < 6 else { return false }
          kill(process.processIdentifier, SIGKILL)
          kills += 1
          return true
        }
        if !outcome.isKilled {
          #expect(outcome.code == 0, "\(outcome.errors)")
          break
        }
      }
      #expect(kills == 6)
      for name in ["metrics.csv", "best.safetensors", "last.safetensors", "result.json"] {
        #expect(try place.bytes("runs/whole/\(name)") == place.bytes("runs/cut/\(name)"), "\(name)")
      }
    }

    @Test func aSignalBeforeTheFirstStepLeavesNothing() throws {
      let outcome = try Program.run(Self.flags + ["early"], in: place.url) { process in
        kill(process.processIdentifier, SIGTERM)
        return true
      }
      // The first message comes after the data and before the first step, or a step is done meanwhile.
      #expect(outcome.code == 143 && !outcome.isKilled, "\(outcome.errors)")
      if outcome.errors.contains("before the first step") {
        #expect(place.files("runs").isEmpty)
      } else {
        #expect(place.files("runs/early").contains("last.safetensors"))
      }
    }

    @Test func anInterruptedRunIsCheckedBeforeItGoesOn() throws {
      let outcome = try interrupt("cut", Self.flags + ["cut"], epochs: 1, by: SIGINT)
      #expect(outcome.code == 130)
      func expectRefusal(_ arguments: [String], code: Int32, _ words: String...) throws {
        try Commands.expectRefusal(
          ["train", "--resume", "runs/cut"] + arguments, code: code, says: words, in: place)
      }
      try expectRefusal(["--lr", "0.2"], code: 65, "runs/cut", "lr 0.1, not 0.2")
      try place.addImages("other", train: ["ape", "bat", "dog"], test: ["ape", "bat", "dog"])
      try expectRefusal(["other"], code: 65, "last.safetensors")
      try Commands.expectRefusal(
        ["train", "--resume", "runs/cut"], code: 65, says: ["baseline", "other bits"], in: place,
        environment: ["RESNET_ISA": "baseline"])
      let config = try place.text("runs/cut/config.yaml")
      try place.write(
        config.replacing("cifar-resnet8", with: "cifar-resnet14"), "runs/cut/config.yaml")
      try expectRefusal([], code: 65, "cifar-resnet8", "cifar-resnet14")
      try place.write(config, "runs/cut/config.yaml")
      // Without a whole checkpoint there is nothing to resume.
      for name in place.files("runs/cut") where name.hasPrefix("checkpoint-") {
        try place.remove("runs/cut/" + name)
      }
      let whole = Array(try place.bytes("runs/cut/last.safetensors"))
      try place.write(whole.dropLast(4), "runs/cut/last.safetensors")
      try expectRefusal([], code: 65, "last.safetensors")
      try place.write(whole.dropLast(1) + [whole[whole.count - 1] ^ 1], "runs/cut/last.safetensors")
      try expectRefusal([], code: 65, "last.safetensors", "digest")
      try place.remove("runs/cut/last.safetensors")
      try expectRefusal([], code: 65, "runs/cut", "no checkpoint")
    }
  }
}
