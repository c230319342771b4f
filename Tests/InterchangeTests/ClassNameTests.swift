import ResidualFormats
import ResidualImages
import ResidualInterchange
import ResidualTestSupport
import Testing

@Suite struct ClassNameTests {
  @Test(
    "the names of ImageNet's classes are a thousand different ones in the order of their numbers")
  func imageNet() {
    #expect(ImageNetClasses.wnids.count == 1000 && Set(ImageNetClasses.names).count == 1000)
    #expect(ImageNetClasses.wnids == ImageNetClasses.wnids.sorted())
    #expect(ImageNetClasses.wnids.allSatisfy { $0.wholeMatch(of: /n\d{8}/) != nil })
    #expect(!ImageNetClasses.names.contains(""))
    for (index, wnid, name) in [
      (0, "n01440764", "tench"), (24, "n01622779", "great grey owl"),
      (134, "n02012849", "crane (bird)"), (517, "n03126707", "crane (machine)"),
      (999, "n15075141", "toilet tissue"),
    ] {
      #expect(ImageNetClasses.wnids[index] == wnid && ImageNetClasses.names[index] == name)
    }
  }

  private func model(_ names: [String], from source: ClassNameSource = .own) throws -> ModelFile {
    let network = try NetworkCatalog.network(
      named: "cifar-linear", inputSide: 32, classes: names.count)
    let tensors = network.slots.map { slot in
      (slot.name, Tensor(slot.shape, [Float](repeating: 0, count: slot.shape.count)))
    }
    return try ModelFile(
      network: network,
      preparation: Preparation(side: 32, .channels(mean: [0, 0, 0], std: [1, 1, 1])),
      classNames: names, namedBy: source, statistics: .moving,
      tensors: Dictionary(uniqueKeysWithValues: tensors))
  }

  @Test("data may have some of a model's classes, in any order; numbers take any names")
  func classesOfData() throws {
    let named = try model(["ape", "bat", "cow"])
    #expect(named.indices(ofClasses: ["ape", "bat", "cow"]) == [0, 1, 2])
    #expect(named.indices(ofClasses: ["cow", "ape"]) == [2, 0])
    #expect(named.indices(ofClasses: ["cow", "dog"]) == nil)
    let numbered = try model(["class 0", "class 1"], from: .numbers)
    #expect(numbered.indices(ofClasses: ["x", "y"]) == [0, 1])
    #expect(numbered.indices(ofClasses: ["x"]) == nil)
  }

  @Test("ImageNet's classes are found by number and by name, also where a file has longer names")
  func classesOfImageNet() throws {
    let assumed = try model(ImageNetClasses.names, from: .imageNet)
    let longer = try model(
      ImageNetClasses.names.map { $0.replacing(/\ \(.*/, with: "") + ", another word" })
    for model in [assumed, longer] {
      #expect(model.isForImageNet)
      #expect(model.indices(ofClasses: ["n02012849", "great_grey_owl", "tench"]) == [134, 24, 0])
      // One class by two names.
      #expect(model.indices(ofClasses: ["n01440764", "tench"]) == nil)
      #expect(model.indices(ofClasses: ImageNetClasses.wnids) == Array(0..<1000))
      #expect(model.indices(ofClasses: ["ape"]) == nil)
    }
    #expect(try model(ImageNetClasses.names.reversed()).isForImageNet == false)
  }

  @Test("a file keeps where the names come from")
  func files() throws {
    let folder = try TemporaryFolder()
    for source in ClassNameSource.allCases {
      let names = source == .imageNet ? ImageNetClasses.names : ["class 0", "class 1"]
      try model(names, from: source).write(to: folder.path + "/m.safetensors")
      let read = try ModelFile(at: folder.path + "/m.safetensors")
      #expect(read.classNameSource == (source == .given ? .own : source))
      #expect(read.classNames == names)
    }
    let file = try Safetensors(at: folder.path + "/m.safetensors")
    for wrong in ["nobody", "imagenet"] {
      var fields = file.metadata
      fields["class_names_from"] = wrong
      let entries = try file.records.map { SafetensorsEntry($0.name, try file.floats($0.name)) }
      try Safetensors.write(entries, metadata: fields, to: folder.path + "/wrong.safetensors")
      let error = #expect(throws: ModelFileError.self) {
        _ = try ModelFile(at: folder.path + "/wrong.safetensors")
      }
      #expect(error?.description.contains("class_names_from") == true)
    }
  }
}
