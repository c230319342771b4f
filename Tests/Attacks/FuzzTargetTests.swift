import ResidualFuzzSupport
import Testing

/// The targets of `scripts/fuzz`, bounded: the same work without its search for coverage.
@Suite struct FuzzTargetTests {
  @Test(arguments: FuzzTarget.allCases)
  func seedsAreAccepted(_ target: FuzzTarget) throws {
    let refusals = try target.seeds().map { target.refusal(of: $0) }
    #expect(refusals.allSatisfy { $0 == nil }, "\(refusals)")
  }

  @Test(arguments: FuzzTarget.allCases)
  func mutationsNeverTrap(_ target: FuzzTarget) throws {
    let seeds = try target.seeds()
    var mutator = Mutator(target.rawValue, words: target.words)
    var accepted = 0
    for trial in 0..<mutationCount {
      guard let message = target.refusal(of: mutator.mutate(seeds[trial % seeds.count])) else {
        accepted += 1
        continue
      }
      let flaw = target.flaw(of: message)
      #expect(flaw == nil, "\(message)")
    }
    // Most changes break a file; those of numbers, texts and dates do not.
    #expect((mutationCount / 1000..<mutationCount / 2).contains(accepted), "\(accepted)")
  }
}
