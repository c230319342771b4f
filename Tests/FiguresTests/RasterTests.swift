import ResidualFigures
import Testing

@Suite struct RasterTests {
  @Test func fontHasAGlyphOfFullSizeForEveryPrintableCharacter() {
    #expect(BitmapFont.glyphs.count == 95)
    for glyph in BitmapFont.glyphs {
      #expect(glyph.count == 7 && glyph.allSatisfy { $0.count == 5 })
    }
    #expect(Set(BitmapFont.glyphs).count == 95, "two characters look the same")
    #expect(BitmapFont.glyph(for: " ").joined().allSatisfy { !$0 })
    #expect(BitmapFont.glyph(for: "漢") == BitmapFont.box)
    #expect(BitmapFont.glyph(for: "\n") == BitmapFont.box)
  }

  @Test("Latin letters with marks have forms of their own, however they are composed")
  func latinLetters() {
    let letters = "ÁÀÂÄÃÅÇÉÈÊËÍÎÏÑÓÒÔÖÕØÚÙÛÜÝáàâäãåçéèêëíîïñóòôöõøúùûüýÿßæœÆŒðþÞČŠŽčšžąęłĄĘŁőűğışİ"
    for letter in letters {
      let glyph = BitmapFont.glyph(for: letter)
      #expect(glyph != BitmapFont.box && glyph.count >= 7, "\(letter)")
      #expect(glyph.allSatisfy { $0.count == 5 })
    }
    #expect(BitmapFont.glyph(for: "e\u{301}") == BitmapFont.glyph(for: "é"))
    var raster = Raster(width: BitmapFont.textWidth("Éé"), height: 10, filledWith: .white)
    raster.write("Éé", x: 0, y: 3)
    #expect(
      Self.pattern(raster) == [
        "...#.......",
        "..#........",
        "...........",
        "#####....#.",
        "#.......#..",
        "#......###.",
        "####..#...#",
        "#.....#####",
        "#.....#....",
        "#####..###.",
      ])
  }

  /// What is written, as text.
  static func pattern(_ raster: Raster) -> [String] {
    (0..<raster.height).map { y in
      String((0..<raster.width).map { raster[x: $0, y: y] == .black ? "#" : "." })
    }
  }

  @Test func textIsDrawnLetterByLetter() {
    var raster = Raster(width: BitmapFont.textWidth("Tig"), height: 9, filledWith: .white)
    raster.write("Tig", x: 0, y: 0)
    #expect(
      Self.pattern(raster) == [
        "#####...#........",
        "..#..............",
        "..#....##....####",
        "..#.....#...#...#",
        "..#.....#...#...#",
        "..#.....#...#...#",
        "..#....###...####",
        "................#",
        ".............###.",
      ])
  }

  @Test func drawingOutsideIsCut() {
    var raster = Raster(width: 4, height: 3, filledWith: .white)
    raster.fill(x: -5, y: -5, width: 7, height: 6, with: .black)
    raster.fill(x: 3, y: 2, width: 100, height: 100, with: .black)
    raster.fill(x: 50, y: 50, width: 2, height: 2, with: .black)
    #expect(Self.pattern(raster) == ["##..", "....", "...#"])
    raster.write("#", x: 2, y: -3, scale: 2)
  }

  @Test func zoomRepeatsPixels() {
    let small = Raster(width: 2, height: 1, pixels: [0, 0, 0, 255, 255, 255])
    var raster = Raster(width: 5, height: 3, filledWith: .white)
    raster.draw(small, x: 1, y: 1, zoom: 2)
    #expect(Self.pattern(raster) == [".....", ".##..", ".##.."])
  }

  @Test func contactSheetPutsImagesInCells() {
    let red = Raster(width: 32, height: 32, filledWith: .init(255, 0, 0))
    let blue = Raster(width: 16, height: 16, filledWith: .init(0, 0, 255))
    let sheet = ContactSheet(
      rows: [.init(label: "cat", images: [red, red, red]), .init(label: "ox", images: [blue])],
      zoom: 2
    ).raster
    let left = 12 + 34 + 12
    #expect(sheet.width == left + 3 * 64 + 2 * 4 + 12)
    #expect(sheet.height == 12 + 64 + 4 + 64 + 12)
    #expect(sheet[x: left, y: 12] == .init(255, 0, 0))
    #expect(sheet[x: left - 1, y: 12] == .white)
    #expect(sheet[x: left + 64, y: 12] == .white)
    #expect(sheet[x: left + 68, y: 75] == .init(255, 0, 0))
    // The smaller image stands in the middle of its cell.
    #expect(sheet[x: left + 16, y: 80 + 16] == .init(0, 0, 255))
    #expect(sheet[x: left + 15, y: 80 + 16] == .white)
    // The first label is written in the first row.
    let ink = (12..<76).flatMap { y in (0..<left).map { sheet[x: $0, y: y] } }
    #expect(ink.contains(.black))
  }

  @Test func emptySheetsAreSmallPictures() {
    #expect(ContactSheet(rows: []).raster.height == 24)
    #expect(ContactSheet(title: "t", rows: [.init(label: "", images: [])]).raster.width > 24)
  }
}
