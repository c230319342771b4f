import ArgumentParser
import Foundation
import ResidualRuns

/// The command `resnet`: one file a verb.
struct ResNet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resnet",
    abstract: "Trains, evaluates and runs the networks of Deep Residual Learning.",
    discussion: """
      Without any data at hand, 'resnet train' teaches ResNet-20 ten things drawn by the program.

      Settings come from flags, then from the environment (RESNET_LR=0.05 for --lr 0.05), then \
      from a file (--config), then from the paper. RESNET_THREADS, RESNET_ISA and NO_COLOR work \
      with every verb.

      Words are completed in a shell by what 'resnet --generate-completion-script bash' (or zsh, \
      fish) prints; README.md says where to put it.

      Exit codes: 0 done, 64 flags, 65 input, 69 library or hardware missing, 70 training \
      diverged, 71 memory, 73 output; interrupted, and to be resumed: 130 by SIGINT, \
      143 by SIGTERM, 138 by SIGUSR1, 129 by SIGHUP.
      """,
    version: Version.current,
    subcommands: [
      Train.self, Runs.self, Evaluate.self, Predict.self, Networks.self, Summary.self, Convert.self,
      Data.self,
      Bench.self,
      Checks.self,
    ])
}

@main
enum Main {
  static func main() {
    var command: any ParsableCommand
    do { command = try ResNet.parseAsRoot() } catch {
      Failure.exit(parsing: error, Array(CommandLine.arguments.dropFirst()))
    }
    do {
      try Environment.check(ProcessInfo.processInfo.environment)
      try command.run()
      // What standard output holds back may fail to be written as late as here.
      guard fflush(nil) == 0 else {
        throw OutputError(description: "standard output cannot be written: is the disk full?")
      }
    } catch {
      Failure.exit(error)
    }
  }
}
