/// The layers of a network as boxes from top to bottom, with lines for shortcuts: in the style of
/// Figure 3 of Deep Residual Learning for Image Recognition.
///
/// Branches stand side by side. After at most ``levelsPerColumn`` levels the picture continues in a
/// column to the right, after a whole block if there is one.
package struct LayerDiagram: Hashable, Sendable {
  /// A layer.
  package struct Box: Hashable, Sendable {
    /// What stands in it, such as `3×3 conv, 64`.
    package let label: String
    /// Which of a few colours it has.
    package let group: Int
    /// The boxes whose results it takes, by their index; all come before it.
    package let inputs: [Int]

    /// - Parameter group: any number from 0.
    package init(_ label: String, group: Int, inputs: [Int]) {
      self.label = label
      self.group = group
      self.inputs = inputs
    }
  }

  /// A shortcut from the result of one box to that of a later one.
  package struct Shortcut: Hashable, Sendable {
    /// The index of the box whose result is added; `nil` for the image itself.
    package let start: Int?
    /// The index of the box after which it is added.
    package let end: Int
    /// Whether the shape changes on the way: such a line is dashed.
    package let changesShape: Bool
    /// A letter in a circle on the line, such as T for a gate.
    package let mark: Character?

    /// - Parameters:
    ///   - start: `nil` for the image itself.
    ///   - mark: a letter in a circle on the line.
    package init(from start: Int?, to end: Int, changesShape: Bool, mark: Character? = nil) {
      (self.start, self.end, self.changesShape) = (start, end, changesShape)
      self.mark = mark
    }
  }

  /// What stands above.
  package var title: String
  /// In an order in which inputs come first.
  package var boxes: [Box]
  /// In any order.
  package var shortcuts: [Shortcut]

  /// The levels that a column has at most.
  package static let levelsPerColumn = 56

  /// - Precondition: inputs and ends of shortcuts are indices of boxes, inputs of earlier ones.
  package init(title: String, boxes: [Box], shortcuts: [Shortcut]) {
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
    for box in boxes where box.inputs.count == 1 { readers[box.inputs[0]] += 1 }
    var placed = [Int](repeating: 0, count: boxes.count)
    return boxes.reduce(into: []) { offsets, box in
      guard box.inputs.count == 1, let input = box.inputs.first else { return offsets.append(0) }
      guard readers[input] > 1 else { return offsets.append(offsets[input]) }
      offsets.append(offsets[input] + Double(placed[input]) - Double(readers[input] - 1) / 2)
      placed[input] += 1
    }
  }

  /// The first level of each column. A column ends where one box leads to one other and no line
  /// goes around the two, unless there is no such place in its lower half.
  var columnStarts: [Int] {
    let levels = levels
    let count = (levels.max() ?? -1) + 1
    var widths = [Int](repeating: 0, count: count)
    for level in levels { widths[level] += 1 }
    // How many lines a column's end before each level would cut, as differences.
    var cuts = [Int](repeating: 0, count: count + 1)
    func lead(from start: Int, to end: Int) {
      guard start + 2 <= end else { return }
      cuts[start + 2] += 1
      cuts[end + 1] -= 1
    }
    for (box, level) in zip(boxes, levels) {
      for input in box.inputs { lead(from: levels[input], to: level) }
    }
    for shortcut in shortcuts {
      lead(from: shortcut.start.map { levels[$0] } ?? -1, to: levels[shortcut.end])
    }
    for level in cuts.indices.dropFirst() { cuts[level] += cuts[level - 1] }
    var starts = [0]
    while let start = starts.last, count - start > Self.levelsPerColumn {
      let limit = start + Self.levelsPerColumn
      let end = (start + Self.levelsPerColumn / 2...limit).last { level in
        cuts[level] == 0 && widths[level - 1] == 1 && widths[level] == 1
      }
      starts.append(end ?? limit)
    }
    return starts
  }
}
