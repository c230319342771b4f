import ResidualDatasets
import ResidualTensors
import Testing

extension ImageSet {
  /// Both parts of a split as sets.
  fileprivate func parts(validation count: Int, seed: UInt64) throws -> (
    training: ImageSet, validation: ImageSet
  ) {
    let split = try split(validation: count, seed: seed)
    func set(_ source: any SampleSource) throws -> ImageSet {
      try Preparation.View.squash.images(of: source, side: width).set
    }
    return (try set(split.training), try set(split.validation))
  }
}

@Suite struct ImageSetTests {
  @Test("a split takes the same number from each class, each image once, in order")
  func split() throws {
    let set = noiseSet(count: 200, side: 2)
    let (training, validation) = try set.parts(validation: 50, seed: 3)
    #expect(training.count == 150 && validation.count == 50)
    for label in Int32(0)..<10 { #expect(validation.labels.count { $0 == label } == 5) }
    func images(_ set: ImageSet) -> [[UInt8]] { (0..<set.count).map { set.image(at: $0).pixels } }
    let all = images(set)
    #expect(Set(images(training) + images(validation)) == Set(all))
    let positions = images(validation).compactMap { all.firstIndex(of: $0) }
    #expect(positions == positions.sorted() && Set(positions).count == 50)
    for (image, position) in zip(0..., positions) {
      #expect(validation.labels[image] == set.labels[position])
    }
  }

  @Test("a split depends on the seed and on nothing else")
  func seeds() throws {
    let set = noiseSet(count: 100, side: 2)
    let first = try set.parts(validation: 20, seed: 1)
    expectEqual(try set.parts(validation: 20, seed: 1).validation, first.validation)
    let other = try set.parts(validation: 20, seed: 2).validation
    #expect(other.pixels != first.validation.pixels)
  }

  @Test("uneven counts differ by one between equal classes; unequal classes give their share")
  func uneven() throws {
    let equal = try noiseSet(count: 100, side: 1).parts(validation: 37, seed: 1).validation
    let counts = (Int32(0)..<10).map { label in equal.labels.count { $0 == label } }
    #expect(counts.reduce(0, +) == 37 && counts.allSatisfy { $0 == 3 || $0 == 4 })
    let labels = [Int32](repeating: 0, count: 90) + [Int32](repeating: 1, count: 10)
    let set = ImageSet(height: 1, width: 1, checked: noise(300, seed: 1), labels: labels)
    #expect(try set.parts(validation: 20, seed: 1).validation.labels.count { $0 == 1 } == 2)
  }

  @Test("a count that is no part of the set is an error", arguments: [-1, 0, 100, 101])
  func badCount(count: Int) {
    #expect(throws: DatasetError.validationCount(count, available: 100)) {
      try noiseSet(count: 100, side: 1).parts(validation: count, seed: 1)
    }
  }

  @Test("the pixel mean is the mean, rounded once")
  func mean() {
    let set = noiseSet(count: 300, side: 3)
    let mean = PixelMean(of: set).values
    for i in 0..<27 {
      let sum = (0..<300).reduce(0) { $0 + Int(set.pixels[$1 * 27 + i]) }
      #expect(mean[i] == Float(Double(sum) / (255 * 300)))
    }
  }

  @Test("every epoch is another permutation, and repeats from the seed")
  func sampler() {
    let sampler = Sampler(count: 1000, seed: 5)
    let orders = (0..<4).map { sampler.order(epoch: $0) }
    #expect(Set(orders).count == 4)
    #expect(orders.allSatisfy { $0.sorted() == Array(0..<1000) })
    #expect(Sampler(count: 1000, seed: 5).order(epoch: 3) == orders[3])
    #expect(Sampler(count: 1000, seed: 6).order(epoch: 3) != orders[3])
  }

  @Test("the built-in set has its own labels and names")
  func builtIn() throws {
    let data = try LoadedData(nil, parts: [.test])
    #expect(data.source == .builtIn && data.data.parts[.training] == nil)
    #expect(data.test?.count == TenThings.testCount)
    #expect(data.test?.labels[123] == 3)
    #expect(data.classNames == TenThings.classNames)
    #expect(data.name == "Ten Things (built-in, seed 1)")
  }
}
