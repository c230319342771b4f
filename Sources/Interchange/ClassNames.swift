/// Where the names of a model's classes come from.
public enum ClassNameSource: String, Hashable, Sendable, CaseIterable {
  /// The file itself names them.
  case own
  /// A list beside the file names them.
  case given
  /// The file has 1,000 classes and no names: they are taken for ImageNet's.
  case imageNet = "imagenet"
  /// Nobody names them: `class 0`, `class 1`, ….
  case numbers

  /// The names of classes that a file does not name, and where they come from.
  static func standing(for count: Int) -> (names: [String], source: ClassNameSource) {
    count == ImageNetClasses.names.count
      ? (ImageNetClasses.names, .imageNet) : ((0..<count).map { "class \($0)" }, .numbers)
  }
}

/// The 1,000 classes of ImageNet's challenge, in the order of the logits that networks have for them:
/// that of WordNet's numbers.
public enum ImageNetClasses {
  private static let lines = String(decoding: PackageResources.ImageNet_txt, as: UTF8.self)
    .split(separator: "\n")
  /// WordNet's numbers, such as `n01440764`.
  public static let wnids = lines.map { String($0.prefix { $0 != " " }) }
  /// The first word that WordNet has for each, such as `tench`; no two are the same.
  public static let names = lines.map { String($0.drop { $0 != " " }.dropFirst()) }

  /// The classes by what folders call them, see ``spelled(_:)``.
  static let indices = Dictionary(
    uniqueKeysWithValues: [wnids, names].flatMap { $0.enumerated().map { (spelled($1), $0) } })

  /// A name as it is looked up: `great_grey_owl` is `great grey owl`.
  static func spelled(_ name: String) -> String { name.replacing("_", with: " ") }
}

extension ModelFile {
  /// The model's class that each class of some data is. Data may have fewer classes than the model, in
  /// any order.
  ///
  /// - Returns: `nil` if one of them is no class of the model, or two are the same.
  package func indices(ofClasses names: [String]) -> [Int]? {
    if names == classNames || classNameSource == .numbers {
      return names.count == classNames.count ? Array(names.indices) : nil
    }
    var known = Dictionary(
      classNames.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    if isForImageNet { known.merge(ImageNetClasses.indices) { own, _ in own } }
    let indices = names.compactMap { known[$0] ?? known[ImageNetClasses.spelled($0)] }
    return indices.count == names.count && Set(indices).count == names.count ? indices : nil
  }

  /// Whether the classes are ImageNet's: a file that names them may add further words behind a comma.
  package var isForImageNet: Bool {
    classNames.count == ImageNetClasses.names.count
      && zip(classNames, ImageNetClasses.names).allSatisfy { own, name in
        own == name || own.prefix { $0 != "," } == name.prefix(while: { $0 != "(" }).trimmedEnd
      }
  }
}

extension Substring {
  fileprivate var trimmedEnd: Substring { last == " " ? dropLast() : self }
}
