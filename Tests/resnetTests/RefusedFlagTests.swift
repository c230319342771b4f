import Foundation
import Testing
import resnet

/// Flags and variables that cannot be: exit code 64.
extension Commands {
  @Suite struct RefusedFlags {
    let place: Workplace
    init() throws { place = try Workplace() }

    func expectUsageError(
      _ arguments: String, _ words: String..., environment: [String: String] = [:],
      _ location: SourceLocation = #_sourceLocation
    ) throws {
      try Commands.expectRefusal(
        arguments.split(separator: " ").map(String.init), code: 64, says: words, in: place,
        environment: environment, location)
    }

    @Test func unknownWordsAreAnsweredWithTheNearest() throws {
      try expectUsageError("trian data", "'resnet trian'", "did you mean 'train'?")
      try expectUsageError("data shwo", "'resnet data shwo'", "did you mean 'show'?")
      try expectUsageError("train data --stpes 3", "'--stpes'", "did you mean '--steps'?")
      try expectUsageError("train data --model resnt20", "'resnt20'", "did you mean 'resnet20'?")
      try expectUsageError("bench train plian20", "'plian20'", "did you mean 'plain20'?")
      try expectUsageError("train data --model vgg", "'vgg'", "resnet networks")
      try expectUsageError("summary vgg16 --shortcut A", "vgg16 has no shortcuts", "--shortcut")
      try expectUsageError(
        "summary resnet18 --shortcut-padding end", "no zero-padding shortcuts",
        "--shortcut-padding")
      try expectUsageError("summary resnet50 --gate-bias -1", "no gates", "--gate-bias")
      try expectUsageError("summary highway18 --gate-bias nan", "--gate-bias nan is out of range")
      try expectUsageError("summary resnet50 --inception-branch 3x3", "no Inception modules")
      try expectUsageError("summary googlenet --inception-branch 7x7", "'7x7'", "5x5, 3x3")
      try expectUsageError("train data surplus", "'surplus'", "resnet train --help")
      try expectUsageError("evaluate", "'<model>'", "resnet evaluate --help")
      try expectUsageError("evaluate m data --part tset", "--part", "'test'")
    }

    @Test func depths() throws {
      try expectUsageError("train data --model cifar-resnet21", "6n + 2", "20 and 26")
      try expectUsageError("summary cifar-plain19", "6n + 2", "14 and 20")
      try expectUsageError("summary resnet26", "'cifar-resnet26'")
      try expectUsageError("summary resnet35", "18, 34, 50, 101 or 152", "32 and 38")
      try expectUsageError("summary cifar-resnet9999998", "20000")
    }

    @Test(arguments: [
      ("--lr -1", "--lr -1.0", "above 0"), ("--lr 0", "--lr 0.0", "above 0"),
      ("--lr nan", "--lr nan", "above 0"), ("--lr abc", "--lr", "'abc'"),
      ("--batch-size 0", "--batch-size 0", "1 to"), ("--batch-size 61", "61", "60 images"),
      ("--validation -1", "--validation -1", "0 or more"),
      ("--validation 100%", "--validation 100%", "below 100%"),
      ("--validation ten", "--validation 'ten'", "a share such as 10%"),
      ("--warmup-steps 5 --warmup-lr 0.01", "--warmup-lr and --warmup-steps", "one of them"),
      ("--steps 10 --milestone 11", "--milestone 11", "last of 10 steps"),
      ("--validation 60", "--validation 60", "60 training images"),
      ("--validation 56 --batch-size 8", "--batch-size 8", "4 images"),
      ("--momentum 1", "--momentum 1.0", "below 1"),
      ("--weight-decay -1", "--weight-decay", "0 or"),
      ("--on-nan ignore", "--on-nan 'ignore'", "stop, skip, rollback"),
      ("--clip-grad 0", "--clip-grad 0.0", "above 0"),
      ("--steps 0", "--steps 0", "1 to"), ("--epochs 0", "--epochs 0.0", "above 0"),
      ("--epochs 1 --steps 1", "--epochs", "--steps"), ("--seed -1", "--seed", "'-1'"),
      ("--milestone 5 --milestone 3", "--milestone [5, 3]", "rising"),
      ("--shortcut D", "--shortcut 'D'", "A, B, C"),
      ("--shortcut-padding middle", "--shortcut-padding 'middle'", "end, both"),
      ("--model plain20 --shortcut B", "cifar-plain20", "leave --shortcut out"),
      ("--model resnet18 --stride-on 1x1", "resnet18", "leave --stride-on out"),
      ("--model resnet50 --stride-on 7x7", "--stride-on '7x7'", "1x1, 3x3"),
      ("--img-size 31", "--img-size 31", "32 to 4096"),
      ("--init zero", "--init 'zero'", "fan-in, fan-out, normal"),
      ("--memory-limit 6Q", "--memory-limit '6Q'", "such as 6GiB"),
      ("--recompute --no-recompute", "--recompute", "--no-recompute"),
      ("--threads 0", "--threads 0", "1 to 256"), ("--threads 257", "--threads 257", "1 to 256"),
      ("--threads abc", "--threads", "'abc'"),
      ("--log-interval 0", "--log-interval 0", "at least 1"),
      ("--experiment ../x", "--experiment '../x'", "--output"),
      ("--config", "-c", "--help"),
    ])
    func values(_ flags: String, _ name: String, _ mend: String) throws {
      try expectUsageError("train data " + flags, name, mend)
    }

