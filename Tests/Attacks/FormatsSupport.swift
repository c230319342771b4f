import Foundation
import ResidualFormats
import ResidualFuzzSupport
import Testing

/// The number of broken files of each format to try: 10,000, or `RESNET_MUTATIONS` for a long
/// campaign.
let mutationCount =
  ProcessInfo.processInfo.environment["RESNET_MUTATIONS"].flatMap { Int($0) } ?? 10_000

/// Checks that a message is one line, names the file and gives a mend.
func expectGoodMessage<Problem>(_ error: FormatError<Problem>) {
  let text = "\(error)"
  let flaw = FuzzTarget.flaw(of: text)
  #expect(flaw == nil, "\(text)")
}
