/// What a person most probably meant by a word that is not known.
package enum Suggestion {
  /// The candidate nearest to a word, or nil if none is near enough: at most one edit for every
  /// three letters of the shorter word, and one for words shorter than that. Case does not count;
  /// of equally near candidates the first wins.
  ///
  /// - Complexity: O(*n* · length²); candidates of very different length are passed over at once,
  ///   so that a word of any length is harmless.
  package static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
    let letters = Array(word.lowercased())
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
      let other = Array(candidate.lowercased())
      let limit = max(1, min(letters.count, other.count) / 3)
      guard abs(letters.count - other.count) <= limit else { continue }
      let distance = editDistance(letters, other)
      if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.candidate
  }

  /// The end of an error message: a question if a candidate is near enough, and then where to look,
  /// as in `; did you mean 'resnet20'? 'resnet networks' says which there are`.
  package static func ending(
    for word: String, among candidates: some Sequence<String>, then remedy: String
  ) -> String {
    "; " + (nearest(to: word, among: candidates).map { "did you mean '\($0)'? " } ?? "") + remedy
  }

  /// How many insertions, deletions, substitutions and swaps of neighbours lead from one word to
  /// the other, no letter being edited twice.
  ///
  /// Source: F. J. Damerau, A technique for computer detection and correction of spelling errors,
  /// 1964; computed row by row as by V. I. Levenshtein's distance.
  package static func editDistance(_ a: [Character], _ b: [Character]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      row.reserveCapacity(b.count + 1)
      for j in b.indices {
        var distance = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          distance = min(distance, beforeLast[j - 1] + 1)
        }
        row.append(distance)
      }
      (beforeLast, last) = (last, row)
    }
    return last[b.count]
  }
}
