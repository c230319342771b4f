import Foundation
import ResidualFormats
import ResidualImages
import ResidualInterchange
import ResidualTestSupport
import Testing

@Suite struct ModelFileTests {
  // MARK: Round trips

  @Test(arguments: [
    ("cifar-resnet8", Shortcut.padding(.end)), ("cifar-resnet8", .padding(.both)),
    ("cifar-resnet8", .projection), ("cifar-resnet8", .projectionEverywhere),
    ("cifar-plain8", .padding(.end)), ("cifar-linear", .padding(.end)),
  ])
  func roundTrip(name: String, shortcut: Shortcut) throws {
    for usesMean in [true, false] {
      let model = try Sample.model(name, shortcut, usesMean: usesMean)
      let folder = try TemporaryFolder()
      try model.write(to: folder["model.safetensors"])
      let read = try ModelFile(at: folder["model.safetensors"])
      #expect(read.network.name == name && read.network.shortcut == model.network.shortcut)
      #expect(read.network.classes == 3 && read.network.depth == model.network.depth)
      #expect(read.classNames == model.classNames)
      #expect(read.statistics == model.statistics)
      #expect(read.provenance == model.provenance)
      #expect(read.tensors.keys.sorted() == model.tensors.keys.sorted())
      for (name, tensor) in model.tensors {
        #expect(read.tensors[name]?.shape == tensor.shape)
        let bits = read.tensors[name]?.scalars.map(\.bitPattern)
        let hasSameBits = bits == tensor.scalars.map(\.bitPattern)
        #expect(hasSameBits, "\(name)")
      }
      let isSamePreparation = read.preparation == model.preparation
      #expect(isSamePreparation)

      // Equal models are equal files.
      try read.write(to: folder["again.safetensors"])
      #expect(try folder.data("again.safetensors") == folder.data("model.safetensors"))
    }
  }

  @Test func imageNet() throws {
    let folder = try TemporaryFolder()
    let network = try NetworkCatalog.network(
      named: "resnet50", variant: .init(stridePlacement: .first1x1), inputSide: 64, classes: 2)
    let tensors = network.slots.map {
      ($0.name, Tensor($0.shape, [Float](repeating: 0.5, count: $0.shape.count)))
    }
    let model = try ModelFile(
      network: network,
      preparation: .init(side: 64, .channels(mean: [0, 0, 0], std: [1, 1, 1])),
      classNames: ["cat", "dog"], statistics: .exact,
      tensors: Dictionary(uniqueKeysWithValues: tensors), provenance: [:])
    try model.write(to: folder["m"])
    let read = try ModelFile(at: folder["m"]).network
    #expect(read.name == "resnet50" && read.inputSide == 64 && read.classes == 2)
    #expect(read.shortcut == .projection && read.stridePlacement == .first1x1)
  }

  /// Words that would take hours to compare as Unicode are not: that takes 16 bytes of memory for each
  /// of theirs. Reading, and the message, take fewer.
  @Test(arguments: ["format", "network", "shortcut", "channel_order", "batch_normalization"])
  func longWords(field: String) throws {
    let folder = try TemporaryFolder()
    let model = try Sample.model()
    try model.write(to: folder["m.safetensors"])
    let file = try Safetensors(FileBytes(at: folder["m.safetensors"]))
    var fields = file.metadata
    fields[field] = (fields[field] ?? "") + String(repeating: "\u{301}\u{316}", count: 200_000)
    try Safetensors.write([], metadata: fields, to: folder["long.safetensors"])
    var message = ""
    let count = Allocation.bytes {
      do {
        _ = try ModelFile(at: folder["long.safetensors"])
      } catch let error as ModelFileError {
        message = "\(error)"
      } catch {
        Issue.record(error)
      }
    }
    #expect(count < 4 * 800_000)
    #expect(message.utf8.count < 2000 && message.hasPrefix(folder["long.safetensors"]))
  }

