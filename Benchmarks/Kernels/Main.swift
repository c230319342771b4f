// kernel-benchmarks [--filter TEXT] [--isa NAME] [--threads N] [--fit]: see Benchmarks/kernels.

#if Benchmarks
  import Foundation
  import ResidualCPU
  import ResidualFigures
  import ResidualKernelInterface

  @main
  struct Main {
    private static func value(_ flag: String) -> String? {
      let arguments = CommandLine.arguments
      guard let place = arguments.firstIndex(of: flag), place + 1 < arguments.count else {
        return nil
      }
      return arguments[place + 1]
    }

    static func main() throws {
      let sets = InstructionSet.available.filter { set in
        value("--isa").map { $0 == set.rawValue } ?? (set != .baseline)
      }
      let threads = value("--threads").flatMap(Int.init).map { [$0] } ?? [1, CPUDevice.coreCount]
      let fits = CommandLine.arguments.contains("--fit")
      for set in sets {
        if fits {
          try Fit.print(on: CPUDevice(threads: 1, instructionSet: set))
        } else {
          for count in Set(threads).sorted() {
            try measure(on: CPUDevice(threads: count, instructionSet: set))
          }
        }
      }
    }

    private static func measure(on device: CPUDevice) throws {
      let peak = try device.measuredPeakOfAllThreads()
      print(
        "\(device.instructionSet.rawValue), \(device.threads) threads, "
          + "peak \(NumberFormat.fixed(peak / 1e9, decimals: 0)) GFLOPS\n")
      var table = TextTable([
        .init("layer"), .init("batch", .right), .init("direction"), .init("algorithm"),
        .init("ms", .right), .init("GFLOPS", .right), .init("peak", .right), .init("other"),
      ])
      let filter = value("--filter") ?? ""
      for layer in Layer.all where filter.isEmpty || layer.name.contains(filter) {
        for direction in ConvolutionDirection.allCases {
          // Without the filter's packing, which is done once for inference.
          let timing = try device.time(direction, layer.extents, packsFilter: false)
          let flops = timing.directEquivalent(timing.secondsOfChoice)
          table.append([
            direction == .output ? layer.name : "",
            direction == .output ? String(layer.extents.batch) : "", direction.rawValue,
            timing.choice.rawValue,
            NumberFormat.fixed(timing.secondsOfChoice * 1e3, decimals: 2),
            NumberFormat.fixed(flops / 1e9, decimals: 0),
            NumberFormat.percentage(flops / peak, decimals: 0), timing.otherText,
          ])
        }
      }
      print(table.text)
    }
  }
#else
  @main
  struct Main {
    static func main() {
      print("this build has no benchmarks; run Benchmarks/kernels")
    }
  }
#endif