    @Test func valuesOfOtherVerbs() throws {
      try expectUsageError("bench train resnet20 --batch 0", "--batch 0", "1 to 100,000")
      try expectUsageError(
        "bench infer resnet20 --warm 9223372036854775807", "--warm", "0 to 100,000")
      try expectUsageError("bench infer resnet20 --steps -1", "--steps -1", "1 to 100,000")
      try expectUsageError("predict m i.png --top 0", "--top 0", "at least 1")
      try expectUsageError("data show data --columns 0", "--columns 0", "1 to 200")
      try expectUsageError("data show data --zoom 17", "--zoom 17", "1 to 16")
    }

    @Test func instructionSetOfEveryVerb() throws {
      for verb in ["checks", "bench infer resnet20", "bench layers resnet20"] {
        try expectUsageError(verb, "RESNET_ISA='sse'", environment: ["RESNET_ISA": "sse"])
      }
    }

    @Test func unknownVariables() throws {
      for verb in ["networks", "train data"] {
        try expectUsageError(
          verb, "RESNET_BATCHSIZE", "did you mean RESNET_BATCH_SIZE?",
          environment: ["RESNET_BATCHSIZE": "4"])
      }
      try expectUsageError("checks", "RESNET_XYZ; unset", environment: ["RESNET_XYZ": ""])
      for name in Environment.known {
        try place.run(["--version"], environment: [name: ""])
      }
    }

    /// What scripts and tests read is known.
    @Test func knownVariables() throws {
      let root = URL(filePath: #filePath).appending(path: "../../..").standardized
      for folder in ["scripts", "Benchmarks"] {
        for file in FileManager.default.enumerator(atPath: root.appending(path: folder).path)
          ?? .init()
        {
          let text = try? String(
            contentsOf: root.appending(path: "\(folder)/\(file)"), encoding: .utf8)
          for name in (text ?? "").matches(of: /RESNET_[A-Z_]*[A-Z]/) {
            #expect(Environment.known.contains(String(name.output)), "\(file): \(name.output)")
          }
        }
      }
    }

    @Test(arguments: [
      ("RESNET_ISA", "foo", "baseline"), ("RESNET_THREADS", "x", "1 to 256"),
      ("RESNET_THREADS", "0", "1 to 256"), ("RESNET_LR", "abc", "number"),
      ("RESNET_LR", "-1", "above 0"), ("RESNET_BATCH_SIZE", "1.5", "whole number"),
      ("RESNET_MODEL", "resnt20", "resnet20"), ("RESNET_LR", "0.1\nmodel: x", "one short line"),
      ("RESNET_BN_STATISTICS", "perhaps", "augmented"), ("RESNET_MEMORY_LIMIT", "much", "6GiB"),
      ("RESNET_RECOMPUTE", "all", "convolutions"),
    ])
    func variables(_ name: String, _ value: String, _ mend: String) throws {
      try Commands.expectRefusal(
        ["train", "data"], code: 64, says: [name == "RESNET_MODEL" ? value : "RESNET_", mend],
        in: place, environment: [name: value])
    }
  }
}
