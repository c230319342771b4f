import ResidualCUDA
import Testing

/// What every kernel must have, which no simulation shows.
@Suite struct KernelSourceTests {
  /// A kernel may be started before the one in front of it has ended: it waits first of all.
  @Test func everyKernelBegins() throws {
    let parts = KernelCompilation.source.split(separator: "KERNEL ").dropFirst(2)
    #expect(parts.count > 50)
    // Nothing else waits: in a function that kernels call for every number it would cost dearly.
    let calls = KernelCompilation.source.split(
      separator: "begin();", omittingEmptySubsequences: false)
    #expect(calls.count - 1 == parts.count)
    for part in parts {
      let body = try #require(part.firstIndex(of: "{"), "\(part.prefix(80))")
      let first = part[part.index(after: body)...].drop { $0.isWhitespace || $0 == "\\" }
      #expect(first.hasPrefix("begin();"), "\(part.prefix(80))")
    }
  }
}
