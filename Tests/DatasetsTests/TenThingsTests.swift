import ResidualDatasets
import Testing

/// The bytes of the built-in set.
///
/// The checksums are those of an independent implementation in numpy, which draws whole arrays of
/// pictures at once. It gives 4,000 pictures of seed 1 the SHA-256
/// `a5143ed387ab862442eb2a0ddad3a170f2b7b05fa1c63414e048fda00d754c2f` (training) and
/// `7a72683d33888957c459e33bed92af9157a49360c470bc7727db5cf92de6a7fe` (test).
@Suite struct TenThingsTests {
  static let pictureBytes = TenThings.side * TenThings.side * 3

  @Test(
    "The first 4,000 pictures are those of the numpy implementation",
    arguments: [
      (TenThings.Split.training, 0xf30a_f0f2_13f8_6758, 1_182_302_491),
      (.test, 0xe68f_9b4f_11db_ace5, 1_172_047_906),
    ] as [(TenThings.Split, UInt64, Int)])
  func bytesOfBothSplits(split: TenThings.Split, checksum: UInt64, sum: Int) {
    let pictures = TenThings.images(seed: 1, split: split, count: 4_000)
    #expect(pictures.count == 4_000 * Self.pictureBytes)
    #expect(pictures.reduce(0) { $0 + Int($1) } == sum)
    #expect(fnv1a(pictures) == checksum)
  }

  @Test(
    "The first 100 pictures of each class are those of the numpy implementation",
    arguments: [
      ("fish", 0xdf91_41f9_7fb1_f199), ("bird", 0x2d94_d038_14f6_7494),
      ("cat", 0xa08c_f0b9_f340_a4a8), ("rabbit", 0x29ae_8419_5bdc_e2f3),
      ("house", 0xcef8_f54b_c9ae_5adf), ("car", 0xf4d9_340b_a0cb_8bb1),
      ("sailboat", 0x5b03_99c2_c2a8_aca4), ("mushroom", 0x266b_c615_54ae_ab4e),
      ("umbrella", 0x4039_c580_4da9_b72e), ("flower", 0x2458_36c5_2329_9452),
    ] as [(String, UInt64)])
  func bytesOfClass(name: String, checksum: UInt64) throws {
    let label = try #require(TenThings.classNames.firstIndex(of: name))
    let bytes = (0..<100).flatMap { picture(label + 10 * $0) }
    #expect(fnv1a(bytes) == checksum)
  }

  @Test("The last ten test pictures of the largest seed are those of the numpy implementation")
  func bytesOfLargestSeed() {
    let bytes = (3_990..<4_000).flatMap { picture($0, seed: .max, split: .test) }
    #expect(fnv1a(bytes) == 0xae66_8189_2770_7b27)
  }

  @Test("A picture's bytes depend neither on the others drawn with it nor on the order")
  func anySubsetInAnyOrder() {
    let count = 300  // not a multiple of the pictures that one thread draws at a time
    let together = TenThings.images(seed: 5, split: .training, count: count)
    var backwards = [UInt8](repeating: 0, count: together.count)
    backwards.withUnsafeMutableBufferPointer { pixels in
      var end = count
      for length in sequence(first: 1, next: { $0 + 2 }) {
        let indices = max(0, end - length)..<end
        let bytes = indices.lowerBound * Self.pictureBytes..<indices.upperBound * Self.pictureBytes
        TenThings.draw(
          seed: 5, split: .training, indices: indices,
          into: UnsafeMutableBufferPointer(rebasing: pixels[bytes]))
        end = indices.lowerBound
        if end == 0 { break }
      }
    }
    #expect(backwards == together)
    #expect(TenThings.images(seed: 5, split: .training, count: count) == together)
  }

