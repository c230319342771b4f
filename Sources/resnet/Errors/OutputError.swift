import ArgumentParser
import Foundation
import ResidualRuns

/// A place where nothing can be written.
struct OutputError: Refusal {
  let description: String
  var kind: RefusalKind { .output }

  /// Refuses a folder in which nothing can be made, before work is done for it. It may be missing,
  /// in a folder that is not.
  static func checkWritable(folder: String, option: String) throws {
    guard !folder.isEmpty else { throw UsageError("\(option) has no value; name a folder") }
    var path = folder
    while path != ".", path != "/", !FileManager.default.fileExists(atPath: path) {
      path = AtomicFile.folder(of: path)
    }
    // Permissions do not tell all, so try.
    var template = Array((path + "/.residual-XXXXXX").utf8CString)
    // A signal in between would leave the folder.
    var (all, before) = (sigset_t(), sigset_t())
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    guard mkdtemp(&template) != nil else {
      let reason =
        switch errno {
        case ENOTDIR: "this is a file; give a folder"
        case ENOENT: "the system does not allow writing there"
        case let code: String(cString: strerror(code)).lowercased()
        }
      throw OutputError(description: "\(path): \(reason); choose another \(option)")
    }
    rmdir(template)
  }

  /// The same for a file, whose folder must be there.
  static func checkWritable(file: String, option: String) throws {
    guard !file.isEmpty else { throw UsageError("\(option) has no value; name a file") }
    let folder = AtomicFile.folder(of: file)
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: file, isDirectory: &isFolder), isFolder.boolValue {
      throw OutputError(description: "\(file): this is a folder; name a file with \(option)")
    }
    guard FileManager.default.fileExists(atPath: folder) else {
      throw OutputError(description: "\(folder): there is no such folder; create it first")
    }
    try checkWritable(folder: folder, option: option)
  }
}

/// Whether files may be replaced.
struct OverwriteFlag: ParsableArguments {
  @Flag(help: "Replace a file that is there already, but never one that is read.")
  var overwrite = false

  /// Refuses a place for a file before work is done for it.
  ///
  /// - Parameters:
  ///   - option: what names the file.
  ///   - ending: that its name must have; `nil` where that was checked.
  ///   - inputs: the files that are read.
  func check(_ file: String, _ option: String, ending: String? = nil, inputs: [String?] = []) throws
  {
    try OutputError.checkWritable(file: file, option: option)
    if let ending, !file.lowercased().hasSuffix(ending) {
      throw UsageError("\(option) '\(file)' has another ending; name a file that ends in \(ending)")
    }
    let identity = FileIdentity(at: file)
    for case let input? in inputs where identity != nil && FileIdentity(at: input) == identity {
      throw OutputError(
        description: "\(file): this is the file \(input) that is read; name another \(option)")
    }
    var status = stat()
    guard overwrite || lstat(file, &status) != 0 else {
      throw OutputError(
        description:
          "\(file): there is a file of this name; name another \(option), or add --overwrite")
    }
  }
}
