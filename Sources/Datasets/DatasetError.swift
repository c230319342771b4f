import ResidualImages

/// Why data cannot be used. Found when a data set is opened, before anything is trained.
public enum DatasetError: Refusal, Hashable {
  /// There is neither file nor folder of this name.
  case missing(String)
  /// The system does not let a file or folder be read; `reason` names it and says why.
  case unreadable(reason: String)
  /// A folder or archive without any file.
  case empty(String)
  /// Neither CIFAR-10's files nor folders of images.
  case unrecognized(String)
  /// A ZIP archive, which is not read.
  case zip(String)
  /// A part whose folder has another name here: `Train`, `valid`.
  case misnamedPart(String, found: String, name: String)
  /// CIFAR-10 as pickled for Python.
  case pythonFiles(String, example: String)
  /// Several folders could be meant.
  case ambiguous(String, folders: [String])
  /// An archive that is damaged; `reason` names it.
  case damagedArchive(reason: String)

  /// One of CIFAR-10's files is not there.
  case missingFile(String, name: String)
  /// One of CIFAR-10's files is truncated, or something is appended.
  case wrongSize(file: String, expected: Int, found: Int)
  /// A label that is no class.
  case label(file: String, record: Int, offset: Int, value: Int, classes: Int)
  /// `batches.meta.txt` does not name every class.
  case classNames(file: String, expected: Int, found: Int)

  /// A part that is needed and not there.
  case noPart(Dataset.Part, location: String)
  /// A part without class folders.
  case noClasses(folder: String)
  /// Fewer than two classes cannot be told apart.
  case oneClass(folder: String, name: String)
  /// A class folder without images; `found` says what it holds.
  case emptyClass(folder: String, found: String)
  /// A folder without any image; `found` says what it holds.
  case noImages(folder: String, found: String)
  /// Two parts have different class folders: those only in the training part, only in the other.
  case differentClasses(folder: String, missing: [String], surplus: [String])

  /// A validation set that is empty, or leaves nothing to train on.
  case validationCount(Int, available: Int)

  public var kind: RefusalKind { .input }
  public var description: String { text.onOneLine }

  private var text: String {
    switch self {
    case .missing(let location):
      "\(location): there is no such file or folder; check the path"
    case .unreadable(let reason), .damagedArchive(let reason):
      reason
    case .empty(let location):
      "\(location): there is no file in it; name a folder or archive with images"
    case .unrecognized(let location):
      "\(location): neither CIFAR-10's binary files (data_batch_1.bin, …) nor folders "
        + "train/<class>/ and test/<class>/ of images; arrange it as one of these"
    case .zip(let file):
      "\(file): a ZIP archive is not read; unpack it (unzip) and name the folder"
    case .misnamedPart(let location, let found, let name):
      "\(location): found \(found)/; rename it to \(name)/"
    case .pythonFiles(let location, let example):
      "\(location): \(example) is CIFAR-10's version for Python; fetch the binary version "
        + "(cifar-10-binary.tar.gz)"
    case .ambiguous(let location, let folders):
      "\(location): several folders hold data (\(Self.list(folders))); name one of them"
    case .missingFile(let location, let name):
      "\(location): CIFAR-10's \(name) is missing; fetch cifar-10-binary.tar.gz again"
    case .wrongSize(let file, let expected, let found):
      "\(file): expected \(expected) bytes, found \(found); fetch the file again"
    case .label(let file, let record, let offset, let value, let classes):
      "\(file): record \(record), byte \(offset): label \(value) is not one of 0 to \(classes - 1);"
        + " fetch the file again"
    case .classNames(let file, let expected, let found):
      "\(file): expected \(expected) class names, found \(found); fetch the file again"
    case .noPart(.training, let location):
      "\(location): there is no folder train/; add one with a folder of images for each class"
    case .noPart(.test, let location):
      "\(location): there is neither test/ nor val/; add one with a folder of images for each class"
    case .noPart(.validation, let location):
      "\(location): there are no validation images; choose another part"
    case .noClasses(let folder):
      "\(folder): there are no class folders in it; put the images of each class into a folder"
    case .oneClass(let folder, let name):
      "\(folder): the only class is \(name); at least two are needed"
    case .emptyClass(let folder, let found):
      "\(folder): there is no JPEG or PNG file in this class folder\(Self.instead(found)); "
        + "add some, or remove the folder from every part"
    case .noImages(let folder, let found):
      "\(folder): there is no JPEG or PNG file in it\(Self.instead(found)); name another folder"
    case .differentClasses(let folder, let missing, let surplus):
      "\(folder): its classes differ from those in train/ ("
        + [("missing", missing), ("not in train/", surplus)].filter { !$0.1.isEmpty }
        .map { "\($0.0): \(Self.list($0.1))" }.joined(separator: "; ")
        + "); \(Self.remedy(missing, surplus))"
    case .validationCount(let count, let available):
      "a validation set of \(count) images cannot be taken from \(available); "
        + "choose 1 to \(max(available - 1, 1))"
    }
  }

  private static func instead(_ found: String) -> String {
    found.isEmpty ? "" : ", but \(found)"
  }

  /// Folders whose names are nearly the same are meant to be.
  private static func remedy(_ missing: [String], _ surplus: [String]) -> String {
    let names = surplus.compactMap { found in
      Suggestion.nearest(to: found, among: missing).map { "\(found) to \($0)" }
    }
    return names.isEmpty
      ? "add or remove folders until both have the same" : "rename " + list(names)
  }

  /// A list that stays on one line: five names and how many more there are.
  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(5).joined(separator: ", ")
    return names.count > 5 ? shown + " and \(names.count - 5) more" : shown
  }
}
