import ResidualPlatform
import Synchronization

/// SIGINT and SIGTERM as a flag that long work looks at between two steps.
///
/// The first signal asks for an orderly end; a second one ends the program at once.
enum Interruption {
  struct Interrupted: Error, CustomStringConvertible {
    let isTermination = received.load(ordering: .relaxed) == SIGTERM
    var description: String { "" }
  }

  private static let received = Atomic<Int32>(0)

  static func install() {
    // The parent may have started this process with signals held back.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    _ = received.load(ordering: .relaxed)  // initialised here, not in the handler
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        Interruption.received.store(number, ordering: .relaxed)
        signal(SIGINT, SIG_DFL)
        signal(SIGTERM, SIG_DFL)
      }
    }
  }

  /// Whether a signal has come.
  static func isRequested() -> Bool { received.load(ordering: .relaxed) != 0 }

  /// - Throws: ``Interrupted`` if a signal has come.
  static func check() throws {
    if isRequested() { throw Interrupted() }
  }
}
