/// A device that this machine cannot offer, with the reason.
public struct DeviceUnavailable: Refusal, Hashable {
  /// What is missing or not allowed, as one line.
  public let message: Message
  /// - Parameter message: one line that names what was asked for.
  public init(_ message: Message) { self.message = message }
  public var kind: RefusalKind { .unavailable }
  public var description: String { message.description }
}
