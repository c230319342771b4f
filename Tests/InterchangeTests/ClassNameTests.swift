import ResidualInterchange
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
}
