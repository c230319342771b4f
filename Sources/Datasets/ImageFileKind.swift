/// What a file among images is by the ending of its name, without regard to case.
enum ImageFileKind: Hashable {
  /// JPEG or PNG; the first bytes decide which.
  case read
  /// An image of a kind that is not read.
  case unread(String)
  case noImage

  private static let kinds: [String: ImageFileKind] = [
    "jpg": .read, "jpeg": .read, "png": .read,
    "webp": .unread("WebP"), "tif": .unread("TIFF"), "tiff": .unread("TIFF"),
    "gif": .unread("GIF"), "bmp": .unread("BMP"), "heic": .unread("HEIC"),
    "heif": .unread("HEIC"), "avif": .unread("AVIF"), "jxl": .unread("JPEG XL"),
    "jp2": .unread("JPEG 2000"), "ppm": .unread("PPM"), "pgm": .unread("PPM"),
    "svg": .unread("SVG"), "psd": .unread("PSD"), "dng": .unread("raw"), "cr2": .unread("raw"),
    "nef": .unread("raw"), "arw": .unread("raw"),
  ]

  init(name: String) {
    let ending = name.utf8.lastIndex(of: UInt8(ascii: ".")).map { name[name.index(after: $0)...] }
    self = ending.flatMap { Self.kinds[$0.lowercased()] } ?? .noImage
  }
}

/// Files among images that are left out, counted by kind.
struct LeftOutFiles {
  private var counts: [String: Int] = [:]
  private var others = 0
  private var example = ""

  /// Whether the file is an image that is read. One that is not is counted.
  mutating func admits(_ file: FileTree.File) -> Bool {
    switch ImageFileKind(name: file.name) {
    case .read: return true
    case .unread(let kind): counts[kind, default: 0] += 1
    case .noImage: addOther(file)
    }
    return false
  }

  /// Counts a file that is no image, or that is where none belongs.
  mutating func addOther(_ file: FileTree.File) {
    if others == 0 { example = FileTree.join(file.folder, file.name) }
    others += 1
  }

  /// `12 WebP, 3 GIF (not read; convert them to JPEG or PNG), 1 other file, such as a.txt`; `nil`
  /// where there are none.
  var text: String? {
    let kinds = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    let images = kinds.map { "\($0.value.grouped) \($0.key)" }.joined(separator: ", ")
    let parts = [
      kinds.isEmpty ? nil : "\(images) (not read; convert them to JPEG or PNG)",
      others == 0
        ? nil : "\(others.counted("other file")), such as \(example)",
    ].compactMap(\.self)
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }
}

/// The image files that paths mean: a file stands for itself, a folder for all images below it, in the
/// order of their folders and names. Hidden files are left out.
package struct ImageFiles {
  package private(set) var paths: [String] = []
  /// What a user should know of other files in folders, a line each.
  package private(set) var remarks: [String] = []

  /// - Throws: ``DatasetError`` if a folder has no images, or cannot be read.
  package init(at paths: [String]) throws(DatasetError) {
    for path in paths {
      guard FileTree.isFolder(path) else {
        self.paths.append(path)
        continue
      }
      let tree = try FileTree(path)
      var leftOut = LeftOutFiles()
      let images = tree.files.filter { leftOut.admits($0) }
      guard !images.isEmpty else { throw .noImages(folder: path, found: leftOut.text ?? "") }
      self.paths += images.map(tree.name(of:))
      if let text = leftOut.text { remarks.append("\(path): left out: \(text)".onOneLine) }
    }
  }
}
