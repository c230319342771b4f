import ArgumentParser

/// The command `resnet`: one file a verb.
struct ResNet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resnet",
    abstract: "Trains, evaluates and runs the networks of Deep Residual Learning.",
    discussion: """
      Without any data at hand, 'resnet train' teaches ResNet-20 ten things drawn by the program.

      Settings come from flags, then from the environment (RESNET_LR=0.05 for --lr 0.05), then from
      a file (--config), then from the paper.

      Exit codes: 0 done, 64 flags, 65 input, 69 library or hardware missing, 70 training diverged,
      71 memory, 73 output, 130 and 143 interrupted.
      """,
    version: Version.current,
    subcommands: [
      Train.self, Evaluate.self, Predict.self, Summary.self, Data.self, Bench.self, Checks.self,
    ])
}

enum Version {
  static let current = "0.1.0"
}

@main
enum Main {
  static func main() {
    do {
      var command = try ResNet.parseAsRoot()
      try command.run()
    } catch {
      Failure.exit(error)
    }
  }
}
