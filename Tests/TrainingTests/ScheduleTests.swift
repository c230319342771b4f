import Foundation
import ResidualRuns
import Testing

@Suite struct ScheduleTests {
  @Test func milestonesOfThePaperAndInProportion() {
    #expect(Schedule.milestones(for: 64_000) == [32_000, 48_000])
    #expect(Schedule.milestones(for: 1_000) == [500, 750])
    #expect(Schedule.milestones(for: 7) == [3, 5])
    #expect(Schedule.milestones(for: 1) == [1, 1])
    #expect(Schedule.milestones(for: 1_000_000_000) == [500_000_000, 750_000_000])
  }

  @Test func ratesOfThePaper() {
    let schedule = Schedule(steps: 64_000, rate: 0.1, milestones: [32_000, 48_000])
    let expected: [(Int, Float)] = [
      (0, 0.1), (31_999, 0.1), (32_000, 0.01), (47_999, 0.01), (48_000, 0.001), (63_999, 0.001),
    ]
    for (step, rate) in expected {
      #expect(schedule.rate(at: step, isWarm: true) == rate, "step \(step)")
      #expect(schedule.rate(at: step, isWarm: false) == rate, "no warm-up, step \(step)")
    }
  }

  @Test func ratesWithWarmup() {
    let schedule = Schedule(
      steps: 100, rate: 0.1, milestones: [50], start: .low(.init(rate: 0.01, error: 0.8, limit: 10))
    )
    #expect(schedule.rate(at: 0, isWarm: false) == 0.01)
    #expect(schedule.rate(at: 60, isWarm: false) == 0.01)
    #expect(schedule.rate(at: 49, isWarm: true) == 0.1)
    #expect(schedule.rate(at: 50, isWarm: true) == 0.01)
  }

  @Test func risingRates() {
    let schedule = Schedule(
      steps: 100, rate: 0.1, milestones: [50], start: .rising(steps: 10))
    #expect(schedule.rate(at: 0, isWarm: true) == 0.01)
    #expect(schedule.rate(at: 4, isWarm: true) == 0.05)
    #expect(schedule.rate(at: 9, isWarm: true) == 0.1)
    #expect(schedule.rate(at: 49, isWarm: true) == 0.1)
    #expect(schedule.rate(at: 50, isWarm: true) == 0.01)
    let late = Schedule(steps: 100, rate: 0.1, milestones: [50], start: .rising(steps: 100))
    #expect(late.rate(at: 59, isWarm: true) == 0.006, "milestones count while the rate rises")
  }

  // MARK: Runs that do not learn

  private let network = LinearClassifier.network(inputSide: 32, classes: 3)

  private func warns(_ loss: (_ step: Int) -> Float) -> [Int] {
    var monitor = StallMonitor(network, steps: 1000)
    return (1...1000).filter { monitor.record(step: $0, loss: loss($0)) }
  }

  @Test func runsThatDoNotLearn() throws {
    let guessing = Float(StallMonitor(network, steps: 1000).guessing)
    #expect(warns { _ in guessing } == [100])
    #expect(warns { $0 < 40 ? 9 : guessing * 0.995 } == [100], "an explosion before")
    #expect(warns { _ in guessing * 0.97 } == [])
    // A loss that falls through that of guessing at step 87.
    #expect(warns { guessing * (1.5 - Float($0) * 0.00575) } == [])
    var short = StallMonitor(network, steps: 199)
    #expect(!(1...199).contains { short.record(step: $0, loss: guessing) })
    let auxiliary = try NetworkCatalog.network(named: "googlenet", inputSide: 64, classes: 10)
    #expect(abs(StallMonitor(auxiliary, steps: 1000).guessing - 1.6 * log(10)) < 1e-6)
  }

  // MARK: The end of the warm-up

  private func end(
    _ errors: [Float], limit: Int
  ) -> (step: Int, end: WarmupEnd)? {
    var monitor = WarmupMonitor(.init(rate: 0.01, error: 0.8, limit: limit))
    for (index, error) in errors.enumerated() {
      #expect(!monitor.isWarm)
      if let end = monitor.record(error: error) {
        #expect(monitor.isWarm)
        #expect(monitor.record(error: 0) == nil, "it ends once")
        return (index + 1, end)
      }
    }
    return nil
  }

  @Test func endByError() throws {
    // Never before the window is full, even where every sample is right.
    let (step, end) = try #require(self.end([Float](repeating: 0.5, count: 200), limit: 1000))
    #expect(step == 100 && end == .errorBelow(0.5))
    // The mean of the last hundred steps falls below 0.8 when the 101st good step comes.
    let errors = [Float](repeating: 1, count: 50) + [Float](repeating: 0.75, count: 200)
    let later = try #require(self.end(errors, limit: 1000))
    // 1 − 0.25 · k / 100 < 0.8 from k = 81 on, that is at step 131.
    #expect(later.step == 131)
  }

  @Test func endByLimit() throws {
    let errors = [Float](repeating: 0.9, count: 400)
    let (step, end) = try #require(self.end(errors, limit: 250))
    #expect(step == 250 && end == .limitReached)
    let early = try #require(self.end(errors, limit: 7))
    #expect(early.step == 7 && early.end == .limitReached)
    #expect(self.end(errors, limit: 1000) == nil)
  }

  @Test func noWarmupIsWarm() {
    var monitor = WarmupMonitor(nil)
    #expect(monitor.isWarm)
    #expect(monitor.record(error: 0) == nil)
  }

  @Test func restoredMonitorsContinue() {
    let warmup = Schedule.Warmup(rate: 0.01, error: 0.8, limit: 300)
    var whole = WarmupMonitor(warmup)
    var first = WarmupMonitor(warmup)
    for step in 0..<130 {
      #expect(whole.record(error: step < 50 ? 1 : 0.75) == nil)
      _ = first.record(error: step < 50 ? 1 : 0.75)
    }
    var second = WarmupMonitor(
      warmup, errors: first.errors, steps: first.steps, isWarm: first.isWarm)
    let end = whole.record(error: 0.75)
    #expect(end != nil && second.record(error: 0.75) == end)
  }

  /// Why the warm-up ends, and the rates that follow.
  @Test func reportsOfTheEnd() throws {
    var options = RecipeOptions.tiny(steps: 8)
    options.warmupRate = 0.01
    options.warmupLimit = 5
    let trainer = try options.trainer()
    var ends: [Int: WarmupEnd] = [:]
    let rows = try trainer.finish { report in
      if let end = report.warmupEnd { ends[report.step] = end }
    }
    #expect(ends == [5: .limitReached])
    #expect(rows.map(\.learningRate) == [0.01, 0.001], "milestones at steps 4 and 6")

    options = .tiny(steps: 104)
    options.model = "cifar-linear"
    options.learningRate = 1e-3
    options.warmupRate = 1e-4
    options.warmupLimit = 104
    options.warmupError = 0.999
    let learner = try options.trainer(on: TinyData.dataset(16, test: nil))
    var reason: WarmupEnd?
    var step = 0
    _ = try learner.finish { report in
      if let end = report.warmupEnd { (step, reason) = (report.step, end) }
    }
    #expect(step == 100)
    guard case .errorBelow(let error)? = reason else {
      Issue.record("\(reason as Any)")
      return
    }
    #expect(error < 0.999)
  }
}
