import Foundation

/// An error whose cause lies outside the program: what it was given, the machine, or a run that failed.
///
/// Its text is one line that names the file or option, the place and the remedy.
public protocol Refusal: LocalizedError, CustomStringConvertible {
  /// Where the cause lies.
  var kind: RefusalKind { get }
  /// The text, in which options are spelled as its reader knows them.
  var message: Message { get }
}

/// Where the cause of a ``Refusal`` lies. The command's exit code follows from it.
public enum RefusalKind: Hashable, Sendable, CaseIterable {
  /// An option that cannot be.
  case usage
  /// Data, a model or a configuration that cannot be used.
  case input
  /// A library or hardware that is not there.
  case unavailable
  /// Training that has come to numbers that are not finite.
  case diverged
  /// More memory than there is.
  case memory
  /// Something that cannot be written.
  case output
}

extension Refusal {
  /// The description, for errors that name no option.
  public var message: Message { Message(description) }
  /// The description.
  public var errorDescription: String? { description }
}
