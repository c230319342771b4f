import Foundation
import ResidualTraining

/// What a run hands over to be written: its state, and what has changed beside it.
package struct PendingSave: Sendable {
  package var snapshot: Snapshot
  /// The best network, where it is a new one.
  package var best: ModelFile?
  /// Seconds and images of the epochs, where there is a new one; see ``RunFolder``.
  package var timings: [[String]]?

  package init(snapshot: Snapshot, best: ModelFile? = nil, timings: [[String]]? = nil) {
    (self.snapshot, self.best, self.timings) = (snapshot, best, timings)
  }

  /// What remains to be written if this one was not: the newest of each.
  func followed(by later: PendingSave) -> PendingSave {
    PendingSave(
      snapshot: later.snapshot, best: later.best ?? best, timings: later.timings ?? timings)
  }
}

/// Writes checkpoints beside training, on a thread of its own.
///
/// What comes while another one is being written waits; of those that wait, the newest of each kind is
/// written. What could not be written waits for the next one.
final class CheckpointWriter: Sendable {
  /// What became of a save.
  enum Outcome: Sendable {
    case saved(step: Int)
    case failed(step: Int, any Error)
  }

  private let state: State

  /// - Parameter save: called on the thread of the writer, one call after another.
  init(_ save: @escaping @Sendable (PendingSave) throws -> Void) {
    let state = State(save)
    self.state = state
    let thread = Thread { state.work() }
    thread.stackSize = 1 << 20
    thread.name = "checkpoints"
    thread.start()
  }

  /// What waits is written first.
  deinit { state.end() }

  /// Hands over what is to be written, and does not wait for it.
  func submit(_ save: PendingSave) { state.submit(save) }

  /// Waits until everything is written, or has failed.
  func wait() { state.wait() }

  /// Tries again what could not be written, and waits.
  func retry() {
    state.retry()
    state.wait()
  }

  /// What has become of the saves since this was last asked, the first one first.
  func outcomes() -> [Outcome] { state.takeOutcomes() }

  /// Everything behind one lock.
  private final class State: @unchecked Sendable {
    private let condition = NSCondition()
    /// `nil` when the thread has ended, so that nothing that it holds outlives the writer.
    private var save: ((PendingSave) throws -> Void)?
    private var next: PendingSave?
    /// What could not be written.
    private var failed: PendingSave?
    private var isWriting = false, hasEnded = false
    private var results: [Outcome] = []

    init(_ save: @escaping (PendingSave) throws -> Void) { self.save = save }

    func submit(_ save: PendingSave) {
      condition.withLock {
        next = (next ?? failed)?.followed(by: save) ?? save
        failed = nil
        condition.broadcast()
      }
    }

    func retry() {
      condition.withLock {
        guard let failed else { return }
        next = next.map { failed.followed(by: $0) } ?? failed
        self.failed = nil
        condition.broadcast()
      }
    }

    func wait() {
      condition.withLock { while next != nil || isWriting { condition.wait() } }
    }

    func end() {
      condition.withLock {
        hasEnded = true
        condition.broadcast()
        while save != nil { condition.wait() }
      }
    }

    func takeOutcomes() -> [Outcome] {
      condition.withLock {
        defer { results = [] }
        return results
      }
    }

    func work() {
      while let (pending, save) = take() {
        let step = pending.snapshot.progress.step
        do {
          try save(pending)
          finish(.saved(step: step), nil)
        } catch {
          finish(.failed(step: step, error), pending)
        }
      }
    }

    /// The next save; `nil` when the writer is no longer there.
    private func take() -> (PendingSave, (PendingSave) throws -> Void)? {
      condition.withLock {
        while next == nil, !hasEnded { condition.wait() }
        guard let pending = next, let save else {
          save = nil
          condition.broadcast()
          return nil
        }
        (next, isWriting) = (nil, true)
        return (pending, save)
      }
    }

    private func finish(_ outcome: Outcome, _ unsaved: PendingSave?) {
      condition.withLock {
        isWriting = false
        results.append(outcome)
        if let unsaved {
          if let later = next { next = unsaved.followed(by: later) } else { failed = unsaved }
        }
        condition.broadcast()
      }
    }
  }
}
