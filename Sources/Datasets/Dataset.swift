import ResidualImages

/// Labelled images in up to three parts, and what a report says about them.
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

  /// What the images of a part are for.
  public enum Part: String, Hashable, Sendable, CaseIterable {
    /// To learn from.
    case training
    /// To choose settings and the best weights by. Where the data bring none, some of the training
    /// part can be set aside.
    case validation
    /// To measure on.
    case test
  }

  /// What reports call the set.
  public let name: String
  /// What errors call it: its path, where it has one.
  public let location: String
  /// What kind of data it is.
  public let source: Source
  /// The name of each class, by label.
  public let classNames: [String]
  /// The parts that there are and were asked for. Nothing of them is decoded yet.
  public let parts: [Part: any SampleSource]
  /// What a user should know about the images, a line each.
  public let remarks: [String]

  /// A set of samples from anywhere, such as an ``ImageSet``.
  public init(
    name: String, location: String? = nil, source: Source = .memory, classNames: [String],
    parts: [Part: any SampleSource], remarks: [String] = []
  ) {
    self.name = name
    self.location = location ?? name
    self.source = source
    self.classNames = classNames
    self.parts = parts
    self.remarks = remarks
  }

  /// A set whose images are in memory already.
  public init(
    name: String, source: Source = .memory, classNames: [String], training: any SampleSource,
    validation: (any SampleSource)? = nil, test: (any SampleSource)? = nil
  ) {
    var parts: [Part: any SampleSource] = [.training: training]
    (parts[.validation], parts[.test]) = (validation, test)
    self.init(name: name, source: source, classNames: classNames, parts: parts)
  }

  /// The samples of a part.
  ///
  /// - Throws: ``DatasetError/noPart(_:location:)``.
  public func samples(of part: Part) throws(DatasetError) -> any SampleSource {
    guard let samples = parts[part] else { throw .noPart(part, location: location) }
    return samples
  }
}

// MARK: Opening

extension Dataset {
  /// The seed of the built-in set unless another is given.
  public static let builtInSeed: UInt64 = 1
  /// The records in a file of CIFAR-10's.
  package static let recordsPerFile = 10_000

  /// Every kind of data in files, in the order in which they are asked.
  private static func recognizers(recordsPerFile: Int) -> [any SourceRecognizer] {
    [CIFARFiles(recordsPerFile: recordsPerFile), ImageFolders()]
  }

  /// Lists images and recognises by content what they are.
  ///
  /// A location is a folder, a `.tar` or a `.tar.gz` (by content, not by name) with CIFAR-10's
  /// binary files or with folders of images.
  ///
  /// - Parameters:
  ///   - location: The path; `nil` for the built-in set.
  ///   - seed: What the built-in set is drawn from; no other data depend on it.
  ///   - parts: What is wanted. What the data lack of it is left out, with a remark.
  ///   - recordsPerFile: of CIFAR-10's files.
  /// - Throws: ``DatasetError``.
  /// - Complexity: Linear in the number of files, or in the bytes of an archive.
  public init(
    at location: String?, seed: UInt64 = builtInSeed, parts: Set<Part> = Set(Part.allCases)
  ) throws(DatasetError) {
    try self.init(at: location, seed: seed, parts: parts, recordsPerFile: Self.recordsPerFile)
  }

  /// As above, for CIFAR-10's files with another number of records.
  package init(
    at location: String?, seed: UInt64 = builtInSeed, parts: Set<Part> = Set(Part.allCases),
    recordsPerFile: Int
  ) throws(DatasetError) {
    guard let location else {
      self = TenThings.dataset(seed: seed, parts: parts)
      return
    }
    let tree = try FileTree(location)
    for recognizer in Self.recognizers(recordsPerFile: recordsPerFile) {
      if let dataset = try recognizer.dataset(tree, parts: parts) {
        self = dataset
        return
      }
    }
    if let zip = tree.files.first(where: { $0.name.lowercased().hasSuffix(".zip") }) {
      throw .zip(tree.name(of: zip))
    }
    throw .unrecognized(location)
  }
}

/// A kind of data in files.
protocol SourceRecognizer {
  /// The set that a tree of files holds; `nil` if it is of another kind.
  ///
  /// - Parameter parts: what is wanted.
  /// - Throws: ``DatasetError`` if it is of this kind, and cannot be used.
  func dataset(_ tree: FileTree, parts: Set<Dataset.Part>) throws(DatasetError) -> Dataset?
}
