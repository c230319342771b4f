import ResidualTensors
import Testing

@Suite struct SuggestionTests {
  static let networks = ["cifar-resnet20", "cifar-plain20", "resnet20", "resnet32", "plain20"]

  @Test(arguments: [
    ("resnet-20", "resnet20"), ("resent20", "resnet20"), ("RESNET32", "resnet32"),
    ("resnet2", "resnet20"), ("cifar_resnet20", "cifar-resnet20"), ("plian20", "plain20"),
    ("resnet34", "resnet32"),
  ])
  func nearMisses(_ word: String, _ expected: String) {
    #expect(Suggestion.nearest(to: word, among: Self.networks) == expected)
  }

  @Test(arguments: ["vgg16", "", "x", "densenet", "mobilenet20"])
  func strangersGetNoSuggestion(_ word: String) {
    #expect(Suggestion.nearest(to: word, among: Self.networks) == nil)
  }

  @Test func flags() {
    let flags = ["--epochs", "--steps", "--lr", "--batch-size"]
    #expect(Suggestion.nearest(to: "--epoch", among: flags) == "--epochs")
    #expect(Suggestion.nearest(to: "--batchsize", among: flags) == "--batch-size")
    #expect(
      Suggestion.ending(for: "--stpes", among: flags, then: "see that")
        == "; did you mean '--steps'? see that")
    #expect(Suggestion.ending(for: "--quiet", among: flags, then: "see that") == "; see that")
  }

  @Test func hugeWordsCostNothing() {
    let word = String(repeating: "a", count: 2_000_000)
    #expect(Suggestion.nearest(to: word, among: Self.networks) == nil)
  }

  @Test(arguments: [
    ("", "abc", 3), ("abc", "abc", 0), ("kitten", "sitting", 3), ("ab", "ba", 1),
    ("abcdef", "abcfed", 2), ("flaw", "lawn", 2), ("ca", "abc", 3),
  ])
  func editDistances(_ a: String, _ b: String, _ expected: Int) {
    #expect(Suggestion.editDistance(Array(a), Array(b)) == expected)
    #expect(Suggestion.editDistance(Array(b), Array(a)) == expected)
  }
}
