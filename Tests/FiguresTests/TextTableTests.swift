import ResidualFigures
import Testing

@Suite struct TextTableTests {
  static let table = TextTable(
    [.init("layer"), .init("output"), .init("parameters", .right)],
    rows: [
      ["conv1", "32×32×16", "432"], ["layer1.0.conv1", "32×32×16", "2,304"], ["relu", "", ""],
    ],
    totals: ["total", "", "2,736"])

  @Test func textIsAligned() {
    #expect(
      Self.table.text == """
        layer           output    parameters
        --------------  --------  ----------
        conv1           32×32×16         432
        layer1.0.conv1  32×32×16       2,304
        relu
        --------------  --------  ----------
        total                          2,736

        """)
  }

  @Test func cellsStayOnTheirLineAndInTheirColumn() {
    let table = TextTable([.init("a"), .init("b")], rows: [["x\r\ny\tz", "1|2"]])
    #expect(table.text == "a      b\n-----  ---\nx y z  1|2\n")
  }

  @Test func emptyTables() {
    #expect(TextTable([.init("only")]).text == "only\n----\n")
  }
}
