import ResidualImages

/// Labelled images in two or three parts, and what a report says about them.
public struct Dataset: Sendable {
  /// Where the images come from.
  public enum Source: String, Hashable, Sendable, CaseIterable {
    /// The set that the program draws.
    case builtIn = "built-in"
    /// CIFAR-10's binary files.
    case cifar = "CIFAR-10 binary"
    /// A folder of images for each class.
    case imageFolder = "image folder"
    /// Images that a program brings.
    case memory = "images in memory"
  }

  /// Which parts to load.
  public struct Parts: OptionSet, Hashable, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// The training part, and the validation part where there is one.
    public static let training = Parts(rawValue: 1)
    /// The test part, where there is one.
    public static let test = Parts(rawValue: 2)
    /// Everything that the data have.
    public static let all: Parts = [.training, .test]
  }

  /// What reports call the set.
  public let name: String
  /// What kind of data it was loaded from.
  public let source: Source
  /// The name of each class, by label.
  public let classNames: [String]
  /// Empty where it was not asked for.
  public let training: ImageSet
  /// A validation part that the data bring along; others are split off `training`.
  public let validation: ImageSet?
  /// `nil` where it was not asked for, or is not there.
  public let test: ImageSet?
  /// What a user should know about the images, a line each.
  public let remarks: [String]

  /// A set whose images are in memory already.
  ///
  /// - Precondition: every label is the index of a class name.
  public init(
    name: String, source: Source = .memory, classNames: [String], training: ImageSet,
    validation: ImageSet? = nil, test: ImageSet? = nil, remarks: [String] = []
  ) {
    for set in [training, validation, test].compactMap(\.self) {
      let stray = set.labels.first { !classNames.indices.contains(Int($0)) }
      precondition(stray == nil, "label \(stray ?? 0) for \(classNames.count) classes")
    }
    self.name = name
    self.source = source
    self.classNames = classNames
    self.training = training
    self.validation = validation
    self.test = test
    self.remarks = remarks
  }
}

extension Dataset {
  /// The seed of the built-in set unless another is given.
  public static let builtInSeed: UInt64 = 1

  /// Loads images into memory and recognises by content what they are.
  ///
  /// A location is a folder, a `.tar` or a `.tar.gz` (by content, not by name) with CIFAR-10's
  /// binary files or with folders of images. Images of other sizes are resized with antialiasing,
  /// without regard to their proportions, and a remark says how many.
  ///
  /// - Parameters:
  ///   - location: The path; `nil` for the built-in set.
  ///   - seed: What the built-in set is drawn from; no other data depend on it.
  ///   - parts: What to load. What is not loaded is listed and checked, but not decoded.
  ///   - side: The extents of the images in pixels. The built-in set has 32 and is resized, too.
  /// - Throws: ``DatasetError`` for data that cannot be used whole. No image is skipped silently.
  /// - Precondition: `1 ≤ side ≤ 4,096`.
  /// - Complexity: Linear in the bytes of the files; on all cores.
  public static func open(
    _ location: String?, seed: UInt64 = builtInSeed, parts: Parts = .all, side: Int = 32
  ) throws(DatasetError) -> Dataset {
    try open(location, seed: seed, parts: parts, side: side, recordsPerFile: 10_000)
  }

  /// As above, for CIFAR-10's files with another number of records.
  package static func open(
    _ location: String?, seed: UInt64 = builtInSeed, parts: Parts = .all, side: Int = 32,
    recordsPerFile: Int
  ) throws(DatasetError) -> Dataset {
    precondition((1...4096).contains(side), "images cannot have \(side)×\(side) pixels")
    guard let location else { return try builtIn(seed: seed, parts: parts, side: side) }
    let tree = try FileTree(location)
    if let files = try CIFARFiles(tree, recordsPerFile: recordsPerFile) {
      return try load(files, parts: parts, side: side)
    }
    if let folder = try ImageFolder(tree) { return try load(folder, parts: parts, side: side) }
    throw .unrecognized(location)
  }

