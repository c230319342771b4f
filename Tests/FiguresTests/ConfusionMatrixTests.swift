import ResidualFigures
import Testing

@Suite struct ConfusionMatrixTests {
  static let small = ConfusionMatrix(
    classNames: ["cat", "dog", "<owl>", "none"],
    counts: [[90, 8, 2, 0], [5, 40, 5, 0], [0, 8, 12, 0], [0, 0, 0, 0]])

  @Test func accuracies() {
    #expect(Self.small.total == 170)
    #expect(Self.small.accuracy == 142.0 / 170)
    #expect(Self.small.classAccuracies == [0.9, 0.8, 0.6, nil])
    #expect(ConfusionMatrix(classNames: ["a"]).accuracy == nil)
  }

  @Test func recordingEqualsCounts() {
    var matrix = ConfusionMatrix(classNames: Self.small.classNames)
    for (truth, row) in Self.small.counts.enumerated() {
      for (prediction, count) in row.enumerated() {
        for _ in 0..<count { matrix.record(truth: truth, prediction: prediction) }
      }
    }
    #expect(matrix == Self.small)
  }

  @Test func pictureShowsCountsNamesAndAccuracies() throws {
    let root = try XMLReader.read(Self.small.svg(title: "A & B"))
    let labels = root.labels
    #expect(labels.contains("A & B"))
    #expect(labels.contains("83.53 % of 170 images recognised"))
    for text in ["90", "40", "12", "90.0 %", "80.0 %", "60.0 %", "–"] {
      #expect(labels.contains(text), "\(text)")
    }
    #expect(labels.filter { $0 == "<owl>" }.count == 2)
    #expect(!labels.contains("0"))
    // The cell of true dog and predicted cat lies in row 1, column 0.
    let drawing = ConfusionMatrixDrawing(Self.small, title: "")
    let cell = root.all("rect").first {
      $0.number("x") == drawing.grid.x && abs($0.number("y") - drawing.grid.y - 48) < 0.01
        && $0.number("width") == 48
    }
    #expect(cell?.attributes["fill"] == Shade.colour(0.1.squareRoot()))
  }

  @Test(arguments: [0, 1, 2, 10, 12, 13, 25, 40, 100, 151])
  func anyNumberOfClassesIsReadable(_ count: Int) throws {
    var matrix = ConfusionMatrix(classNames: (0..<count).map { "class \($0)" })
    for index in 0..<count { matrix.record(truth: index, prediction: index) }
    let root = try XMLReader.read(matrix.svg(title: "T"))
    let (width, height) = (root.number("width"), root.number("height"))
    #expect(width < 1_800 && height < 1_800)
    for text in root.all("text") {
      #expect((0...width).contains(text.number("x")) && (0...height).contains(text.number("y")))
    }
    let names = root.labels.filter { $0.hasPrefix("class ") }
    #expect(names.count == (count > 150 ? 0 : 2 * count))
  }

  @Test func shadesRunFromWhiteToDark() {
    #expect(Shade.colour(0) == "#ffffff")
    #expect(Shade.colour(1) == "#08306b")
    #expect(Shade.colour(7) == Shade.colour(1))
    #expect(Shade.textColour(1) == "#ffffff" && Shade.textColour(0.2) != "#ffffff")
  }
}