  @Test func namesInAnyScript() throws {
    let names = ["a \"quoted\" \\ name", "Füchse, 狐 🦊", "line\nfeed\u{0}\u{7F}"]
    let provenance = ["data": "Ünï\"code\"", "": "empty", "a.b": "", "format": "not the format"]
    let model = try Sample.model(classNames: names, provenance: provenance)
    let folder = try TemporaryFolder()
    try model.write(to: folder["model.safetensors"])
    let read = try ModelFile(at: folder["model.safetensors"])
    #expect(read.classNames == names)
    #expect(read.provenance == provenance)
  }

  @Test func statisticsOfBothKinds() throws {
    let folder = try TemporaryFolder()
    for statistics in [ModelFile.Statistics.exact, .moving] {
      try Sample.model(statistics: statistics).write(to: folder["m"])
      #expect(try ModelFile(at: folder["m"]).statistics == statistics)
    }
  }

  // MARK: Errors

  /// Writes a model whose file is changed, and returns the text of the error without the path.
  private func problem(
    usesMean: Bool = true,
    _ change: (inout [SafetensorsEntry], inout [String: String]) -> Void
  ) throws -> String? {
    let folder = try TemporaryFolder()
    let path = folder["model.safetensors"]
    try Sample.model(usesMean: usesMean).write(to: path)
    let file = try Safetensors(at: path)
    var metadata = file.metadata
    var entries = try file.names.map { SafetensorsEntry($0, try file.floats($0)) }
    change(&entries, &metadata)
    try Safetensors.write(entries, metadata: metadata, to: path)
    do {
      _ = try ModelFile(at: path)
      return nil
    } catch let error as ModelFileError {
      let text = error.description
      #expect(text.hasPrefix(path + ": ") && !text.contains("\n"))
      return String(text.dropFirst(path.count + 2))
    }
  }

  @Test func unchangedFilesAreRead() throws {
    #expect(try problem { _, _ in } == nil)
    #expect(try problem(usesMean: false) { _, _ in } == nil)
    #expect(try problem { _, metadata in metadata["something else"] = "x" } == nil)
  }

  @Test func notAModel() throws {
    let text =
      "this safetensors file does not describe a network; use a model that this system wrote"
    #expect(try problem { _, metadata in metadata = [:] } == text)
    #expect(try problem { _, metadata in metadata["format"] = "pt" } == text)
  }

