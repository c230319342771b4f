import Foundation

/// What a resumed run needs on a GPU for the same bits: see ``Device/record``.
public struct CUDARecord: Codable, Hashable, Sendable {
  /// How numbers are kept and multiplied.
  public let precision: Precision
  /// The algorithms that were measured and chosen.
  public let algorithms: AlgorithmChoices

  /// The record of a device in a run's folder; `nil` for a text that is none.
  public init?(_ text: String) {
    guard let record = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)) else {
      return nil
    }
    self = record
  }

  init(precision: Precision, algorithms: AlgorithmChoices) {
    (self.precision, self.algorithms) = (precision, algorithms)
  }

  /// As a file keeps it.
  var text: String? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) + "\n" }
  }
}

extension Precision: Codable {}

extension CUDADevice {
  public var record: String? { CUDARecord(precision: precision, algorithms: choices).text }
}
