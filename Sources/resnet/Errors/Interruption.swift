import ResidualPlatform
import Synchronization

/// SIGINT, SIGTERM, SIGUSR1 and SIGHUP as a flag that long work looks at between two steps.
///
/// The first signal asks for an orderly end; a second SIGINT or SIGTERM ends the program at once. Where
/// the program was started with SIGHUP ignored, as `nohup` does, it stays ignored.
enum Interruption {
  struct Interrupted: Error, CustomStringConvertible {
    let signal = received.load(ordering: .relaxed)
    var description: String { "" }
  }

  private static let received = Atomic<Int32>(0)

  static func install() {
    // The parent may have started this process with signals held back.
    var signals = sigset_t()
    sigemptyset(&signals)
    _ = received.load(ordering: .relaxed)  // initialised here, not in the handler
    for number in [SIGINT, SIGTERM, SIGUSR1, SIGHUP] {
      var action = sigaction()
      if number == SIGHUP, sigaction(number, nil, &action) == 0, isIgnored(action) { continue }
      sigaddset(&signals, number)
      signal(number) { number in
        Interruption.received.store(number, ordering: .relaxed)
        signal(SIGINT, SIG_DFL)
        signal(SIGTERM, SIG_DFL)
      }
    }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  private static func isIgnored(_ action: sigaction) -> Bool {
    #if canImport(Darwin)
      unsafeBitCast(action.__sigaction_u.__sa_handler, to: Int.self)
        == unsafeBitCast(SIG_IGN, to: Int.self)
    #else
      unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
        == unsafeBitCast(SIG_IGN, to: Int.self)
    #endif
  }

  /// Whether a signal has come.
  static func isRequested() -> Bool { received.load(ordering: .relaxed) != 0 }

  /// - Throws: ``Interrupted`` if a signal has come.
  static func check() throws {
    if isRequested() { throw Interrupted() }
  }
}
