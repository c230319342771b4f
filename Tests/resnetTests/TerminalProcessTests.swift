import Foundation
import ResidualPlatform
import Testing

/// What a person sees, on a terminal of our own making.
extension Commands {
  @Suite(.enabled(if: access("/dev/ptmx", R_OK | W_OK) == 0, "there are no pseudo-terminals"))
  struct OnATerminal {
    let place: Workplace
    init() throws { place = try Workplace() }

    /// All that a short training run writes to a terminal.
    func screen(_ environment: [String: String]) throws -> String {
      let controller = open("/dev/ptmx", O_RDWR | O_NOCTTY)
      var (lock, number): (Int32, Int32) = (0, 0)
      let isReady =
        ioctl(controller, UInt(0x4004_5431), &lock) == 0  // TIOCSPTLCK
        && ioctl(controller, UInt(0x8004_5430), &number) == 0  // TIOCGPTN
      try #require(isReady, "no pseudo-terminal: error \(errno)")
      let name = "/dev/pts/\(number)"
      let terminal = FileHandle(fileDescriptor: open(name, O_RDWR | O_NOCTTY), closeOnDealloc: true)
      let process = try Program.start(
        Workplace.training + ["--steps", "6"], in: place.url,
        environment: ["TERM": "xterm"].merging(environment) { $1 },
        output: FileHandle.nullDevice, errors: terminal)
      try terminal.close()
      var bytes: [UInt8] = []
      try Program.readAll(controller, of: process) { bytes += $0 }
      close(controller)
      #expect(process.terminationStatus == 0)
      return String(decoding: bytes, as: UTF8.self)
    }

    @Test func progressIsDrawnInColour() throws {
      let text = try screen([:])
      #expect(text.contains("\r") && text.contains("\u{1B}[K") && text.contains("100%"))
      #expect(text.contains("\u{1B}[32m"))
    }

    @Test func colourCanBeSwitchedOff() throws {
      let text = try screen(["NO_COLOR": "1"])
      #expect(text.contains("\u{1B}[K") && text.contains("100%"))
      #expect(!text.contains(/\u{1B}\[\d+m/))
    }

    @Test func dumbTerminalsGetPlainLines() throws {
      let text = try screen(["TERM": "dumb"])
      #expect(!text.contains("\u{1B}") && text.contains("100%"))
    }
  }
}
