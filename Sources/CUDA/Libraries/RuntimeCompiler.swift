import ResidualExecution

/// NVRTC, which compiles kernels for the GPU at hand.
///
/// Source: NVIDIA, NVRTC, version 12.
struct RuntimeCompiler: @unchecked Sendable {
  /// Major and minor version.
  let version: (Int, Int)
  private let createProgram:
    @convention(c) (
      UnsafeMutablePointer<Handle?>, UnsafePointer<CChar>, UnsafePointer<CChar>?, Int32,
      UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<UnsafePointer<CChar>?>?
    ) -> Int32
  private let compileProgram:
    @convention(c) (Handle?, Int32, UnsafeMutablePointer<UnsafePointer<CChar>?>?) -> Int32
  private let getCodeSize: @convention(c) (Handle?, UnsafeMutablePointer<Int>) -> Int32
  private let getCode: @convention(c) (Handle?, UnsafeMutablePointer<CChar>) -> Int32
  private let getLogSize: @convention(c) (Handle?, UnsafeMutablePointer<Int>) -> Int32
  private let getLog: @convention(c) (Handle?, UnsafeMutablePointer<CChar>) -> Int32
  private let destroyProgram: @convention(c) (UnsafeMutablePointer<Handle?>) -> Int32

  /// - Throws: ``DeviceUnavailable``.
  init(folders: [String]) throws(DeviceUnavailable) {
    let library = try DynamicLibrary(
      ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"], purpose: "CUDA's run-time compiler",
      folders: folders)
    createProgram = try library.function("nvrtcCreateProgram")
    compileProgram = try library.function("nvrtcCompileProgram")
    getCodeSize = try library.function("nvrtcGetCUBINSize")
    getCode = try library.function("nvrtcGetCUBIN")
    getLogSize = try library.function("nvrtcGetProgramLogSize")
    getLog = try library.function("nvrtcGetProgramLog")
    destroyProgram = try library.function("nvrtcDestroyProgram")
    let getVersion:
      @convention(c) (UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>) -> Int32 =
        try library.function("nvrtcVersion")
    var (major, minor): (Int32, Int32) = (0, 0)
    _ = getVersion(&major, &minor)
    version = (Int(major), Int(minor))
  }

  /// Machine code of a program.
  ///
  /// - Parameter options: NVRTC's, such as `--gpu-architecture=sm_90`.
  /// - Throws: ``DeviceUnavailable`` if the compiler does not know the GPU, or the program is
  ///   wrong.
  func compile(_ source: String, name: String, options: [String]) throws(DeviceUnavailable)
    -> [CChar]
  {
    var program: Handle?
    defer { _ = destroyProgram(&program) }
    guard createProgram(&program, source, name, 0, nil, nil) == 0 else {
      throw DeviceUnavailable("NVRTC takes no program")
    }
    let status = withCStrings(options) { options in
      compileProgram(program, Int32(options.count), options.baseAddress)
    }
    guard status == 0 else {
      var count = 0
      _ = getLogSize(program, &count)
      var log = [CChar](repeating: 0, count: max(1, count))
      _ = getLog(program, &log)
      let lines = log.withUnsafeBufferPointer {
        $0.baseAddress.map { String(cString: $0) } ?? ""
      }
      throw DeviceUnavailable(
        "NVRTC \(version.0).\(version.1) cannot compile \(name) "
          + "(\(options.joined(separator: " "))): \(lines.prefix(600))")
    }
    var count = 0
    _ = getCodeSize(program, &count)
    guard count > 0 else { throw DeviceUnavailable("NVRTC has made no code of \(name)") }
    var code = [CChar](repeating: 0, count: count)
    _ = getCode(program, &code)
    return code
  }
}

/// Calls a body with C strings that live as long as the call.
private func withCStrings<Result>(
  _ strings: [String],
  _ body: (UnsafeMutableBufferPointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
  let copies = strings.map { Array($0.utf8CString) }
  let joined = Array(copies.joined())
  return joined.withUnsafeBufferPointer { characters in
    var pointers: [UnsafePointer<CChar>?] = []
    var offset = 0
    for copy in copies {
      pointers.append(characters.baseAddress.map { $0 + offset })
      offset += copy.count
    }
    return pointers.withUnsafeMutableBufferPointer { body($0) }
  }
}
