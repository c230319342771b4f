/// The other letters of Latin script: a letter of the font and a mark, or a form of their own.
extension BitmapFont {
  /// A form, and by how many pixels it begins over the top of the line.
  typealias Raised = (glyph: Glyph, rise: Int)

  /// The form of a letter with a mark, or of a letter that is none of English; `nil` for all others.
  static func latin(_ character: Character) -> Raised? {
    if let glyph = letters[character] { return (glyph, 0) }
    guard let (base, mark) = marked[character] else { return nil }
    let glyph = letters[base] ?? glyph(for: base)
    switch mark {
    case .below(let rows):
      return (glyph + rows, 0)
    case .through(let other):
      return (
        zip(glyph, Self.glyph(for: other)).map { zip($0, $1).map { $0 || $1 } }, 0
      )
    case .above(let rows):
      // Letters with a tail leave as much room as small ones have over them.
      if drop(of: base) > 0 { return (rows + glyph, 0) }
      let isSmall = glyph.prefix(2).joined().allSatisfy { !$0 }
      return isSmall
        ? (rows + glyph.dropFirst(2), 0)
        : (rows + [Array(repeating: false, count: width)] + glyph, 3)
    }
  }

  private enum Mark {
    case above(Glyph), below(Glyph), through(Character)
  }

  /// Each letter with a mark, by what it is made of.
  private static let marked: [Character: (base: Character, mark: Mark)] = {
    let table: [(mark: Mark, pairs: String)] = [
      (above("...#.", "..#.."), "AÁEÉIÍOÓUÚYÝCĆLĹNŃRŔSŚZŹaáeéıíoóuúyýcćlĺnńrŕsśzź"),
      (above(".#...", "..#.."), "AÀEÈIÌOÒUÙaàeèıìoòuù"),
      (above("..#..", ".#.#."), "AÂEÊIÎOÔUÛCĈGĜHĤJĴSŜWŴYŶaâeêıîoôuûcĉgĝsŝwŵyŷ"),
      (above(".#.#.", "....."), "AÄEËIÏOÖUÜYŸaäeëıïoöuüyÿ"),
      (above(".##.#", "#..#."), "AÃNÑOÕIĨUŨaãnñoõıĩuũ"),
      (above("..#..", "..#.."), "EĖIİCĊGĠZŻeėcċgġzż"),
      (above(".###.", "....."), "AĀEĒIĪOŌUŪaāeēıīoōuū"),
      (above(".#.#.", "..#.."), "AĂGĞCČDĎEĚNŇRŘSŠTŤUŬZŽaăgğcčdďeěnňrřsštťuŭzž"),
      (above(".#.#.", "..#.."), "AÅUŮaåuů"),
      (above("..#.#", ".#.#."), "OŐUŰoőuű"),
      (below("..#..", ".#..."), "CÇSŞTŢKĶLĻNŅcçsştţkķlļnņ"),
      (below("..#..", "..##."), "AĄEĘIĮUŲaąeęiįuų"),
      (below(".....", "..#.."), "SȘTȚsștț"),
      (.through("/"), "OØoø"), (.through("-"), "DĐLŁHĦlłdđhħ"),
    ]
    var marked: [Character: (base: Character, mark: Mark)] = [:]
    for (mark, pairs) in table {
      let letters = Array(pairs)
      for index in stride(from: 0, to: letters.count, by: 2) {
        marked[letters[index + 1]] = (letters[index], mark)
      }
    }
    return marked
  }()

  private static func rows(_ patterns: [String]) -> Glyph { patterns.map { $0.map { $0 == "#" } } }
  private static func above(_ patterns: String...) -> Mark { .above(rows(patterns)) }
  private static func below(_ patterns: String...) -> Mark { .below(rows(patterns)) }

  private static let letters = Dictionary(
    uniqueKeysWithValues: zip(
      "ıßæœÆŒðþÞ",
      glyphs(
        in: """
          ..... .##.. ..... ..... .#### .#### .#.#. #.... #....
          ..... #..#. ..... ..... #.#.. #.#.. ..#.. #.... ####.
          .##.. #.#.. ####. ##.## #.#.. #.#.. .#.#. ####. #...#
          ..#.. #..#. ..#.# #.#.# ##### #.##. .#### #...# #...#
          ..#.. #...# .#### #.### #.#.. #.#.. #...# #...# ####.
          ..#.. #...# #.#.. #.#.. #.#.. #.#.. #...# ####. #....
          .###. #.##. .#### ##.## #.### .#### .###. #.... #....
          """)))
}
