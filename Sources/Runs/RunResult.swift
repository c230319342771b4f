import Foundation
import ResidualTraining

/// What a run came to.
public struct RunResult: Hashable, Codable, Sendable {
  /// The network's name.
  public let network: String
  /// Steps that were done.
  public let steps: Int
  /// How the final networks' statistics came about.
  public let statistics: ModelFile.Statistics
  /// Of the last epoch, as the network saw the images; per cent.
  public let trainingError: Double
  /// Of the network at the end; `nil` if there are no such images.
  public let validation: Evaluation?, test: Evaluation?
  /// Of the best network, where validation images chose one.
  public let bestTest: Evaluation?
  /// The steps that were left out, and why.
  public let faults: [Fault]
  /// The run's folder; a file does not have it, because folders move.
  public private(set) var folder = ""

  private enum CodingKeys: String, CodingKey {
    case network, steps, statistics, trainingError, validation, test, bestTest, faults
  }

  init(
    network: String, steps: Int, statistics: ModelFile.Statistics, trainingError: Double,
    validation: Evaluation?, test: Evaluation?, bestTest: Evaluation?, faults: [Fault],
    folder: String
  ) {
    (self.network, self.steps) = (network, steps)
    (self.statistics, self.trainingError) = (statistics, trainingError)
    (self.validation, self.test, self.bestTest) = (validation, test, bestTest)
    (self.faults, self.folder) = (faults, folder)
  }

  /// Reads what a finished run came to; `nil` if its folder does not say it.
  public init?(in folder: String) {
    guard let file = try? FileBytes(at: folder + "/" + RunFolder.resultName, access: .copied),
      file.count <= 64 << 10,
      let result = try? file.withUnsafeBytes({ bytes in
        try Self.decoder.decode(RunResult.self, from: Data(bytes))
      })
    else { return nil }
    self = result
    self.folder = folder
  }

  /// The file of the network at the end.
  public var model: String { folder + "/" + RunFolder.lastName }
  /// That of the best one; `nil` where no validation images chose one.
  public var best: String? { validation == nil ? nil : folder + "/" + RunFolder.bestName }
  /// The picture of the learning curves.
  public var curves: String { folder + "/" + RunFolder.curvesName }

  private static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return decoder
  }

  /// As a file has it.
  var text: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    // Numbers that are none, such as a loss that has overflown, are no JSON.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) + "\n" } ?? "{}\n"
  }
}
