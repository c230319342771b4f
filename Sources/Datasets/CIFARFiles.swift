import ResidualFormats
import ResidualImages

/// CIFAR-10's binary files: `data_batch_1.bin` to `data_batch_5.bin`, `test_batch.bin` and
/// `batches.meta.txt`, directly or in a leading folder such as `cifar-10-batches-bin`.
///
/// A record is a label byte and 3,072 bytes `[3, 32, 32]`: all red, all green, all blue, rows from
/// top to bottom. A file holds 10,000 records.
struct CIFARFiles: SourceRecognizer {
  static let side = 32
  static let recordByteCount = 1 + 3 * side * side
  static let names: [Dataset.Part: [String]] = [
    .training: (1...5).map { "data_batch_\($0).bin" }, .test: ["test_batch.bin"],
  ]
  /// For sets without `batches.meta.txt`.
  static let standardClassNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  let recordsPerFile: Int

  func dataset(_ tree: FileTree, parts: Set<Dataset.Part>) throws(DatasetError) -> Dataset? {
    let known = Set(Self.names.values.joined())
    let folders = Set(tree.files.filter { known.contains($0.name) }.map(\.folder))
    guard folders.count <= 1 else {
      throw .ambiguous(tree.location, folders: folders.sorted { $0.precedes($1) })
    }
    guard let folder = folders.first else {
      if let file = tree.files.first(where: { $0.name == "data_batch_1" }) {
        throw .pythonFiles(tree.location, example: FileTree.join(file.folder, file.name))
      }
      return nil
    }
    let files = Dictionary(
      tree.files.filter { $0.folder == folder }.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    let classNames =
      try files["batches.meta.txt"].map { (file) throws(DatasetError) in
        try Self.classNames(in: file, of: tree)
      } ?? Self.standardClassNames
    var sources: [Dataset.Part: any SampleSource] = [:]
    for (part, names) in Self.names where parts.contains(part) {
      sources[part] = try CIFARRecords(
        tree, files, names, recordsPerFile: recordsPerFile, classes: classNames.count)
    }
    return Dataset(
      name: "CIFAR-10 (\(tree.lastComponent))", location: tree.location, source: .cifar,
      classNames: classNames, parts: sources)
  }

  private static func classNames(
    in file: FileTree.File, of tree: FileTree
  ) throws(DatasetError) -> [String] {
    let text = try tree.withBytes(of: file) { String(decoding: $0.prefix(1 << 16), as: UTF8.self) }
    let names = text.split(whereSeparator: \.isNewline).map(String.init)
    guard names.count == standardClassNames.count else {
      throw .classNames(
        file: tree.name(of: file), expected: standardClassNames.count, found: names.count)
    }
    return names
  }
}

/// The records of one part's files.
private struct CIFARRecords: SampleSource {
  let location: String
  let count: Int
  let labels: [Int32]
  private let files: [FileTree.Bytes]
  private let recordsPerFile: Int

  /// Checks the files' sizes and labels.
  init(
    _ tree: FileTree, _ files: [String: FileTree.File], _ names: [String], recordsPerFile: Int,
    classes: Int
  ) throws(DatasetError) {
    location = tree.location
    self.recordsPerFile = recordsPerFile
    count = names.count * recordsPerFile
    var labels: [Int32] = []
    var opened: [FileTree.Bytes] = []
    let expected = recordsPerFile * CIFARFiles.recordByteCount
    for name in names {
      guard let file = files[name] else { throw .missingFile(tree.location, name: name) }
      let bytes = try tree.bytes(of: file)
      guard bytes.count == expected else {
        throw .wrongSize(file: tree.name(of: file), expected: expected, found: bytes.count)
      }
      try bytes.withUnsafeBytes { (bytes) throws(DatasetError) in
        for record in 0..<recordsPerFile {
          let offset = record * CIFARFiles.recordByteCount
          guard Int(bytes[offset]) < classes else {
            throw .label(
              file: tree.name(of: file), record: record, offset: offset, value: Int(bytes[offset]),
              classes: classes)
          }
          labels.append(Int32(bytes[offset]))
        }
      }
      opened.append(bytes)
    }
    (self.labels, self.files) = (labels, opened)
  }

  func label(_ index: Int) -> Int32 { labels[index] }
  func name(_ index: Int) -> String { "\(location): record \(index)" }

  /// Planes of colour become pixels.
  func withSample<Result>(_ index: Int, _ body: (EncodedSample) throws -> Result) throws -> Result {
    let (file, record) = index.quotientAndRemainder(dividingBy: recordsPerFile)
    let side = CIFARFiles.side
    let plane = side * side
    let start = record * CIFARFiles.recordByteCount + 1
    let pixels = files[file].withUnsafeBytes { source in
      [UInt8](unsafeUninitializedCapacity: 3 * plane) { target, initialized in
        initialized = 3 * plane
        for pixel in 0..<plane {
          for channel in 0..<3 {
            target[3 * pixel + channel] = source[start + channel * plane + pixel]
          }
        }
      }
    }
    return try body(.image(Image(width: side, height: side, checked: pixels)))
  }
}
