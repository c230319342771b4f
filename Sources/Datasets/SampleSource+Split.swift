import ResidualImages
import ResidualTensors

extension SampleSource {
  /// Sets images aside for validation, drawn by class under a seed.
  ///
  /// Each class gives its share of the images, rounded so that the shares add up to `count`:
  /// classes of equal size give equal numbers, or numbers that differ by one. Which images is drawn
  /// for each class under `RandomKey(seed: seed).derived(.validationSplit).derived(class)`. Both
  /// parts keep the order of the set.
  ///
  /// - Throws: ``DatasetError/validationCount(_:available:)`` unless `0 < count < self.count`.
  package func split(
    validation count: Int, seed: UInt64
  ) throws(DatasetError) -> (training: any SampleSource, validation: any SampleSource) {
    let labels = labels
    guard count > 0, count < self.count else {
      throw .validationCount(count, available: self.count)
    }
    let key = RandomKey(seed: seed).derived(.validationSplit)
    let classes = Dictionary(grouping: labels.indices) { labels[$0] }.sorted { $0.key < $1.key }
    let shares = Self.shares(of: count, among: classes.map(\.value.count))
    var isValidation = [Bool](repeating: false, count: self.count)
    for ((label, indices), share) in zip(classes, shares) {
      var random = RandomSource(key.derived(Int(label)))
      for drawn in random.permutation(of: indices.count).prefix(share) {
        isValidation[indices[drawn]] = true
      }
    }
    return (
      training: selecting(labels.indices.filter { !isValidation[$0] }),
      validation: selecting(labels.indices.filter { isValidation[$0] })
    )
  }

  /// Parts of `total` in proportion to `sizes`, by the method of largest remainders; among equal
  /// remainders the first come first.
  ///
  /// - Precondition: `total` is at most the sum of the sizes, and their product fits an `Int`.
  fileprivate static func shares(of total: Int, among sizes: [Int]) -> [Int] {
    let sum = sizes.reduce(0, +)
    var shares = sizes.map { $0 * total / sum }
    let remainders = sizes.map { $0 * total % sum }
    let order = sizes.indices.sorted { remainders[$0] > remainders[$1] }
    for index in order.prefix(total - shares.reduce(0, +)) { shares[index] += 1 }
    return shares
  }
}
