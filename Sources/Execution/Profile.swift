/// The time of each step of a plan, added up over runs. Measuring allocates nothing.
public final class StepTimes {
  /// Runs that have been timed.
  package private(set) var runs = 0
  private var durations: [Duration]
  private var last = ContinuousClock.now

  /// No time yet, for every step of a plan.
  package init<Step>(of plan: Plan<Step>) {
    durations = Array(repeating: .zero, count: plan.steps.count)
  }

  /// Begins a run whose steps are timed by the device.
  package func beginRun() { runs += 1 }

  /// Adds the time that a step took on the device.
  package func record(_ step: Int, _ duration: Duration) { durations[step] += duration }

  /// Begins a run whose steps are timed here, one after the other.
  package func begin() {
    beginRun()
    last = .now
  }

  /// Ends a step, which began when the one before it ended.
  package func end(_ step: Int) {
    let now = ContinuousClock.now
    record(step, now - last)
    last = now
  }

  /// Seconds of a step in a run, on average.
  package func seconds(_ step: Int) -> Double {
    durations[step] / .seconds(max(1, runs))
  }
}

/// Where a plan's time goes: seconds and bytes of its steps, in groups.
package struct Profile: Sendable {
  /// The steps of one kind or of one layer.
  package struct Group: Sendable {
    /// The kind of step, or the layer's path.
    package let name: String
    /// How many of the plan's steps they are.
    package let steps: Int
    /// Seconds in a run.
    package let seconds: Double
    /// Bytes in a run of the buffers that the steps read and write, each buffer once a step; caches
    /// can make the traffic to memory less, and reading twice can make it more.
    package let bytes: Int
  }

  /// Seconds in a run of all steps.
  package let seconds: Double
  /// By kind of step and by layer, the longest time first.
  package let kinds: [Group], layers: [Group]

  /// - Parameter names: a step's kind and its layer.
  package init<Step>(
    _ plan: Plan<Step>, _ times: StepTimes, names: (Step) -> (kind: String, layer: String)
  ) {
    let labels = plan.steps.map(names)
    func groups(_ name: (Int) -> String) -> [Group] {
      Dictionary(grouping: plan.steps.indices, by: name).map { name, steps in
        Group(
          name: name, steps: steps.count, seconds: steps.reduce(0) { $0 + times.seconds($1) },
          bytes: steps.reduce(0) { $0 + plan.stepByteCounts[$1] })
      }.sorted { ($1.seconds, $0.name) < ($0.seconds, $1.name) }
    }
    kinds = groups { labels[$0].kind }
    layers = groups { labels[$0].layer }
    seconds = plan.steps.indices.reduce(0) { $0 + times.seconds($1) }
  }
}
