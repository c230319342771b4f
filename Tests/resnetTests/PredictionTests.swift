import Foundation
import ResidualImages
import ResidualRuns
import Testing

/// Many images at once, some of them bad.
extension Commands {
  @Suite struct Predictions {
    let place: Workplace
    init() throws {
      place = try Workplace()
      try place.train("a")
    }

    private func predict(_ arguments: String...) throws -> Program.Outcome {
      try Program.run(["predict", "runs/a/last.safetensors"] + arguments, in: place.url)
    }

    @Test func foldersStandForTheirImages() throws {
      try place.write(try Array(place.bytes("data/test/ape/0.png")), "photos/b/.hidden/x.png")
      try place.write(try Array(place.bytes("data/test/ape/0.png")), "photos/b/.x.png")
      for index in 0..<40 {
        try place.write(
          try Array(place.bytes("data/test/ape/\(index % 4).png")), "photos/b/\(index + 10).PNG")
      }
      for name in ["z.png", "a.png"] {
        try place.write(try Array(place.bytes("data/test/cow/1.png")), "photos/\(name)")
      }
      try place.write([1, 2, 3], "photos/c/d.webp")
      let outcome = try predict("data/test/bat/1.png", "photos", "data/test/bat")
      #expect(outcome.code == 0)
      let images = outcome.output.split(separator: "\n").map { $0.prefix { $0 != ":" } }
      let expected =
        ["data/test/bat/1.png", "photos/a.png", "photos/z.png"]
        + (10..<50).map { "photos/b/\($0).PNG" } + (0..<4).map { "data/test/bat/\($0).png" }
      #expect(images.map(String.init) == expected)
      #expect(outcome.errors.contains("left out: 1 WebP (not read; convert them to JPEG or PNG)"))
      // Each image has the answer that it has alone.
      let single = try predict("photos/b/49.PNG")
      #expect(outcome.output.contains(single.output))
    }

    @Test func oneBadFileStopsNoOther() throws {
      try place.write("no image", "photos/bad.jpg")
      try place.write(try Array(place.bytes("data/test/ape/0.png")), "photos/good.png")
      let outcome = try predict("nowhere.png", "photos", "data/test/cow/0.png")
      #expect(outcome.code == 65)
      #expect(outcome.output.split(separator: "\n").count == 2)
      #expect(outcome.errorLines.count == 2)
      #expect(outcome.errorLines.allSatisfy { $0.hasPrefix("error: ") })
      #expect(outcome.errors.contains("nowhere.png") && outcome.errors.contains("photos/bad.jpg"))

      let document = try predict("photos", "data/test/cow/0.png", "--json")
      #expect(document.code == 65)
      let list = try #require(
        JSONSerialization.jsonObject(with: Data(document.output.utf8)) as? [[String: Any]])
      #expect(list.map { $0["classes"] == nil } == [true, false, false])
      #expect((list[0]["error"] as? String)?.contains("neither JPEG nor PNG") == true)
      #expect(list.dropFirst().allSatisfy { $0["error"] == nil })
    }

    /// An image that is stored turned is counted; so it is in data.
    @Test func orientations() throws {
      var jpeg: [UInt8] = [0xff, 0xd8, 0xff, 0xe1, 0, 34] + Array("Exif\0\0II*\0".utf8)
      jpeg += [8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]
      #expect(jpeg.withUnsafeBytes { EXIF.isTurned($0) })
      jpeg[jpeg.count - 8] = 1
      #expect(!jpeg.withUnsafeBytes { EXIF.isTurned($0) })
      for count in 0..<jpeg.count {
        #expect(!jpeg.prefix(count).withUnsafeBytes { EXIF.isTurned($0) })
      }
      // A chunk before the picture; its checksum is not needed to find it.
      var png = Array(try place.bytes("data/test/ape/0.png"))
      let block: [UInt8] =
        Array("eXIfMM\0*".utf8) + [
          0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0,
        ]
      png.insert(contentsOf: [0, 0, 0, 26] + block + Self.checksum(block), at: 33)
      try place.write(png, "data/test/ape/0.png")
      let outcome = try predict("data/test/ape")
      #expect(outcome.code == 0)
      #expect(
        outcome.errors.contains("1 of 4 images has an EXIF orientation, which is not applied"))
      let evaluated = try place.run(["evaluate", "runs/a/last.safetensors", "data"])
      #expect(evaluated.errors.contains("1 of 12 images has an EXIF orientation"))
    }

    /// PNG's CRC-32.
    private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
      var crc = UInt32.max
      for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0xedb8_8320 : 0) }
      }
      return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: ~crc >> $0) }
    }
  }
}

