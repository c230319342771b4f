/// The layers of a network as boxes from top to bottom, with lines for what skips some of them: in the
/// manner of Figure 3 of Deep Residual Learning for Image Recognition.
///
/// Branches stand side by side. After ``levelsPerColumn`` levels the picture goes on in a
/// column to the right.
public struct LayerDiagram: Hashable, Sendable {
  /// A layer.
  public struct Box: Hashable, Sendable {
    /// What stands in it, such as `3×3 conv, 64`.
    public let label: String
    /// Which of a few colours it has.
    public let group: Int
    /// The boxes whose results it takes, by their index; all come before it.
    public let inputs: [Int]

    /// - Parameter group: any number from 0.
    public init(_ label: String, group: Int, inputs: [Int]) {
      self.label = label
      self.group = group
      self.inputs = inputs
    }
  }

  /// A shortcut from the result of one box to that of a later one.
  public struct Shortcut: Hashable, Sendable {
    /// The index of the box whose result is added; `nil` for the image itself.
    public let start: Int?
    /// The index of the box behind which it is added.
    public let end: Int
    /// Whether the shape changes on the way: such a line is dashed.
    public let changesShape: Bool

    /// - Parameter start: `nil` for the image itself.
    public init(from start: Int?, to end: Int, changesShape: Bool) {
      (self.start, self.end, self.changesShape) = (start, end, changesShape)
    }
  }

  /// What stands above.
  public var title: String
  /// In an order in which inputs come first.
  public var boxes: [Box]
  /// In any order.
  public var shortcuts: [Shortcut]

  /// The levels of a column.
  public static let levelsPerColumn = 56

  /// - Precondition: inputs and ends of shortcuts are indices of boxes, inputs of earlier ones.
  public init(title: String, boxes: [Box], shortcuts: [Shortcut]) {
    for (index, box) in boxes.enumerated() {
      precondition(
        box.inputs.allSatisfy { 0..<index ~= $0 }, "box \(index) takes \(box.inputs)")
    }
    precondition(
      shortcuts.allSatisfy { 0..<boxes.count ~= $0.end && ($0.start ?? 0) >= 0 },
      "shortcuts beyond \(boxes.count) boxes")
    self.title = title
    self.boxes = boxes
    self.shortcuts = shortcuts
  }

  /// The level of each box: one more than the highest of its inputs.
  var levels: [Int] {
    boxes.reduce(into: []) { levels, box in
      levels.append((box.inputs.map { levels[$0] }.max() ?? -1) + 1)
    }
  }

  /// How far each box stands to the right of the middle, in boxes: the branches of one box side by
  /// side, what follows a box alone below it, and what joins branches in the middle.
  var offsets: [Double] {
    var readers = [Int](repeating: 0, count: boxes.count)
    for box in boxes { for input in box.inputs { readers[input] += 1 } }
    var placed = [Int](repeating: 0, count: boxes.count)
    return boxes.reduce(into: []) { offsets, box in
      guard box.inputs.count == 1, let input = box.inputs.first else { return offsets.append(0) }
      guard readers[input] > 1 else { return offsets.append(offsets[input]) }
      offsets.append(offsets[input] + Double(placed[input]) - Double(readers[input] - 1) / 2)
      placed[input] += 1
    }
  }
}

extension LayerDiagram {
  private static let height = 18.0, gap = 12.0, size = 11.0, margin = 24.0
  /// Tints for black text, apart in lightness too.
  private static let tints = ["#e8e8e8", "#f4c7c3", "#c6dbef", "#d9ead3", "#fce5cd", "#d9d2e9"]

  /// The picture.
  public var svg: String {
    let levels = levels
    let offsets = offsets
    let count = (levels.max() ?? -1) + 1
    let box = (boxes.map { TextExtent.width($0.label, size: Self.size) }.max() ?? 0) + 12
    let reach = offsets.map(abs).max() ?? 0
    let lane = (2 * reach + 1) * (box + 10) + 56
    let columns = max(1, (count + Self.levelsPerColumn - 1) / Self.levelsPerColumn)
    let step = Self.height + Self.gap
    let top = 2 * Self.margin
    var document = SVGDocument(
      width: max(Double(columns) * lane, TextExtent.width(title, size: 14)) + 2 * Self.margin,
      height: top + Double(min(count, Self.levelsPerColumn)) * step + Self.margin, title: title)
    document.add(
      "text", ["x": Self.margin, "y": 28.0, "font-size": 14, "font-weight": "bold"], text: title)

    /// The middle of a box.
    func centre(_ index: Int) -> (x: Double, y: Double) {
      let level = levels[index]
      let column = level / Self.levelsPerColumn
      return (
        Self.margin + Double(column) * lane + (lane - 40) / 2 + offsets[index] * (box + 10),
        top + Double(level % Self.levelsPerColumn) * step + Self.height / 2
      )
    }
    func line(_ from: (x: Double, y: Double), _ to: (x: Double, y: Double)) {
      let path: String
      if to.y > from.y {
        path = "M\(from.x.svgText) \(from.y.svgText) L\(to.x.svgText) \(to.y.svgText)"
      } else {
        // On to the top of the next column, around the boxes.
        let (turn, over) = (to.x - lane / 2 + 8, top - 10)
        let points = [(from.x, from.y + 4), (turn, from.y + 4), (turn, over), (to.x, over), to]
        path =
          "M\(from.x.svgText) \(from.y.svgText) "
          + points.map { "L\($0.0.svgText) \($0.1.svgText)" }.joined(separator: " ")
      }
      document.add("path", ["d": path, "fill": "none", "stroke": "#444444", "stroke-width": 1])
    }
    for (index, item) in boxes.enumerated() {
      let place = centre(index)
      for input in item.inputs {
        let above = centre(input)
        line((above.x, above.y + Self.height / 2), (place.x, place.y - Self.height / 2))
      }
    }
    for shortcut in shortcuts {
      let end = centre(shortcut.end)
      let start = shortcut.start.map(centre) ?? (x: end.x, y: top - Self.gap - Self.height / 2)
      // From the line below one box to the line below the other; in another column from its top.
      let from = start.x == end.x ? start.y + Self.height / 2 + 4 : top - 8
      let (to, side) = (end.y + Self.height / 2 + 4, end.x + box / 2)
      let bulge = side + min(28, 10 + (to - from) / 12)
      let path =
        "M\(end.x.svgText) \(from.svgText) L\(side.svgText) \(from.svgText) "
        + "Q\(bulge.svgText) \(from.svgText) \(bulge.svgText) \(((from + to) / 2).svgText) "
        + "Q\(bulge.svgText) \(to.svgText) \(side.svgText) \(to.svgText) "
        + "L\(end.x.svgText) \(to.svgText)"
      document.add(
        "path",
        [
          "d": path, "fill": "none", "stroke": "#1f4e9c", "stroke-width": 1.2,
          "stroke-dasharray": shortcut.changesShape ? "4 3" : "none",
        ])
    }
    for (index, item) in boxes.enumerated() {
      let place = centre(index)
      document.add(
        "rect",
        [
          "x": place.x - box / 2, "y": place.y - Self.height / 2, "width": box,
          "height": Self.height, "rx": 2, "fill": Self.tints[item.group % Self.tints.count],
          "stroke": "#444444", "stroke-width": 0.8,
        ])
      document.add(
        "text",
        [
          "x": place.x, "y": place.y + 4, "font-size": Self.size, "text-anchor": "middle",
        ], text: item.label)
    }
    return document.text
  }
}
