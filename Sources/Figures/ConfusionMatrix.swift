/// How often images of each class were taken for each class.
public struct ConfusionMatrix: Hashable, Sendable {
  /// One kind of mistake and how often it was made.
  public struct Confusion: Hashable, Sendable {
    /// Indices of the true and of the predicted class.
    public let truth: Int, prediction: Int
    /// How many images.
    public let count: Int
    /// The count as a share of the true class's images.
    public let share: Double
  }

  /// The name of each class, in the order of rows and columns.
  public let classNames: [String]
  /// `[truth][prediction]`, in images.
  public private(set) var counts: [[Int]]

  /// A matrix to which predictions are added one by one.
  public init(classNames: [String]) {
    self.classNames = classNames
    let row = Array(repeating: 0, count: classNames.count)
    counts = Array(repeating: row, count: classNames.count)
  }

  /// - Precondition: `counts` has a row and a column for each class, and no negative number.
  public init(classNames: [String], counts: [[Int]]) {
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
  public mutating func record(truth: Int, prediction: Int) {
    precondition(
      classNames.indices.contains(truth) && classNames.indices.contains(prediction),
      "class \(truth) or \(prediction) is not one of \(classNames.count)")
    counts[truth][prediction] += 1
  }

  /// The number of images.
  public var total: Int { counts.joined().reduce(0, +) }

  /// The share of all images on the diagonal, in 0…1; nil without images.
  public var accuracy: Double? {
    let right = counts.indices.reduce(0) { $0 + counts[$1][$1] }
    return total > 0 ? Double(right) / Double(total) : nil
  }

  /// For each class, the share of its images that were recognised; nil for a class without images.
  public var classAccuracies: [Double?] {
    counts.enumerated().map { index, row in
      let sum = row.reduce(0, +)
      return sum > 0 ? Double(row[index]) / Double(sum) : nil
    }
  }

  /// The most frequent mistakes, the most frequent first; equal ones in the order of the classes.
  ///
  /// - Complexity: O(*c*² log *c*) for *c* classes.
  public func topConfusions(_ limit: Int) -> [Confusion] {
    var all: [Confusion] = []
    for (truth, row) in counts.enumerated() {
      let sum = Double(row.reduce(0, +))
      for (prediction, count) in row.enumerated() where count > 0 && truth != prediction {
        all.append(
          Confusion(
            truth: truth, prediction: prediction, count: count, share: Double(count) / sum))
      }
    }
    all.sort { ($1.count, $0.truth, $0.prediction) < ($0.count, $1.truth, $1.prediction) }
    return Array(all.prefix(max(0, limit)))
  }

  /// The matrix as a complete SVG document: rows are true classes, columns predicted ones, shades
  /// are shares of a row, and the last column is each class's accuracy.
  ///
  /// Cells shrink as classes grow in number; up to 25 classes they carry their counts, up to 150
  /// rows and columns carry their names.
  public func svg(title: String) -> String {
    ConfusionMatrixDrawing(self, title: title).svg
  }
}
