import ResidualImages

/// CIFAR-10's binary files: `data_batch_1.bin` to `data_batch_5.bin`, `test_batch.bin` and
/// `batches.meta.txt`, directly or in a leading folder such as `cifar-10-batches-bin`.
///
/// A record is a label byte and 3,072 bytes `[3, 32, 32]`: all red, all green, all blue, rows from
/// top to bottom. A file holds 10,000 records.
struct CIFARFiles {
  static let side = 32
  static let recordByteCount = 1 + 3 * side * side
  static let trainingNames = (1...5).map { "data_batch_\($0).bin" }
  static let testNames = ["test_batch.bin"]
  /// For sets without `batches.meta.txt`.
  static let standardClassNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  let tree: FileTree
  let recordsPerFile: Int
  let classNames: [String]
  private let files: [String: FileTree.File]

  /// Recognises the files; `nil` where there are none.
  init?(_ tree: FileTree, recordsPerFile: Int) throws(DatasetError) {
    let names = Set(Self.trainingNames + Self.testNames)
    let folders = Set(tree.files.filter { names.contains($0.name) }.map(\.folder))
    guard folders.count <= 1 else {
      throw .ambiguous(tree.location, folders: folders.sorted { $0.precedes($1) })
    }
    guard let folder = folders.first else {
      if let file = tree.files.first(where: { $0.name == "data_batch_1" }) {
        throw .pythonFiles(tree.location, example: FileTree.join(file.folder, file.name))
      }
      return nil
    }
    self.tree = tree
    self.recordsPerFile = recordsPerFile
    files = Dictionary(
      tree.files.filter { $0.folder == folder }.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    classNames =
      try files["batches.meta.txt"].map { (file) throws(DatasetError) in
        try Self.classNames(in: file, of: tree)
      } ?? Self.standardClassNames
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

  /// Loads the files of one part.
  func load(_ names: [String], side: Int) throws(DatasetError) -> (set: ImageSet, resized: Int) {
    var batches: [[UInt8]] = []
    var labels: [Int32] = []
    for name in names {
      let batch = try batch(name)
      for record in 0..<recordsPerFile {
        labels.append(Int32(batch[record * Self.recordByteCount]))
      }
      batches.append(batch)
    }
    return try ImageAssembly.assemble(
      labels: labels, side: side, location: tree.location
    ) { [batches, recordsPerFile] (index, _) throws(DatasetError) in
      let (batch, record) = index.quotientAndRemainder(dividingBy: recordsPerFile)
      return Self.image(batches[batch], record: record)
    }
  }

  /// The bytes of one file, its size and labels checked.
  private func batch(_ name: String) throws(DatasetError) -> [UInt8] {
    guard let file = files[name] else { throw .missingFile(tree.location, name: name) }
    let expected = recordsPerFile * Self.recordByteCount
    return try tree.withBytes(of: file) { (bytes) throws(DatasetError) in
      guard bytes.count == expected else {
        throw .wrongSize(file: tree.name(of: file), expected: expected, found: bytes.count)
      }
      for record in 0..<recordsPerFile {
        let offset = record * Self.recordByteCount
        guard Int(bytes[offset]) < classNames.count else {
          throw .label(
            file: tree.name(of: file), record: record, offset: offset, value: Int(bytes[offset]),
            classes: classNames.count)
        }
      }
      return Array(bytes)
    }
  }

  /// One record: planes of colour to pixels.
  private static func image(_ batch: [UInt8], record: Int) -> Image {
    let plane = side * side
    let start = record * recordByteCount + 1
    let pixels = [UInt8](unsafeUninitializedCapacity: 3 * plane) { target, initialized in
      initialized = 3 * plane
      batch.withUnsafeBufferPointer { source in
        for pixel in 0..<plane {
          for channel in 0..<3 {
            target[3 * pixel + channel] = source[start + channel * plane + pixel]
          }
        }
      }
    }
    return Image(width: side, height: side, pixels: pixels)
  }
}
