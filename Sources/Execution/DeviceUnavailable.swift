/// A device that this machine cannot offer, with the reason.
public struct DeviceUnavailable: Error, Hashable, CustomStringConvertible {
  /// What is missing or not allowed, as one line of a message.
  public let reason: String
  /// - Parameter reason: one line that names what was asked for.
  public init(_ reason: String) { self.reason = reason }
  public var description: String { reason }
}
