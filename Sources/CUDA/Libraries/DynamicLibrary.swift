import ResidualExecution
import ResidualPlatform

/// A library that is opened while the program runs, so that one program serves machines with and
/// without it. It stays open until the process ends.
struct DynamicLibrary: @unchecked Sendable {
  /// What the library was found as: a path, or a name that the system's loader knows.
  let path: String
  private let handle: UnsafeMutableRawPointer

  /// Opens the first of a library's names that is found, in the given folders before others.
  ///
  /// - Parameters:
  ///   - names: file names, the preferred first, such as `libcudnn.so.9`.
  ///   - folders: where to look first.
  /// - Throws: ``DeviceUnavailable`` with the names that were tried and what to install.
  init(_ names: [String], purpose: String, folders: [String]) throws(DeviceUnavailable) {
    for name in names {
      let candidates = folders.map { $0 + "/" + name }.filter { access($0, R_OK) == 0 } + [name]
      for candidate in candidates {
        if let handle = dlopen(candidate, RTLD_NOW | RTLD_GLOBAL) {
          (self.handle, path) = (handle, candidate)
          return
        }
      }
    }
    throw DeviceUnavailable(
      "\(names[0]) (\(purpose)) is not found; install it, or name its folder with "
        + "\(OptionName.cudaLibraries) or RESNET_CUDA_LIBRARIES")
  }

  /// A function of the library.
  ///
  /// - Parameter Function: its C type, with `@convention(c)`.
  /// - Throws: ``DeviceUnavailable`` if the library is too old or too new to have it.
  func function<Function>(_ name: String) throws(DeviceUnavailable) -> Function {
    guard let symbol = dlsym(handle, name) else {
      throw DeviceUnavailable("\(path) has no function \(name); another version is needed")
    }
    return unsafeBitCast(symbol, to: Function.self)
  }
}

/// Where NVIDIA's libraries lie on common machines.
enum LibraryFolders {
  /// The folders to search, in order: what the user names, CUDA's own places, and those of Python's
  /// wheels, of the interpreters on the path and of the user.
  ///
  /// - Parameters:
  ///   - named: folders, separated by colons.
  ///   - environment: of the process.
  static func all(named: String?, environment: [String: String]) -> [String] {
    let own = (named ?? environment["RESNET_CUDA_LIBRARIES"] ?? "").split(separator: ":")
      .map(String.init)
    let cuda =
      ["CUDA_HOME", "CUDA_PATH"].compactMap { environment[$0] }.map { $0 + "/lib64" } + [
        "/usr/local/cuda/lib64", "/usr/local/nvidia/lib64", "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu", "/usr/lib64",
      ]
    var roots = [environment["VIRTUAL_ENV"], environment["CONDA_PREFIX"]].compactMap { $0 }
    for folder in (environment["PATH"] ?? "").split(separator: ":") where folder.hasSuffix("/bin") {
      let root = String(folder.dropLast("/bin".count))
      if !roots.contains(root) { roots.append(root) }
    }
    if let home = environment["HOME"] { roots.append(home + "/.local") }
    let wheels = roots.flatMap { root in
      matches("\(root)/lib/python3*/site-packages/nvidia/*/lib")
        + matches("\(root)/lib/python3*/dist-packages/nvidia/*/lib")
    }
    return own + wheels + cuda
  }

  /// The paths that a shell's pattern stands for.
  private static func matches(_ pattern: String) -> [String] {
    var result = glob_t()
    defer { globfree(&result) }
    guard glob(pattern, 0, nil, &result) == 0, let paths = result.gl_pathv else { return [] }
    return (0..<Int(result.gl_pathc)).compactMap { paths[$0].map { String(cString: $0) } }
  }
}
