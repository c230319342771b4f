#if canImport(Glibc)
  import CMallocCounter
  import ResidualCPU
  import ResidualNetworks
  import ResidualTraining
  import Testing

  /// A steady training step allocates nothing, on any thread. Each test has a process of its own,
  /// because the counter counts what other tests allocate, too.
  @Suite struct AllocationTests {
    @Test(arguments: [1, 2], [false, true])
    func steadyTrainingStep(threads: Int, isGuarded: Bool) async {
      await #expect(processExitsWith: .success) { [threads, isGuarded] in
        let trainer = try AllocationTests.trainer(threads: threads, isGuarded: isGuarded)
        for _ in 0..<2 { _ = try trainer.step() }
        var losses: Float = 0
        armMallocCounter()
        for _ in 0..<5 { losses += try trainer.step().loss }
        let count = disarmMallocCounter()
        #expect(count == 0)
        #expect(losses > 0)
      }
    }

    /// Nor does timing its steps.
    @Test func timedTrainingStep() async {
      await #expect(processExitsWith: .success) {
        let network = try NetworkCatalog.network(named: "cifar-resnet8")
        let run = try TrainingRun(network, batch: 4, on: CPUDevice(threads: 2))
        let times = StepTimes(of: run.loaded.plan)
        for _ in 0..<2 { run.loaded.run(times: times) }
        armMallocCounter()
        for _ in 0..<5 { run.loaded.run(times: times) }
        #expect(disarmMallocCounter() == 0)
        #expect(times.runs == 7)
      }
    }

    /// The counter counts, on this thread and on others.
    @Test func allocationsAreCounted() async {
      await #expect(processExitsWith: .success) {
        armMallocCounter()
        let numbers = [Int](repeating: 1, count: Int.random(in: 100...200))
        #expect(disarmMallocCounter() > 0)
        #expect(numbers.count >= 100)

        let device = try CPUDevice(threads: 2)
        armMallocCounter()
        try device.run(AllocatingWork(parts: 10))
        #expect(disarmMallocCounter() >= 10)
      }
    }

    private struct AllocatingWork: Work {
      let parts: Int
      func run(part: Int, in context: StepContext) {
        let numbers = [Int](repeating: part, count: Int.random(in: 100...200))
        precondition(numbers[99] == part)
      }
    }

    /// - Parameter isGuarded: whether gradients are clipped, and faults skipped.
    static func trainer(threads: Int, isGuarded: Bool) throws -> Learner<CPUDevice> {
      var options = RecipeOptions()
      if isGuarded { (options.maximumGradientNorm, options.faultResponse) = (1, .skip) }
      options.model = "cifar-resnet20"
      options.batchSize = 8
      options.steps = 100
      let data = Dataset(
        name: "noise", source: .builtIn, classNames: (0..<10).map { "class \($0)" },
        training: Draw.images(64, classes: 10, seed: 1))
      return try Learner(
        options, on: data, device: CPUDevice(threads: threads))
    }
  }
#endif
