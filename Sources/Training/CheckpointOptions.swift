import ResidualNetworks

/// When a run saves its state, and what it keeps. No result depends on it.
public struct CheckpointOptions: Hashable, Sendable {
  /// Steps between two checkpoints; `nil` for none but those of time and of epochs.
  public var steps: Int?
  /// Minutes between two checkpoints; 0 for none but those of steps and of epochs.
  public var minutes: Double?
  /// How many older checkpoints stay beside the newest one.
  public var kept: Int?
  /// At so many evenly spaced steps, checkpoints stay for good, for an audit; 0 for none.
  public var rungs: Int?
  /// What happens if a checkpoint cannot be written.
  public var onSaveError: SaveErrorPolicy?

  /// The defaults.
  public init() {}

  /// Every setting.
  package static let settings: [Setting<CheckpointOptions>] = [
    Setting(
      .checkpointSteps, \.steps, .range(1...1_000_000_000), placeholder: "n",
      otherwise: "none", help: "Save the state every so many steps, too."),
    Setting(
      .checkpointMinutes, \.minutes,
      SettingRange("0 or more, up to 1,000,000") { $0 >= 0 && $0 <= 1e6 },
      placeholder: "n", default: 10,
      help: "Save the state every so many minutes, beside each epoch's end; 0 for never."),
    Setting(
      .keepCheckpoints, \.kept, .range(0...1_000_000), placeholder: "n", default: 1,
      help: "Older checkpoints to keep beside the newest one, until the run is finished."),
    Setting(
      .ladder, \.rungs, .range(0...10_000), placeholder: "n", default: 0,
      help: "Keep checkpoints at so many evenly spaced steps for good, for 'resnet audit'."),
    Setting(
      .onSaveError, \.onSaveError, default: .continue,
      help: "If a checkpoint cannot be written: go on and try again, or stop."),
  ]

  /// Whether the state after a step is a rung of the ladder.
  ///
  /// - Parameter steps: of the whole run.
  package func isRung(_ step: Int, of steps: Int) -> Bool {
    guard let rungs, rungs > 0, step > 0, step <= steps else { return false }
    // The k-th rung is the first step at or behind k / rungs of all.
    let rung = (step - 1) * rungs / steps
    return step * rungs / steps > rung
  }
}

/// What happens if a checkpoint cannot be written.
public enum SaveErrorPolicy: String, Hashable, Sendable, CaseIterable {
  /// Training goes on, and the next checkpoint is tried.
  case `continue`
  /// The run ends.
  case stop
}

extension SaveErrorPolicy: SettingValue {}

/// Settings of ``CheckpointOptions``.
extension OptionName {
  package static let checkpointSteps = OptionName("checkpoints.steps", key: "checkpoint_steps")
  package static let checkpointMinutes = OptionName(
    "checkpoints.minutes", key: "checkpoint_minutes")
  package static let keepCheckpoints = OptionName("checkpoints.kept", key: "keep_checkpoints")
  package static let ladder = OptionName("checkpoints.rungs", key: "ladder")
  package static let onSaveError = OptionName("checkpoints.onSaveError", key: "on_save_error")
}
