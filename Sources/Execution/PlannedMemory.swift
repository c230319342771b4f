/// The memory that running a plan takes, by part, in bytes.
package struct PlannedMemory: Hashable, Sendable {
  /// What lives only within a step: activations, gradients, packed filters.
  package let arena: Int
  /// What is kept from run to run, in inference: packed filters.
  package let derived: Int
  /// What all workers need beside it.
  package let scratch: Int
  /// Inputs and outputs.
  package let boundary: Int
  /// Parameters, statistics and the optimiser's state.
  package let state: Int

  /// Whether the plan changes its parameters.
  package let isTraining: Bool

  /// The sum of the parts.
  package var total: Int { arena + derived + scratch + boundary + state }
}

extension Device {
  /// The memory that a plan takes on this device.
  package func memory(of plan: Plan<Step>) -> PlannedMemory {
    PlannedMemory(
      arena: plan.arenaByteCount, derived: plan.derivedByteCount,
      scratch: scratchByteCount(of: plan),
      boundary: plan.boundaryByteCount, state: plan.stateByteCount,
      isTraining: plan.changesState)
  }
}

extension PlannedMemory: CustomStringConvertible {
  /// The sum and its parts: `5.79 GiB (activations and gradients 5.64 GiB, …)`.
  package var description: String {
    "\(ByteSize.text(total)) "
      + "(activations\(isTraining ? " and gradients" : "") \(ByteSize.text(arena)), "
      + "parameters\(isTraining ? " and momentum" : "") \(ByteSize.text(state)), "
      + (derived > 0 ? "packed filters \(ByteSize.text(derived)), " : "")
      + "inputs and outputs \(ByteSize.text(boundary)), scratch \(ByteSize.text(scratch)))"
  }
}

/// Sizes of memory as people write them.
package enum ByteSize {
  private static let prefixes = ["k", "m", "g", "t"]

  /// `1.50 GiB`, `12 MiB`, `0.5 MiB` or, below that, `600 bytes`.
  package static func text(_ byteCount: Int) -> String {
    guard byteCount >= 100_000 else { return "\(byteCount) bytes" }
    let mebibytes = Double(byteCount) / 1_048_576
    guard mebibytes >= 999.5 else {
      return mebibytes >= 9.95
        ? "\(Int(mebibytes.rounded())) MiB" : "\((mebibytes * 10).rounded() / 10) MiB"
    }
    let hundredths = Int((mebibytes / 10.24).rounded())
    let decimals = hundredths % 100
    return "\(hundredths / 100).\(decimals < 10 ? "0" : "")\(decimals) GiB"
  }

  /// A size such as `6GiB` (powers of 1,024), `6GB` (powers of 1,000) or `6442450944`.
  ///
  /// - Returns: `nil` for anything else, and for sizes below 1 or above 2⁶².
  package static func bytes(_ text: String) -> Int? {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = text.dropFirst(number.count).drop { $0 == " " }.lowercased()
    guard let value = Double(number), let factor = factor(unit) else { return nil }
    let bytes = (value * factor).rounded()
    return bytes >= 1 && bytes <= 0x1p62 ? Int(bytes) : nil
  }

  private static func factor(_ unit: String) -> Double? {
    if unit.isEmpty || unit == "b" { return 1 }
    for (index, prefix) in prefixes.enumerated() {
      let base: Double? =
        unit == prefix + "ib" ? 1_024 : unit == prefix + "b" ? 1_000 : nil
      if let base { return (0..<index).reduce(base) { factor, _ in factor * base } }
    }
    return nil
  }
}
