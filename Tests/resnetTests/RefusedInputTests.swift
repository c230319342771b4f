import Foundation
import ResidualImages
import Testing

/// Data, models and images that cannot be used: exit code 65.
extension Commands {
  @Suite struct RefusedInput {
    let place: Workplace
    init() throws { place = try Workplace() }

    func expectInputError(
      _ arguments: String, _ words: String..., location: SourceLocation = #_sourceLocation
    ) throws {
      try Commands.expectRefusal(
        arguments.split(separator: " ").map(String.init), code: 65, says: words, in: place, location
      )
    }

    @Test func folders() throws {
      try expectInputError("train nowhere", "nowhere", "check the path")
      try place.write("", "empty/.keep")
      try place.remove("empty/.keep")
      try expectInputError("train empty", "empty", "name a folder or archive")
      try place.write("text", "other/notes.txt")
      try expectInputError("train other", "other", "train/<class>/")
      try expectInputError("train data/train/ape/0.png", "0.png")
    }

    @Test func classes() throws {
      for part in ["train", "test"] { try place.write("", "data/\(part)/dog/notes.txt") }
      try expectInputError("train data", "data/train/dog", "no JPEG or PNG", "1 other file")
      try place.addImages("other", test: ["ape", "bat", "dog"])
      try expectInputError("train other", "cow", "dog", "both have the same")
      try place.addImages("single", train: ["ape"], test: ["ape"])
      try expectInputError("train single", "ape", "at least two")
    }

    @Test func images() throws {
      let image = try place.bytes("data/train/bat/3.png")
      try place.write(Array(image.prefix(image.count / 2)), "data/train/bat/3.png")
      try expectInputError("train data -b 8", "data/train/bat/3.png")
      try place.write("no image", "data/train/bat/3.png")
      try expectInputError("train data -b 8", "data/train/bat/3.png", "neither JPEG nor PNG")
      try place.write([0xff, 0xd8, 0xff, 0xe0, 0, 0, 1, 2, 3], "data/train/bat/3.jpg")
      try place.remove("data/train/bat/3.png")
      try expectInputError("train data -b 8", "data/train/bat/3.jpg")
    }

    @Test func truncatedCIFAR() throws {
      let size: UInt64 = 10_000 * 3_073
      func write(_ name: String, _ size: UInt64) throws {
        try place.write("", "cifar/" + name)
        // A sparse file: zeros that take no room.
        try FileHandle(forWritingTo: place.url.appending(path: "cifar/" + name)).truncate(
          atOffset: size)
      }
      for name in (1...5).map({ "data_batch_\($0).bin" }) + ["test_batch.bin"] {
        try write(name, size)
      }
      try place.write("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n", "cifar/batches.meta.txt")
      try write("data_batch_4.bin", size - 1)
      try expectInputError("train cifar", "data_batch_4.bin", "30729999", "fetch the file again")
      try place.remove("cifar/data_batch_4.bin")
      try expectInputError("train cifar", "data_batch_4.bin", "is missing")
    }

    @Test func models() throws {
      try place.train("a")
      let model = try place.bytes("runs/a/last.safetensors")
      try expectInputError(
        "evaluate nowhere.safetensors data", "nowhere.safetensors", "check the path")
      try expectInputError("evaluate data/train data", "data/train", "a file is needed")
      try expectInputError("evaluate runs/a/curves.svg data", "curves.svg", "safetensors")
      try place.write(Array(model.dropLast(1)), "truncated.safetensors")
      try expectInputError("evaluate truncated.safetensors data", "truncated.safetensors")
      try expectInputError("predict truncated.safetensors data/test/ape/0.png", "truncated")
      try expectInputError("summary truncated.safetensors", "truncated.safetensors")
      try expectInputError(
        "summary runs/a/last.safetensors --img-size 64", "says itself", "leave --img-size out")
      try expectInputError(
        "summary runs/a/last.safetensors --shortcut B", "says itself", "leave --shortcut out")
      try place.addImages("other", train: ["ape", "bat", "dog"], test: ["ape", "bat", "dog"])
      try expectInputError(
        "evaluate runs/a/last.safetensors other", "ape, bat, cow", "ape, bat, dog")
      try place.remove("other/test")
      try expectInputError("evaluate runs/a/last.safetensors other", "test")
      // The same file, called a network that it is not: the names have one length.
      let renamed = Data(
        model.replacing(Data("cifar-resnet8\"".utf8), with: Data("cifar-resnet9\"".utf8)))
      try place.write(Array(renamed), "renamed.safetensors")
      try expectInputError(
        "evaluate renamed.safetensors data", "renamed.safetensors", "cifar-resnet9")
    }

    @Test func imagesToClassify() throws {
      try place.train("a")
      let model = "predict runs/a/last.safetensors "
      try expectInputError(model + "nowhere.png", "nowhere.png", "check the path")
      try expectInputError(model + "runs/a/config.yaml", "config.yaml", "JPEG")
      try expectInputError(
        model + "runs/a", "runs/a: there is no JPEG or PNG", "1 SVG", "5 other files")
    }

    @Test func resumption() throws {
      try expectInputError("train --resume nowhere", "nowhere", "--resume")
      try place.train("a")
      try expectInputError("train --resume runs/a", "runs/a", "finished")
      try place.remove("runs/a/last.safetensors")
      try expectInputError("train --resume runs/a", "runs/a", "train -c runs/a/config.yaml")
    }
  }
}