  private static func builtIn(
    seed: UInt64, parts: Parts, side: Int
  ) throws(DatasetError) -> Dataset {
    func draw(_ split: TenThings.Split, count: Int) throws(DatasetError) -> ImageSet {
      let set = ImageSet(
        height: TenThings.side, width: TenThings.side,
        pixels: TenThings.images(seed: seed, split: split, count: count),
        labels: (0..<count).map { Int32(TenThings.label(of: $0)) })
      guard side != TenThings.side else { return set }
      return try ImageAssembly.assemble(
        labels: set.labels, side: side, location: "built-in set"
      ) { (index, _) throws(DatasetError) in set.image(at: index) }.set
    }
    return Dataset(
      name: "Ten Things (built-in, seed \(seed))", source: .builtIn,
      classNames: TenThings.classNames,
      training: try parts.contains(.training)
        ? draw(.training, count: TenThings.trainingCount) : .empty(side: side),
      test: try parts.contains(.test) ? draw(.test, count: TenThings.testCount) : nil)
  }

  private static func load(
    _ files: CIFARFiles, parts: Parts, side: Int
  ) throws(DatasetError) -> Dataset {
    var tally = Tally(side: side)
    return Dataset(
      name: "CIFAR-10 (\(lastComponent(of: files.tree.location)))", source: .cifar,
      classNames: files.classNames,
      training: try parts.contains(.training)
        ? tally.add(files.load(CIFARFiles.trainingNames, side: side)) : .empty(side: side),
      test: try parts.contains(.test)
        ? tally.add(files.load(CIFARFiles.testNames, side: side)) : nil,
      remarks: tally.remarks)
  }

  private static func load(
    _ folder: ImageFolder, parts: Parts, side: Int
  ) throws(DatasetError) -> Dataset {
    let location = folder.tree.location
    let hasTest = folder.listings[.test] != nil
    let validationPart: ImageFolder.Part? = hasTest ? .val : nil
    let testPart: ImageFolder.Part = hasTest ? .test : .val
    if parts.contains(.training) && folder.listings[.train] == nil {
      throw .noTrainingImages(location)
    }
    let lacksTest = folder.listings[testPart] == nil
    if parts == .test && lacksTest { throw .noTestImages(location) }

    var tally = Tally(side: side)
    func load(_ part: ImageFolder.Part?, if wanted: Bool) throws(DatasetError) -> ImageSet? {
      guard wanted, let part, let loaded = try folder.load(part, side: side) else { return nil }
      return tally.add(loaded)
    }
    let training = try load(.train, if: parts.contains(.training))
    let validation = try load(validationPart, if: parts.contains(.training))
    let test = try load(testPart, if: parts.contains(.test))
    var remarks = tally.remarks
    if let first = folder.firstIgnored {
      let count = folder.ignoredCount
      remarks.append(
        "\(grouped(count)) \(count == 1 ? "file is no image by its" : "files are no images by their")"
          + " name and left out, such as \(first)".onOneLine)
    }
    if !hasTest && !lacksTest { remarks.append("val/ is the test part, as there is no test/") }
    if folder.tree.leftOutCount > 0 {
      remarks.append(
        "\(grouped(folder.tree.leftOutCount)) links or folders at more than "
          + "\(FileTree.maximumDepth) levels were left out")
    }
    if lacksTest { remarks.append("there is no test part (test/ or val/)") }
    return Dataset(
      name: lastComponent(of: location), source: .imageFolder, classNames: folder.classNames,
      training: training ?? .empty(side: side), validation: validation, test: test,
      remarks: remarks)
  }

  private static func lastComponent(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  /// Counts the images that had another size.
  private struct Tally {
    let side: Int
    private var count = 0
    private var resized = 0

    init(side: Int) { self.side = side }

    mutating func add(_ loaded: (set: ImageSet, resized: Int)) -> ImageSet {
      count += loaded.set.count
      resized += loaded.resized
      return loaded.set
    }

    var remarks: [String] {
      guard resized > 0 else { return [] }
      let verb = resized == 1 ? "was" : "were"
      return [
        "\(grouped(resized)) of \(grouped(count)) images \(verb) resized to \(side)×\(side)"
      ]
    }
  }

  /// A number with commas between groups of three digits.
  private static func grouped(_ number: Int) -> String {
    var digits = String(number)
    var end = digits.index(digits.endIndex, offsetBy: -3, limitedBy: digits.startIndex)
    while let place = end, place > digits.startIndex {
      digits.insert(",", at: place)
      end = digits.index(place, offsetBy: -3, limitedBy: digits.startIndex)
    }
    return digits
  }
}
