import ResidualCPU
import ResidualFigures

/// Where the time of a step goes, for people and for machines.
struct ProfileReport: Encodable {
  struct Group: Encodable {
    let name: String
    let steps: Int
    let seconds: Double
    let share: Double
    let bytes: Int
  }

  let secondsPerStep: Double
  let kinds: [Group], layers: [Group]

  init(_ profile: Profile) {
    func groups(_ groups: [Profile.Group]) -> [Group] {
      groups.map {
        Group(
          name: $0.name, steps: $0.steps, seconds: $0.seconds, share: $0.seconds / profile.seconds,
          bytes: $0.bytes)
      }
    }
    secondsPerStep = profile.seconds
    kinds = groups(profile.kinds)
    layers = groups(profile.layers)
  }

  /// A table by kind of step and one by layer.
  var text: String {
    table("kind of step", kinds, rows: .max).text + "\n" + table("layer", layers, rows: 40).text
  }

  private func table(_ title: String, _ groups: [Group], rows: Int) -> TextTable {
    var table = TextTable([
      .init(title), .init("steps", .right), .init("ms", .right), .init("share", .right),
      .init("MB", .right), .init("GB/s", .right),
    ])
    for group in groups.prefix(rows) { table.append(row(group.name, [group])) }
    if groups.count > rows { table.append(row("\(groups.count - rows) more", groups[rows...])) }
    table.setTotals(row("all", groups))
    return table
  }

  private func row(_ name: String, _ groups: some Collection<Group>) -> [String] {
    let seconds = groups.reduce(0) { $0 + $1.seconds }
    let bytes = Double(groups.reduce(0) { $0 + $1.bytes })
    return [
      name, String(groups.reduce(0) { $0 + $1.steps }),
      NumberFormat.fixed(seconds * 1e3, decimals: 2),
      NumberFormat.percentage(groups.reduce(0) { $0 + $1.share }, decimals: 1),
      NumberFormat.fixed(bytes / 1e6, decimals: 1),
      seconds > 0 ? NumberFormat.fixed(bytes / seconds / 1e9, decimals: 1) : "",
    ]
  }
}
