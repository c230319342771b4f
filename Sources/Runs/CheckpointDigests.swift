import ResidualTraining

/// A SHA-256 for each section of a checkpoint: the model's tensors, the training's, and the description,
/// which are all texts of the header, the other two digests among them.
///
/// That of tensors is the hash of a line `name type extents hash` for each tensor in the order of names,
/// where the last word is the hash of its bytes.
package struct CheckpointDigests: Hashable {
  private static let prefix = "sha256."
  /// The fields of the header by section.
  private let sections: [String: String]

  /// The digests as fields of the header.
  package var fields: [String: String] {
    Dictionary(uniqueKeysWithValues: sections.map { (Self.prefix + $0.key, $0.value) })
  }

  /// Whether a header claims to have any.
  static func areThere(in metadata: [String: String]) -> Bool {
    metadata.keys.contains { $0.hasPrefix(prefix) }
  }

  /// The digests of what is to be written.
  ///
  /// - Throws: what the tensors' closures throw.
  package init(of entries: [SafetensorsEntry], _ metadata: [String: String]) throws {
    try self.init(
      entries.map { entry in
        (entry.name, entry.type, entry.shape, { sink in try entry.emit(sink) })
      }, metadata)
  }

  /// The digests of a file as it is.
  init(of file: Safetensors) throws {
    try self.init(
      file.records.map { record in
        (
          record.name, record.type, record.shape,
          { sink in try file.file.withUnsafeBytes(in: record.range, sink) }
        )
      }, file.metadata)
  }

  private typealias Source = (
    name: String, type: SafetensorsType, shape: Shape,
    bytes: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
  )

  private init(_ tensors: [Source], _ metadata: [String: String]) throws {
    var (model, training, description) = (SHA256(), SHA256(), SHA256())
    for tensor in tensors.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
      var hash = SHA256()
      try tensor.bytes { hash.append($0) }
      let extents = tensor.shape.extents.map(String.init).joined(separator: ",")
      let line = "\(tensor.name) \(tensor.type.rawValue) \(extents) \(hash.digits())\n"
      if tensor.name.hasPrefix(ModelFile.trainingPrefix) {
        training.append(line)
      } else {
        model.append(line)
      }
    }
    var sections = ["model": model.digits(), "training": training.digits()]
    let texts =
      metadata.filter { !$0.key.hasPrefix(Self.prefix) }
      .merging(sections.map { (Self.prefix + $0.key, $0.value) }) { $1 }
    for (key, value) in texts.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      description.append("\(key.utf8.count) \(value.utf8.count) \(key) \(value)\n")
    }
    sections["description"] = description.digits()
    self.sections = sections
  }

  /// The first section of a file that is not what its digest says; `nil` if all are.
  static func damage(of file: Safetensors) throws -> String? {
    let found = try CheckpointDigests(of: file)
    return ["description", "model", "training"].first {
      file.metadata[prefix + $0] != found.sections[$0]
    }
  }
}
