import ResidualImages

/// Folders of images: `train/<class>/*`, and `test/<class>/*` or `val/<class>/*`, directly or in
/// one leading folder.
///
/// Where both exist, `val` validates and `test` tests; `val` alone is the test part. A class is a
/// folder; classes are numbered in the order of their names' bytes, images are ordered by class,
/// then by path. Images in folders within a class belong to the class.
struct ImageFolder {
  enum Part: String, CaseIterable { case train, val, test }

  /// One part: its files in order and their labels.
  struct Listing {
    let files: [FileTree.File]
    let labels: [Int32]
  }

  let tree: FileTree
  let classNames: [String]
  private(set) var listings: [Part: Listing] = [:]
  /// Files in the parts that are no images, or none that are read.
  private(set) var leftOut = LeftOutFiles()

  /// Recognises the folders; `nil` if they are none of this kind.
  ///
  /// Classes and their files are checked in every part, whichever will be loaded.
  init?(_ tree: FileTree) throws(DatasetError) {
    self.tree = tree
    let root = try Self.root(of: tree)
    try Self.checkNames(in: tree, root: root)
    guard let root else { return nil }
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
    if let names, names.count == 1, let part = parts.first {
      throw .oneClass(folder: tree.name(of: FileTree.join(root, part.rawValue)), name: names[0])
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

  /// What people call the parts, too.
  private static let otherNames: [String: Part] = [
    "training": .train, "valid": .val, "validation": .val, "testing": .test,
  ]

  /// Refuses parts under another name, which would be passed over.
  private static func checkNames(in tree: FileTree, root: String?) throws(DatasetError) {
    for folder in tree.folders.sorted(by: { $0.precedes($1) }) {
      let parts = folder.split(separator: "/")
      guard parts.count <= 2, let last = parts.last else { continue }
      let parent = parts.count == 2 ? String(parts[0]) : ""
      let word = last.lowercased()
      guard root == nil || root == parent, let part = Part(rawValue: word) ?? otherNames[word]
      else { continue }
      let name = FileTree.join(parent, part.rawValue)
      guard !tree.folders.contains(name) else { continue }
      throw .misnamedPart(tree.location, found: folder, name: name)
    }
  }

  private static func classes(in folder: String, of tree: FileTree) throws(DatasetError) -> [String]
  {
    let prefix = folder + "/"
    let names = tree.folders.filter { $0.hasPrefix(prefix) }.map { $0.dropFirst(prefix.count) }
      .filter { !$0.contains("/") }.map(String.init).sorted { $0.precedes($1) }
    guard !names.isEmpty else { throw .noClasses(folder: tree.name(of: folder)) }
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
      if let number = current?.number {
        if leftOut.admits(file) { files[number].append(file) }
      } else if file.folder == folder {
        leftOut.addOther(file)
      }
    }
    for (name, files) in zip(classNames, files) where files.isEmpty {
      var found = LeftOutFiles()
      for file in tree.files where (file.folder + "/").hasPrefix(prefix + name + "/") {
        _ = found.admits(file)
      }
      throw .emptyClass(folder: tree.name(of: prefix + name), found: found.text ?? "")
    }
    let labels = files.enumerated().flatMap { number, files in
      [Int32](repeating: Int32(number), count: files.count)
    }
    listings[part] = Listing(files: files.flatMap { $0 }, labels: labels)
  }
}

/// Recognises folders of images.
struct ImageFolders: SourceRecognizer {
  func dataset(_ tree: FileTree, parts: Set<Dataset.Part>) throws(DatasetError) -> Dataset? {
    guard let folder = try ImageFolder(tree) else { return nil }
    let hasTest = folder.listings[.test] != nil
    let places: [Dataset.Part: ImageFolder.Part?] = [
      .training: .train, .validation: hasTest ? .val : nil, .test: hasTest ? .test : .val,
    ]
    var sources: [Dataset.Part: any SampleSource] = [:]
    for (part, place) in places where parts.contains(part) {
      sources[part] = place.flatMap { folder.listings[$0] }.map {
        FolderSamples(tree: tree, listing: $0)
      }
    }
    let lacksTest = !hasTest && folder.listings[.val] == nil
    var remarks: [String] = []
    if let text = folder.leftOut.text { remarks.append("left out: \(text)".onOneLine) }
    if !hasTest && !lacksTest { remarks.append("val/ is the test part, because there is no test/") }
    if tree.leftOutCount > 0 {
      remarks.append(
        "\(tree.leftOutCount) links or folders at more than \(FileTree.maximumDepth) levels were "
          + "left out")
    }
    if lacksTest { remarks.append("there is no test part (test/ or val/)") }
    return Dataset(
      name: tree.lastComponent, location: tree.location, source: .imageFolder,
      classNames: folder.classNames, parts: sources, remarks: remarks)
  }
}

/// The images of one part.
private struct FolderSamples: SampleSource {
  let tree: FileTree
  let listing: ImageFolder.Listing

  var count: Int { listing.files.count }
  var location: String { tree.location }
  var labels: [Int32] { listing.labels }
  func label(_ index: Int) -> Int32 { listing.labels[index] }
  func name(_ index: Int) -> String { tree.name(of: listing.files[index]) }
  func withSample<Result>(_ index: Int, _ body: (EncodedSample) throws -> Result) throws -> Result {
    try tree.bytes(of: listing.files[index]).withUnsafeBytes { try body(.file($0)) }
  }
}
