import Foundation
import ResidualCPU
import ResidualNetworks
import ResidualRuns
import Testing

@Suite struct EvaluatorTests {
  /// What fills up the last batch counts for nothing.
  @Test func partialBatchesAreEqualToSingleImages() throws {
    let trainer = try RecipeOptions.tiny(steps: 4).trainer()
    _ = try trainer.finish()
    let set = TinyData.images(21, seed: 8)

    func evaluate(batchSize: Int) throws -> (Evaluation, [Float], [Range<Int>]) {
      let evaluator = try Evaluator(
        trainer.network, session: trainer.session, batchSize: batchSize)
      var (logits, ranges): ([Float], [Range<Int>]) = ([], [])
      let evaluation = try evaluator.evaluate(trainer.feed(set)) {
        logits += $0
        ranges.append($1)
      }
      return (evaluation, logits, ranges)
    }
    let (whole, logits, ranges) = try evaluate(batchSize: 16)
    #expect(ranges == [0..<16, 16..<21])
    let (single, singleLogits, _) = try evaluate(batchSize: 1)
    #expect(logits.count == 21 * 4)
    #expect(zip(logits, singleLogits).allSatisfy { abs($0 - $1) <= 1e-4 * max(1, abs($1)) })
    #expect(whole.images == 21 && whole.correct == single.correct)
    #expect(whole.correctOfFive == 21, "four classes are among the first five")
    #expect(abs(whole.lossSum - single.lossSum) <= 1e-4 * single.lossSum)

    // And to what the logits say.
    var (correct, lossSum) = (0.0, 0.0)
    for image in 0..<21 {
      let row = logits[image * 4..<image * 4 + 4].map(Double.init)
      let label = Int(set.labels[image])
      if row.firstIndex(of: row.max() ?? 0) == label { correct += 1 }
      lossSum -= row[label] - logSum(row)
    }
    #expect(whole.correct == correct)
    #expect(abs(whole.lossSum - lossSum) <= 1e-5 * lossSum)
  }

  private func logSum(_ row: [Double]) -> Double {
    let largest = row.max() ?? 0
    return largest + log(row.reduce(0) { $0 + exp($1 - largest) })
  }

  @Test func percentages() {
    var evaluation = Evaluation()
    #expect(evaluation.loss.isNaN && evaluation.top1.isNaN)
    evaluation.images = 8
    evaluation.correct = 6
    evaluation.correctOfFive = 7
    evaluation.lossSum = 4
    #expect(evaluation.top1 == 75 && evaluation.error == 25)
    #expect(evaluation.top5 == 87.5 && evaluation.loss == 0.5)
  }

  @Test func observersMayStop() throws {
    struct Stop: Error {}
    let trainer = try RecipeOptions.tiny(steps: 4).trainer()
    let evaluator = try Evaluator(trainer.network, session: trainer.session, batchSize: 8)
    #expect(throws: Stop.self) {
      try evaluator.evaluate(trainer.feed(TinyData.images(16, seed: 8))) {
        if $1.upperBound == 8 { throw Stop() }
      }
    }
  }
}
