/// How often images of each class were classified as each class.
package struct ConfusionMatrix: Hashable, Sendable {
  /// The name of each class, in the order of rows and columns.
  package let classNames: [String]
  /// `[truth][prediction]`, in images.
  package private(set) var counts: [[Int]]

  /// A matrix to which predictions are added one by one.
  package init(classNames: [String]) {
    self.classNames = classNames
    let row = Array(repeating: 0, count: classNames.count)
    counts = Array(repeating: row, count: classNames.count)
  }

  /// - Precondition: `counts` has a row and a column for each class, and no negative number.
  package init(classNames: [String], counts: [[Int]]) {
    precondition(
      counts.count == classNames.count && counts.allSatisfy { $0.count == classNames.count },
      "\(counts.count) rows of \(counts.map(\.count).max() ?? 0) for \(classNames.count) classes")
    precondition(counts.joined().allSatisfy { $0 >= 0 }, "a count is negative")
    self.classNames = classNames
    self.counts = counts
  }

  /// Counts one image.
  ///
  /// - Precondition: both are indices of classes.
  package mutating func record(truth: Int, prediction: Int) {
    precondition(
      classNames.indices.contains(truth) && classNames.indices.contains(prediction),
      "class \(truth) or \(prediction) is not one of \(classNames.count)")
    counts[truth][prediction] += 1
  }

  /// The number of images.
  package var total: Int { counts.joined().reduce(0, +) }

  /// The share of all images on the diagonal, in 0…1; nil without images.
  package var accuracy: Double? {
    let right = counts.indices.reduce(0) { $0 + counts[$1][$1] }
    return total > 0 ? Double(right) / Double(total) : nil
  }

  /// For each class, the share of its images that were recognised; nil for a class without images.
  package var classAccuracies: [Double?] {
    counts.enumerated().map { index, row in
      let sum = row.reduce(0, +)
      return sum > 0 ? Double(row[index]) / Double(sum) : nil
    }
  }

  /// The matrix as a complete SVG document: rows are true classes, columns predicted ones, shades
  /// are shares of a row, and the last column is each class's accuracy.
  ///
  /// Cells shrink as classes grow in number; up to 25 classes they carry their counts, up to 150
  /// rows and columns carry their names.
  package func svg(title: String) -> String {
    ConfusionMatrixDrawing(self, title: title).svg
  }
}