  @Test func versions() throws {
    #expect(
      try problem { _, metadata in metadata["format_version"] = "3" }
        == "format version '3' is newer than 2; update this program")
    for version in ["0", "-1", "1.0", "", "99999999999999999999"] {
      #expect(
        try problem { _, metadata in metadata["format_version"] = version }
          == "the description's 'format_version' is '\(version)', which cannot be right; write the "
          + "file again")
    }
    // A newer file may have fields that mean something else: the version comes first.
    #expect(
      try problem { _, metadata in
        metadata["format_version"] = "3"
        metadata["class_names"] = nil
      } == "format version '3' is newer than 2; update this program")
  }

  @Test(arguments: [
    ("classes", ["4", "0", "-3", "three", ""]),
    ("class_names", ["", "[", "[1, 2, 3]", "{}", "null"]),
    ("shortcut", ["D", "", "A "]),
    ("channel_order", ["BGR", ""]),
    ("input_side", ["31", "", "32.0"]),
    ("preprocessing", ["mean", ""]),
    ("batch_normalization", ["exactly", ""]),
  ])
  func wrongFields(field: String, values: [String]) throws {
    for value in values {
      #expect(
        try problem { _, metadata in metadata[field] = value }
          == "the description's '\(field)' is '\(value)', which cannot be right; write the file "
          + "again")
    }
    #expect(
      try problem { _, metadata in metadata[field] = nil }
        == "the description's '\(field)' is '', which cannot be right; write the file again")
  }

  @Test(arguments: [
    "resnet8", "cifar-resnet9", "alexnet", "cifar-plain8", "cifar-resnet99998", "", nil,
  ])
  func networksThatCannotBeBuilt(name: String?) throws {
    #expect(
      try problem { _, metadata in metadata["network"] = name }
        == "network '\(name ?? "")' cannot be built from its name and options; a program that has "
        + "its layers must give them")
  }

  @Test(arguments: [
    ("mean", ["[0.1, 0.2]", "[]", "0.5", "[0.1, 0.2, \"x\"]", "[NaN, 0, 0]", ""]),
    ("std", ["[1, 1]", "[1, 1, 0]", "[1, 1, -1]", "1", ""]),
  ])
  func wrongChannelNumbers(field: String, values: [String]) throws {
    for value in values {
      #expect(
        try problem(usesMean: false) { _, metadata in metadata[field] = value }
          == "the description's '\(field)' is '\(value)', which cannot be right; write the file "
          + "again")
    }
  }

  @Test func shortcutsThatDoNotFit() throws {
    // A network with shortcuts described as one without, and an unknown padding.
    #expect(
      try problem { _, metadata in metadata["shortcut"] = "none" }?
        .contains("network 'cifar-resnet8' cannot be built") == true)
    #expect(
      try problem { _, metadata in metadata["shortcut_padding"] = "start" }?
        .contains("'shortcut_padding' is 'start'") == true)
    // Option B pads nothing.
    #expect(
      try problem { _, metadata in metadata["shortcut"] = "B" }?
        .contains("'shortcut_padding' is 'end'") == true)
  }

  @Test func tensorsThatDoNotFit() throws {
    #expect(
      try problem { entries, _ in entries.removeAll { $0.name == "fc.bias" } }
        == "tensor 'fc.bias' of cifar-resnet8 is missing; the file is incomplete")
    #expect(
      try problem { entries, _ in entries.removeAll { $0.name == "preprocessing.mean" } }
        == "tensor 'preprocessing.mean' of cifar-resnet8 is missing; the file is incomplete")
    #expect(
      try problem { entries, _ in
        entries.append(SafetensorsEntry("fc.extra", Tensor<Float>([1], [1])))
      }
        == "tensor 'fc.extra' does not belong to cifar-resnet8; the file is damaged, or of another network"
    )
    #expect(
      try problem { entries, _ in
        entries.removeAll { $0.name == "fc.bias" }
        entries.append(SafetensorsEntry("fc.bias", Tensor<Float>([1, 3], [1, 2, 3])))
      }
        == "tensor 'fc.bias' has shape [1, 3], but the network needs [3]; the file is damaged, or of another network"
    )
    #expect(
      try problem { entries, _ in
        entries.removeAll { $0.name == "preprocessing.mean" }
        entries.append(
          SafetensorsEntry("preprocessing.mean", Tensor<Float>([3], repeating: 0.5)))
      }
        == "tensor 'preprocessing.mean' has shape [3], but the network needs [32, 32, 3]; the file is damaged, or of another network"
    )
    // Option B needs projections that a file of option A does not have.
    #expect(
      try problem { _, metadata in
        (metadata["shortcut"], metadata["shortcut_padding"]) = ("B", nil)
      }
        == "tensor 'layer2.0.downsample.0.weight' of cifar-resnet8 is missing; the file is "
        + "incomplete")
  }

  /// Long values do not fill the screen.
  @Test func longValuesAreCut() throws {
    let text = try #require(
      try problem { _, metadata in metadata["network"] = String(repeating: "x", count: 10_000) })
    #expect(text.count < 200)
  }

  @Test func otherNetworks() {
    #expect(
      ModelFileError.otherNetwork(file: "f", found: "cifar-resnet8", expected: "cifar-resnet20")
        .description
        == "f: this is a cifar-resnet8, not the cifar-resnet20 that is asked for; "
        + "give the file that belongs to it")
    #expect(
      ModelFileError.otherNetwork(file: "f", found: "cifar-resnet8", expected: "cifar-resnet8")
        .description
        == "f: this is a cifar-resnet8 of other classes or options than are asked for; "
        + "give the file that belongs to it")
  }

  @Test func filesThatAreNoSafetensors() throws {
    let folder = try TemporaryFolder()
    #expect(throws: FileError(folder["none"], .missing)) { try ModelFile(at: folder["none"]) }
    try Data("PK\u{3}\u{4} no model at all".utf8).write(to: URL(filePath: folder["zip"]))
    #expect(throws: SafetensorsError.self) { try ModelFile(at: folder["zip"]) }
  }
}
