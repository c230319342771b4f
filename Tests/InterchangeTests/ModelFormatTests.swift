import Foundation
import ResidualFormats
import ResidualImages
import ResidualInterchange
import ResidualTestSupport
import Testing

/// Version 2 of the model file: the view of images, and tensors of checkpoints.
@Suite struct ModelFormatTests {
  private let folder: TemporaryFolder
  private let path: String
  init() throws {
    folder = try TemporaryFolder()
    path = folder["model.safetensors"]
  }

  /// Writes a model with a changed header and other tensors.
  private func write(
    view: Preparation.View = .squash, usesMean: Bool = true,
    _ change: (inout [SafetensorsEntry], inout [String: String]) -> Void = { _, _ in }
  ) throws {
    try Sample.model(usesMean: usesMean, view: view).write(to: path)
    let file = try Safetensors(at: path)
    var metadata = file.metadata
    var entries = try file.names.map { SafetensorsEntry($0, try file.floats($0)) }
    change(&entries, &metadata)
    try Safetensors.write(entries, metadata: metadata, to: path)
  }

  private func problem() -> String? {
    do {
      _ = try ModelFile(at: path)
      return nil
    } catch {
      return "\(error)".replacingOccurrences(of: path + ": ", with: "")
    }
  }

  @Test func viewsAreSaved() throws {
    for view in [
      Preparation.View.squash, .centerCrop(shorterSide: 40), .centerCrop(shorterSide: 32),
    ] {
      try write(view: view)
      #expect(try ModelFile(at: path).preparation.view == view)
      #expect(try OpenedModel(at: path).model.preparation.view == view)
    }
    let metadata = try Safetensors(at: path).metadata
    #expect(metadata["format_version"] == "2" && metadata["view"] == "center-crop")
    #expect(metadata["shorter_side"] == "32" && metadata["interpolation"] == "bilinear")
    #expect(metadata["storage"] == "float32")
  }

  /// What version 1 had not: its images are squashed.
  @Test func versionOneIsRead() throws {
    try write { _, metadata in
      metadata["format_version"] = "1"
      for field in ["view", "interpolation", "storage"] { metadata[field] = nil }
    }
    let model = try ModelFile(at: path)
    #expect(model.preparation.view == .squash)
    try model.write(to: folder["again.safetensors"])
    #expect(try ModelFile(at: folder["again.safetensors"]).tensors.count == model.tensors.count)
    // It knew no tensors of checkpoints.
    try write { entries, metadata in
      metadata["format_version"] = "1"
      entries.append(SafetensorsEntry("training/momentum/fc.bias", Tensor<Float>([3], [1, 2, 3])))
    }
    #expect(problem()?.contains("'training/momentum/fc.bias' does not belong") == true)
  }

  @Test(arguments: [
    ("view", "letterbox"), ("view", "Squash"), ("view", ""), ("interpolation", "bicubic"),
    ("interpolation", ""), ("storage", "bfloat16"), ("storage", ""),
  ])
  func laterValuesAreRefusedByName(field: String, value: String) throws {
    try write { _, metadata in metadata[field] = value }
    #expect(
      problem()
        == "the description's '\(field)' is '\(value)', which this version does not know; update this "
        + "program, or write the file again")
    try write { _, metadata in metadata[field] = nil }
    #expect(problem()?.contains("'\(field)' is ''") == true)
  }

  @Test func contradictions() throws {
    for side in ["31", "0", "-5", "9000"] {
      try write(view: .centerCrop(shorterSide: 40)) { _, metadata in
        metadata["shorter_side"] = side
      }
      #expect(problem()?.hasPrefix("its description contradicts itself: the shorter side") == true)
    }
    for side in ["", "40.0", "x", "040", "99999999999999999999"] {
      try write(view: .centerCrop(shorterSide: 40)) { _, metadata in
        metadata["shorter_side"] = side
      }
      #expect(problem()?.contains("'shorter_side' is '\(side)'") == true)
    }
  }

  @Test func laterVersions() throws {
    try write { _, metadata in metadata["format_version"] = "3" }
    #expect(problem() == "format version '3' is newer than 2; update this program")
  }

  /// Readers of models leave out what belongs to a checkpoint; other tensors are still refused.
  @Test func tensorsOfCheckpoints() throws {
    let extra = SafetensorsEntry("training/momentum/fc.bias", Tensor<Float>([3], [1, 2, 3]))
    try write { entries, _ in entries.append(extra) }
    #expect(try ModelFile(at: path).tensors["training/momentum/fc.bias"] == nil)
    try write { entries, _ in
      entries.append(SafetensorsEntry("trainings/fc.bias", Tensor<Float>([3], [1, 2, 3])))
    }
    #expect(problem()?.contains("'trainings/fc.bias' does not belong") == true)
  }

  /// The Hub's folder says how images are prepared.
  @Test func hubFolders() throws {
    let network = ImageNetResNet.network(
      name: "resnet-1-1-1-1", block: .basic, blocks: [1, 1, 1, 1], shortcut: .projection,
      inputSide: 64, classes: 2)
    func config(_ view: Preparation.View, _ style: HubFolder.Style, _ file: String) throws -> String
    {
      let model = try ModelFile(
        network: network,
        preparation: .init(view, side: 64, .channels(mean: [0, 0, 0], std: [1, 1, 1])),
        classNames: ["cat", "dog"], statistics: .exact,
        tensors: Dictionary(
          uniqueKeysWithValues: network.slots.map {
            ($0.name, Tensor($0.shape, [Float](repeating: 0.5, count: $0.shape.count)))
          }))
      let name = UUID().uuidString
      try HubFolder(model, style: style).write(to: folder[name])
      return try folder.text("\(name)/\(file)")
    }
    let squashed = try config(.squash, .transformers, "preprocessor_config.json")
    #expect(squashed.contains("ViTImageProcessor") && squashed.contains("\"height\" : 64"))
    let cropped = try config(
      .centerCrop(shorterSide: 80), .transformers, "preprocessor_config.json")
    #expect(cropped.contains("\"shortest_edge\" : 64") && cropped.contains("\"crop_pct\" : 0.8"))
  }
}
