import ResidualImages

/// Folders of images: `train/<class>/*`, and `test/<class>/*` or `val/<class>/*`, directly or in
/// one leading folder.
///
/// Where both exist, `val` validates and `test` tests; `val` alone is the test part. A class is a
/// folder; classes are numbered in the order of their names' bytes, images are ordered by class,
/// then by path. Images in folders within a class belong to the class.
struct ImageFolder {
  /// The endings, without regard to case, of files that count as images. Their first bytes decide
  /// how they are decoded, so a file of another format is an error that names it.
  static let extensions: Set<String> = [
    "jpg", "jpeg", "png", "ppm", "bmp", "pgm", "tif", "tiff", "webp",
  ]
  static let extensionList = extensions.sorted().map { "." + $0 }.joined(separator: " ")

  enum Part: String, CaseIterable { case train, val, test }

  /// One part: its files in order and their labels.
  struct Listing {
    let files: [FileTree.File]
    let labels: [Int32]
  }

  let tree: FileTree
  let classNames: [String]
  private(set) var listings: [Part: Listing] = [:]
  /// Files in the parts that do not count as images, the first of them for a remark.
  private(set) var ignoredCount = 0
  private(set) var firstIgnored: String?

  /// Recognises the folders; `nil` where they are none of this kind.
  ///
  /// Classes and their files are checked in every part, whichever will be loaded.
  init?(_ tree: FileTree) throws(DatasetError) {
    self.tree = tree
    guard let root = try Self.root(of: tree) else { return nil }
    let parts = Part.allCases.filter { tree.folders.contains(FileTree.join(root, $0.rawValue)) }
    var names: [String]?
    for part in parts {
      let folder = FileTree.join(root, part.rawValue)
      let classes = try Self.classes(in: folder, of: tree)
      if let names, names != classes {
        throw .differentClasses(
          folder: tree.name(of: folder), missing: names.filter { !classes.contains($0) },
          surplus: classes.filter { !names.contains($0) })
      }
      names = classes
    }
    classNames = names ?? []
    for part in parts { try list(part, in: FileTree.join(root, part.rawValue)) }
  }

  /// The leading folder that holds the parts, `""` where there is none.
  private static func root(of tree: FileTree) throws(DatasetError) -> String? {
    var leading: Set<String> = []
    for folder in tree.folders {
      let parts = folder.split(separator: "/")
      guard let last = parts.last, parts.count <= 2, Part(rawValue: String(last)) != nil else {
        continue
      }
      leading.insert(parts.count == 2 ? String(parts[0]) : "")
    }
    if leading.contains("") { return "" }
    guard leading.count <= 1 else {
      throw .ambiguous(tree.location, folders: leading.sorted { $0.precedes($1) })
    }
    return leading.first
  }

  private static func classes(in folder: String, of tree: FileTree) throws(DatasetError) -> [String]
  {
    let prefix = folder + "/"
    let names = tree.folders.filter { $0.hasPrefix(prefix) }.map { $0.dropFirst(prefix.count) }
      .filter { !$0.contains("/") }.map(String.init).sorted { $0.precedes($1) }
    guard let first = names.first else { throw .noClasses(folder: tree.name(of: folder)) }
    guard names.count > 1 else { throw .oneClass(folder: tree.name(of: folder), name: first) }
    return names
  }

  /// Collects the files of one part by class.
  private mutating func list(_ part: Part, in folder: String) throws(DatasetError) {
    let prefix = folder + "/"
    let numbers = Dictionary(uniqueKeysWithValues: zip(classNames, classNames.indices))
    var files = [[FileTree.File]](repeating: [], count: classNames.count)
    // Files come by folder, so a folder's class is looked up once.
    var current: (folder: String, number: Int?)?
    for file in tree.files {
      if current?.folder != file.folder {
        let name =
          file.folder.hasPrefix(prefix)
          ? file.folder.dropFirst(prefix.count).prefix { $0 != "/" } : ""
        current = (file.folder, numbers[String(name)])
      }
      if let number = current?.number, Self.isImage(file.name) {
        files[number].append(file)
      } else if current?.number != nil || file.folder == folder {
        ignoredCount += 1
        firstIgnored = firstIgnored ?? FileTree.join(file.folder, file.name)
      }
    }
    for (name, files) in zip(classNames, files) where files.isEmpty {
      throw .emptyClass(folder: tree.name(of: prefix + name))
    }
    let labels = files.enumerated().flatMap { number, files in
      [Int32](repeating: Int32(number), count: files.count)
    }
    listings[part] = Listing(files: files.flatMap { $0 }, labels: labels)
  }

  private static func isImage(_ name: String) -> Bool {
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
    return extensions.contains(name[name.index(after: dot)...].lowercased())
  }

  /// Decodes one part.
  func load(_ part: Part, side: Int) throws(DatasetError) -> (set: ImageSet, resized: Int)? {
    guard let listing = listings[part] else { return nil }
    return try ImageAssembly.assemble(
      labels: listing.labels, side: side, location: tree.location
    ) { [tree] (index, decoder) throws(DatasetError) in
      let file = listing.files[index]
      return try tree.withBytes(of: file) { (bytes) throws(DatasetError) in
        do throws(ImageError) {
          return try decoder.decode(bytes, file: tree.name(of: file))
        } catch {
          throw .image(error)
        }
      }
    }
  }
}