  @Test("Nothing but the pictures asked for is written")
  func writesOnlyItsBytes() {
    var bytes = [UInt8](repeating: 77, count: 4 * Self.pictureBytes)
    bytes.withUnsafeMutableBufferPointer { pixels in
      let middle = Self.pictureBytes..<3 * Self.pictureBytes
      TenThings.draw(
        seed: 1, split: .test, indices: 20..<22,
        into: UnsafeMutableBufferPointer(rebasing: pixels[middle]))
      TenThings.draw(
        seed: 1, split: .test, indices: 3..<3,
        into: UnsafeMutableBufferPointer(start: nil, count: 0))
    }
    #expect(bytes.prefix(Self.pictureBytes).allSatisfy { $0 == 77 })
    #expect(bytes.suffix(Self.pictureBytes).allSatisfy { $0 == 77 })
    let expected = picture(20, split: .test) + picture(21, split: .test)
    #expect(Array(bytes[Self.pictureBytes..<3 * Self.pictureBytes]) == expected)
    #expect(TenThings.images(seed: 1, split: .test, count: 0).isEmpty)
  }

  @Test("Splits and seeds share no picture")
  func picturesDiffer() {
    var seen = Set<[UInt8]>()
    for seed in [0, 1, 2] as [UInt64] {
      for split in TenThings.Split.allCases {
        for index in 0..<200 { seen.insert(picture(index, seed: seed, split: split)) }
      }
    }
    #expect(seen.count == 3 * 2 * 200)
  }

  @Test("There are ten classes, each named once and as often as the others")
  func classes() {
    #expect(TenThings.classNames.count == 10)
    #expect(Set(TenThings.classNames).count == 10)
    #expect(TenThings.classNames.first == "fish" && TenThings.classNames.last == "flower")
    for count in [TenThings.trainingCount, TenThings.testCount] {
      var counts = [Int](repeating: 0, count: 10)
      for index in 0..<count { counts[TenThings.label(of: index)] += 1 }
      #expect(counts.allSatisfy { $0 == count / 10 })
    }
  }

  @Test("Brightness and contrast are those of ordinary pictures", arguments: 0..<3)
  func channelStatistics(channel: Int) {
    let pictures = TenThings.images(seed: 3, split: .training, count: 1_000)
    let values = stride(from: channel, to: pictures.count, by: 3).map { Double(pictures[$0]) }
    let mean = values.reduce(0, +) / Double(values.count)
    let variance =
      values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    // The 4,000 of seed 1 have means of 93 to 98 and deviations of 48 to 53.
    #expect((88..<103).contains(mean))
    #expect((44..<58).contains(variance.squareRoot()))
  }

  @Test("No picture is a single colour, and few pixels are black or white")
  func picturesShowSomething() {
    let pictures = TenThings.images(seed: 4, split: .training, count: 500)
    for index in 0..<500 {
      let bytes = pictures[index * Self.pictureBytes..<(index + 1) * Self.pictureBytes]
      #expect(Set(bytes).count > 16, "picture \(index)")
    }
    let clipped = pictures.count { $0 == 0 || $0 == 255 }
    #expect(Double(clipped) / Double(pictures.count) < 0.1)
  }

  @Test("A negative index and a wrong amount of room are refused")
  func refusals() async {
    await #expect(processExitsWith: .failure) {
      _ = TenThings.images(seed: 1, split: .test, count: -1)
    }
    await #expect(processExitsWith: .failure) {
      var room = [UInt8](repeating: 0, count: 3_071)
      room.withUnsafeMutableBufferPointer {
        TenThings.draw(seed: 1, split: .test, indices: 0..<1, into: $0)
      }
    }
    await #expect(processExitsWith: .failure) { _ = TenThings.label(of: -1) }
  }

  private func picture(
    _ index: Int, seed: UInt64 = 1, split: TenThings.Split = .training
  ) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.pictureBytes)
    bytes.withUnsafeMutableBufferPointer {
      TenThings.draw(seed: seed, split: split, indices: index..<index + 1, into: $0)
    }
    return bytes
  }

  /// The 64-bit FNV-1a checksum.
  private func fnv1a(_ bytes: [UInt8]) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
