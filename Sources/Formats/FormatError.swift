import ResidualTensors

/// What is wrong with a file, and which file it is.
///
/// Each format has one closed enum of problems; this type adds the place where it was found. The
/// description is one line such as `model.safetensors: the file ends at byte 5, …`.
public struct FormatError<Problem>: Refusal, Equatable
where Problem: Equatable & Sendable & CustomStringConvertible {
  /// The path as the caller gave it, or the name given to bytes in memory.
  public let file: String
  /// What is wrong, without the file's name.
  public let problem: Problem
  /// Whether the file was read or written.
  public let kind: RefusalKind

  /// - Parameter file: the path or name that the message begins with.
  public init(_ file: String, _ problem: Problem) {
    (self.file, self.problem, kind) = (file, problem, .input)
  }

  /// The error of a file that cannot be written.
  public init(writing file: String, _ problem: Problem) {
    (self.file, self.problem, kind) = (file, problem, .output)
  }

  /// Whether two errors say the same of the same file.
  public static func == (first: Self, second: Self) -> Bool {
    first.file == second.file && first.problem == second.problem
  }

  public var description: String { "\(Printable(file)): \(problem)" }
}

/// Text from outside, made fit for one line of a message: control characters are escaped and long
/// text is cut.
package struct Printable: CustomStringConvertible {
  static let maximumLength = 200
  package let description: String

  package init(_ text: some StringProtocol) {
    let scalars = String(text).unicodeScalars
    let head = scalars.prefix(Self.maximumLength)
    description = String(head).onOneLine + (head.endIndex == scalars.endIndex ? "" : "…")
  }
}

/// A name from outside in quotation marks, as ``Printable``.
package func quoted(_ name: String) -> String { "'\(Printable(name))'" }
