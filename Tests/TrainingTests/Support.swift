import Foundation
import ResidualCPU
import ResidualRuns
import Testing

/// A data set of four classes that a small network tells apart in a few steps: a colour each, and
/// noise.
enum TinyData {
  static let classNames = ["red", "green", "blue", "grey"]

  static func images(_ count: Int, side: Int = 32, seed: UInt64) -> ImageSet {
    var source = RandomSource(RandomKey(seed: seed))
    var pixels: [UInt8] = []
    let labels = (0..<count).map { Int32($0 % classNames.count) }
    for label in labels {
      for _ in 0..<side * side {
        for channel in 0..<3 {
          let base = Int32(channel) == label ? 120 : 60
          pixels.append(UInt8(base + source.index(below: 80)))
        }
      }
    }
    return ImageSet(height: side, width: side, checked: pixels, labels: labels)
  }

  static func dataset(
    _ count: Int = 64, training: ImageSet? = nil, validation: ImageSet? = nil,
    test: ImageSet? = images(24, seed: 2)
  ) -> Dataset {
    Dataset(
      name: "colours", source: .builtIn, classNames: classNames,
      training: training ?? images(count, seed: 1), validation: validation, test: test)
  }
}

extension RecipeOptions {
  /// ResNet-8 in batches of 16; four steps are an epoch of 64 images.
  static func tiny(steps: Int, seed: UInt64 = 1) -> RecipeOptions {
    var options = RecipeOptions()
    options.model = "cifar-resnet8"
    options.batchSize = 16
    options.steps = steps
    options.seed = seed
    return options
  }

  func trainer(on data: Dataset = TinyData.dataset()) throws -> Learner<CPUDevice> {
    try Learner(self, on: data, device: CPUDevice(threads: 1))
  }
}

extension Learner {
  /// The bits of all slots by name.
  var slotBits: [String: [UInt32]] {
    Dictionary(
      uniqueKeysWithValues: session.store.slots.map {
        ($0.name, session.store.read($0.name).scalars.map(\.bitPattern))
      })
  }

  /// Images on their way to this learner's network.
  func feed(_ set: ImageSet, onDevice: Bool = false) -> any BatchFeed {
    let normalization = preparation.normalization
    return onDevice ? DeviceFeed(set, normalization) : ResidentFeed(set, normalization)
  }

  /// The slots that hold other bits than another trainer's, by name.
  func differences(from other: Learner) -> [String] { differences(from: other.slotBits) }
  func differences(from other: [String: [UInt32]]) -> [String] {
    let bits = slotBits
    return Set(bits.keys).union(other.keys).filter { bits[$0] != other[$0] }.sorted()
  }

  /// Trains to the end and returns the rows of all epochs from here on.
  func finish(observe: (StepReport) throws -> Void = { _ in }) throws -> [MetricsRow] {
    var rows: [MetricsRow] = []
    while let report = try trainEpoch(observe: observe) {
      rows.append(MetricsRow(report))
    }
    return rows
  }
}

/// The text of the error that a body throws.
func message(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return "\(error)"
  }
}

extension RecipeOptions {
  /// A trainer that begins with the initial model of these choices.
  func fineTuner(on data: Dataset = TinyData.dataset()) throws -> Learner<CPUDevice> {
    try Learner(self, on: data, device: CPUDevice(threads: 1))
  }
}

extension Checkpoint {
  /// Writes the state of a learner into a folder.
  static func write(
    _ learner: Learner<some Device>, in folder: String, provenance: [String: String] = [:]
  ) throws {
    try Snapshot(of: learner, provenance: provenance).write(to: folder + "/last.safetensors")
  }

  /// Brings a learner to the state in a folder.
  static func restore(_ learner: Learner<some Device>, from folder: String) throws {
    try #require(try Checkpoint(at: folder + "/last.safetensors")).restore(learner)
  }
}
