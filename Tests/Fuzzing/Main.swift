// fuzz-formats FORMAT [libFuzzer's arguments]: see scripts/fuzz.
// fuzz-formats FORMAT --start FOLDER: writes FOLDER/corpus with the seeds, and FOLDER/words.
//
// libFuzzer has the entry point and calls the two functions below.

#if Fuzzing
  import Foundation
  import ResidualFuzzSupport

  private let target: FuzzTarget = {
    guard CommandLine.argc > 1, let target = FuzzTarget(rawValue: CommandLine.arguments[1]) else {
      let formats = FuzzTarget.allCases.map(\.rawValue).joined(separator: "|")
      FileHandle.standardError.write(Data("usage: fuzz-formats \(formats) …\n".utf8))
      exit(64)
    }
    return target
  }()

  @_cdecl("LLVMFuzzerInitialize")
  func initialize(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
  ) -> CInt {
    _ = target
    if CommandLine.argc == 4, CommandLine.arguments[2] == "--start" {
      do {
        try start(in: URL(filePath: CommandLine.arguments[3]))
        exit(0)
      } catch {
        fatalError("\(error)")
      }
    }
    // What follows the format is libFuzzer's.
    count.pointee -= 1
    for index in 1..<max(1, Int(count.pointee)) {
      arguments.pointee[index] = arguments.pointee[index + 1]
    }
    return 0
  }

  @_cdecl("LLVMFuzzerTestOneInput")
  func test(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: bytes, count: count)
    if let message = target.refusal(of: bytes), let flaw = target.flaw(of: message) {
      fatalError("\(flaw): \(message)")
    }
    return 0
  }

  private func start(in folder: URL) throws {
    let corpus = folder.appending(path: "corpus")
    try FileManager.default.createDirectory(at: corpus, withIntermediateDirectories: true)
    for (index, seed) in try target.seeds().enumerated() {
      try Data(seed).write(to: corpus.appending(path: "seed-\(index)"))
    }
    // libFuzzer's form of a dictionary: a word in quotes a line, bytes in hexadecimal.
    let lines = target.words.map { word in
      let bytes = word.map { byte in
        let digits = String(byte, radix: 16)
        return "\\x" + (digits.count < 2 ? "0" : "") + digits
      }
      return "\"\(bytes.joined())\"\n"
    }
    try Data(lines.joined().utf8).write(to: folder.appending(path: "words"))
  }
#else
  @main
  struct Main {
    static func main() {
      print("this build has no fuzzer; run scripts/fuzz")
    }
  }
#endif
