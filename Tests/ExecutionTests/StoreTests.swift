import ResidualExecution
import Testing

@Suite struct StoreTests {
  private func slot(_ name: String, _ shape: Shape, deviation: Double) -> StateSlot {
    StateSlot(
      name: name, shape: shape, role: .parameter,
      initialValue: .normal(standardDeviation: deviation))
  }

  @Test func firstValuesDependOnNameAndSeedAlone() throws {
    let (a, b) = (slot("a", [100], deviation: 1), slot("b", [7, 3], deviation: 2))
    let first = Store()
    try first.initialize([a, b], seed: 5)
    let second = Store()
    try second.initialize([slot("c", [1000], deviation: 1), b], seed: 5)
    try second.initialize([a], seed: 5)
    #expect(first.read("a") == second.read("a"))
    #expect(first.read("b") == second.read("b"))
    #expect(first.slots == [a, b])

    let otherSeed = Store()
    try otherSeed.initialize([a], seed: 6)
    #expect(first.read("a") != otherSeed.read("a"))
    let otherName = Store()
    try otherName.initialize([slot("A", [100], deviation: 1)], seed: 5)
    #expect(first.read("a").scalars != otherName.read("A").scalars)
  }

  @Test func doublePrecisionStartsFromTheSameNumbers() throws {
    let (narrow, wide) = (Store(realType: .float32), Store(realType: .float64))
    for store in [narrow, wide] { try store.initialize([slot("a", [1000], deviation: 1)], seed: 1) }
    #expect(narrow.readDouble("a") == wide.readDouble("a"))
  }

  @Test func normalValuesHaveTheirMeanAndDeviation() throws {
    let store = Store()
    let count = 200_000
    try store.initialize([slot("w", [count], deviation: 0.25)], seed: 3)
    let values = store.readDouble("w")
    let mean = values.reduce(0, +) / Double(count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
    let fourth = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) * ($1 - mean) }
    // Five standard errors each: σ/√n of the mean, σ/√2n of the deviation, √(24/n) of the kurtosis.
    let root = Double(count).squareRoot()
    #expect(abs(mean) < 5 * 0.25 / root)
    #expect(abs(variance.squareRoot() - 0.25) < 5 * 0.25 / (2.0.squareRoot() * root))
    let kurtosis = fourth / Double(count) / (variance * variance)
    #expect(abs(kurtosis - 3) < 5 * 24.0.squareRoot() / root)
    let within = values.count { abs($0) < 0.25 }
    #expect(abs(Double(within) / Double(count) - 0.6827) < 5 * 0.5 / root)
  }

  @Test func constantsFillAndWrittenValuesStay() throws {
    let store = Store()
    let slot = StateSlot(
      name: "s", shape: [3], role: .statistic, initialValue: .constant(1.5))
    try store.initialize([slot], seed: 0)
    #expect(store.read("s") == Tensor([3], [1.5, 1.5, 1.5]))
    store.write([1.0, 2.0, 3.0], to: "s")
    try store.initialize([slot], seed: 1)
    #expect(store.read("s") == Tensor([3], [1, 2, 3]))
    #expect(store.contains("s") && !store.contains("t"))
    #expect(store.shape(of: "s") == [3] && store.shape(of: "t") == nil)
  }

  @Test func mistakesTrap() async {
    await #expect(processExitsWith: .failure) { _ = Store().read("missing") }
    await #expect(processExitsWith: .failure) { _ = Store(realType: .int32) }
  }
}
