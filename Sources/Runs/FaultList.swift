import Foundation
import ResidualTraining

/// Faults as a field of a checkpoint.
enum FaultList {
  static func text(_ faults: [Fault]) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // Words and whole numbers always encode.
    return (try? encoder.encode(faults)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
  }

  /// - Returns: `nil` for anything but such a text.
  static func faults(in text: String) -> [Fault]? {
    guard text.utf8.count <= 64 << 10,
      let faults = try? JSONDecoder().decode([Fault].self, from: Data(text.utf8)),
      faults.count <= Fault.limit
    else { return nil }
    return faults
  }
}
