import Foundation
import Testing

/// Runs seen from outside.
extension Commands {
  @Suite struct RunsFromOutside {
    let place: Workplace
    init() throws { place = try Workplace() }

    private func states() throws -> [String: String] {
      let output = try place.run(["runs", "--json"]).output
      let runs =
        try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [[String: Any]] ?? []
      return Dictionary(
        uniqueKeysWithValues: runs.compactMap { run in
          (run["folder"] as? String).map { ($0, run["state"] as? String ?? "") }
        })
    }

    @Test func everyState() throws {
      try place.train("done", ["--keep-checkpoints", "3", "--ladder", "2"])
      let failed = try Program.run(
        Workplace.training + ["--steps", "20", "--lr", "1e30", "--experiment", "bad"], in: place.url
      )
      #expect(failed.code == 70)
      var seen = ""
      let cut = try Program.run(
        Workplace.training + ["--steps", "105", "--experiment", "cut"], in: place.url
      ) { process in
        let metrics = (try? place.text("runs/cut/metrics.csv")) ?? ""
        guard metrics.split(separator: "\n").count > 2 else { return false }
        seen = try states()["runs/cut"] ?? ""
        kill(process.processIdentifier, SIGINT)
        return true
      }
      #expect(cut.code == 130 && seen == "running")
      try place.write("", "runs/early/run.lock")
      try place.write("no run", "runs/note.txt")
      #expect(
        try states() == [
          "runs/done": "finished", "runs/bad": "failed", "runs/cut": "interrupted",
          "runs/early": "empty",
        ])
      let list = try place.run(["runs"]).output
      for word in ["done", "finished", "cifar-resnet8", "% (test)"] { #expect(list.contains(word)) }

      let shown = try place.run(["runs", "show", "runs/done"]).output
      for word in ["runs/done: finished", "batch_size: 8", "ladder: 2"] {
        #expect(shown.contains(word))
      }
      #expect(try place.run(["runs", "show", "runs/bad"]).output.contains("failed, in step"))
      #expect(try place.run(["runs", "watch", "runs/cut"]).errors.contains("interrupted"))

      let compared = try place.run(["runs", "compare", "runs/done", "runs/bad"]).output
      #expect(
        compared.contains("lr ") && compared.contains("1e+30") && !compared.contains("momentum"))

      // The rungs of the ladder stay; another checkpoint, the failed run and the empty one may go.
      try place.write(
        Array(try place.bytes("runs/cut/last.safetensors")), "runs/done/checkpoint-1.safetensors")
      let spare = try place.run(["runs", "clean"])
      #expect(spare.output.split(separator: "\n").count == 3 && spare.errors.contains("--yes"))
      #expect(try states().count == 4)
      #expect(
        try place.run(["runs", "clean", "--keep-failed"]).output.contains("runs/bad") == false)
      try place.run(["runs", "clean", "--yes"])
      #expect(try states() == ["runs/done": "finished", "runs/cut": "interrupted"])
      #expect(
        place.files("runs/done").filter { $0.hasPrefix("checkpoint-") }.count == 2, "two rungs")
      #expect(!place.files("runs/done").contains("checkpoint-1.safetensors"))
      #expect(place.files("runs").contains("note.txt"))
      try place.run(["train", "--resume", "runs/cut"])
    }

    @Test func whatIsNoRun() throws {
      try Commands.expectRefusal(["runs", "nowhere"], code: 65, says: ["nowhere"], in: place)
      try Commands.expectRefusal(
        ["runs", "show", "data"], code: 65, says: ["data", "no run"], in: place)
      try Commands.expectRefusal(
        ["runs", "watch", "nowhere"], code: 65, says: ["nowhere"], in: place)
      try Commands.expectRefusal(["runs", "compare", "data"], code: 64, says: ["two"], in: place)
      try Commands.expectRefusal(
        ["runs", "watch", "data", "--interval", "0"], code: 64, says: ["--interval"], in: place)
    }
  }
}
