import ResidualTraining

/// `norms.csv`: the norms of each layer after every step, for runs that are watched.
struct NormsTable: ~Copyable {
  static let name = "norms.csv"
  private static let columns = ["step", "layer", "gradient", "weight", "update"]
  private var writer: CSVWriter

  /// Opens the table of a run; rows of steps after the one that it goes on from are left out.
  ///
  /// - Throws: ``FileError``.
  init(in folder: RunFolder, after step: Int) throws {
    let path = folder.file(Self.name)
    if let file = try? FileBytes(at: path, access: .copied) {
      let text = file.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
      let kept = text.split(separator: "\n").dropFirst().filter { line in
        line.prefix { $0 != "," }.wholeMatch(of: /\d+/).flatMap { Int($0.output) }.map {
          $0 <= step
        }
          == true && line.filter { $0 == "," }.count == Self.columns.count - 1
      }
      try folder.write(
        CSVWriter.line(Self.columns) + kept.map { $0 + "\n" }.joined(), to: Self.name)
    }
    writer = try CSVWriter(at: path, columns: Self.columns, appending: true)
  }

  /// Adds the norms of a step.
  ///
  /// - Throws: ``FileError``.
  mutating func append(_ norms: [LayerNorms], step: Int) throws {
    try writer.append(
      rows: norms.map {
        [
          String(step), $0.layer, "\(Float($0.gradient))", "\(Float($0.weight))",
          "\(Float($0.update))",
        ]
      })
  }
}