/// Files that are there already.
extension Commands {
  @Suite struct Overwriting {
    let place: Workplace
    init() throws {
      place = try Workplace()
      try place.train("a")
    }

    func expectRefusal(_ arguments: String, code: Int32 = 73, _ words: String...) throws {
      try Commands.expectRefusal(
        arguments.split(separator: " ").map(String.init), code: code, says: words, in: place)
    }

    @Test func inputsAreNeverReplaced() throws {
      let model = "runs/a/last.safetensors"
      try FileManager.default.createSymbolicLink(
        atPath: place.path("link.safetensors"), withDestinationPath: model)
      try FileManager.default.linkItem(
        atPath: place.path(model), toPath: place.path("hard.safetensors"))
      for output in [
        model, "runs/../runs/a/last.safetensors", "link.safetensors", "hard.safetensors",
      ] {
        try expectRefusal("convert \(model) \(output)", output, "that is read")
        try expectRefusal("convert \(model) \(output) --overwrite", output, "that is read")
      }
    }

    @Test func otherFilesOnlyWhenAsked() throws {
      let model = "runs/a/last.safetensors"
      for name in ["x.safetensors", "x.svg", "x.npy", "x.png"] { try place.write("mine", name) }
      let commands = [
        "convert \(model) x.safetensors", "evaluate \(model) data --confusion x.svg",
        "evaluate \(model) data --logits x.npy", "summary resnet20 --svg x.svg",
        "data show data --output x.png",
      ]
      for command in commands {
        try expectRefusal(command, "there is a file of this name", "--overwrite")
      }
      for command in commands {
        try place.run(command.split(separator: " ").map(String.init) + ["--overwrite"])
      }
      for name in ["x.safetensors", "x.svg", "x.npy", "x.png"] {
        #expect(try place.bytes(name) != Data("mine".utf8), "\(name)")
      }
    }

    @Test func endings() throws {
      let model = "runs/a/last.safetensors"
      try expectRefusal("evaluate \(model) data --confusion c.jpg", code: 64, "'c.jpg'", ".svg")
      try expectRefusal("evaluate \(model) data --logits x", code: 64, "'x'", ".npy")
      try expectRefusal("summary resnet20 --svg x.png", code: 64, "'x.png'", ".svg")
      try expectRefusal("data show data --output x.jpg", code: 64, "'x.jpg'", ".png")
    }
  }
}

/// Networks for ImageNet, whose files name no classes.
extension Commands {
  @Suite struct ImageNetNames {
    let place: Workplace
    init() throws {
      place = try Workplace()
      let network = try NetworkCatalog.network(named: "cifar-resnet8", classes: 1000)
      var source = RandomSource(RandomKey(seed: 5))
      let tensors = network.slots.map { slot in
        (
          slot.name,
          Tensor(slot.shape, (0..<slot.shape.count).map { _ in source.uniform() / 4 })
        )
      }
      try ModelFile(
        network: network,
        preparation: Preparation(side: 32, .channels(mean: [0, 0, 0], std: [1, 1, 1])),
        classNames: ImageNetClasses.names, statistics: .moving,
        tensors: Dictionary(uniqueKeysWithValues: tensors)
      ).writeTorch(to: place.path("m.pth"))
    }

    @Test func namesAreBuiltIn() throws {
      let outcome = try place.run(["predict", "m.pth", "data/test/ape/0.png", "--top", "1000"])
      #expect(outcome.errors.contains("its classes are ImageNet's"))
      for name in ["tench ", "great grey owl ", "toilet tissue "] {
        #expect(outcome.output.contains(name), "\(name)")
      }
    }

    /// Some of the classes, by number or by name, whichever their order; also from a converted file.
    @Test func evaluation() throws {
      let classes = [
        ("n01622779", "great_grey_owl"), ("n01440764", "tench"), ("n15075141", "toilet tissue"),
      ]
      try place.addImages("numbers", train: [], test: classes.map(\.0))
      try place.addImages("names", train: [], test: classes.map(\.1))
      try place.run(["convert", "m.pth", "m.safetensors"])
      let reports = try [("m.pth", "numbers"), ("m.pth", "names"), ("m.safetensors", "names")].map {
        try place.run(["evaluate", $0, $1, "--json"]).json()
      }
      #expect(reports[0] as NSDictionary == reports[1] as NSDictionary)
      #expect(reports[0] as NSDictionary == reports[2] as NSDictionary)
      let names = (reports[0]["classes"] as? [[String: Any]])?.map { $0["name"] as? String }
      #expect(names == ["tench", "great grey owl", "toilet tissue"])
      try Commands.expectRefusal(
        ["evaluate", "m.pth", "data", "--quiet"], code: 65,
        says: ["tench, goldfish", "ape, bat", "WordNet"], in: place)
    }
  }
}
