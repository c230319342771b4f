import Foundation
import ResidualFormats
import ResidualFuzzSupport
import ResidualTestSupport
import Testing

/// The number of broken files of each format to try: 10,000, or `RESNET_MUTATIONS` for a long
/// campaign.
let mutationCount =
  ProcessInfo.processInfo.environment["RESNET_MUTATIONS"].flatMap { Int($0) } ?? 10_000

/// Why bytes are refused; `nil`, and a failed test, where they are read or refused otherwise.
///
/// The message must be a good one, and all of it must take no more than `factor` bytes of memory for
/// each byte of the file, beside `base`: what copies again and again, expands, or compares long texts
/// as Unicode (which takes 16 bytes for each of theirs, and hours) takes more.
func refusal<Problem>(
  of bytes: [UInt8], by _: FormatError<Problem>.Type, factor: Int, base: Int = 64 << 10,
  _ read: (FileBytes) throws -> Void
) -> FormatError<Problem>? {
  let file = FileBytes(bytes, name: FuzzTarget.fileName)
  var refusal: FormatError<Problem>?
  let count = Allocation.bytes {
    do {
      try read(file)
      Issue.record("it is read")
    } catch let error as FormatError<Problem> {
      refusal = error
      expectGoodMessage(error)
    } catch {
      Issue.record(error)
    }
  }
  #expect(count <= factor * bytes.count + base)
  return refusal
}

/// Checks that a message is one line, names the file and gives a mend.
func expectGoodMessage<Problem>(_ error: FormatError<Problem>) {
  let text = "\(error)"
  let flaw = FuzzTarget.flaw(of: text)
  #expect(flaw == nil, "\(text)")
}
