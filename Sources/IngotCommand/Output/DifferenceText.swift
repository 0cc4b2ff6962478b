internal import Ingot

/// `ingot diff` for people.
struct DifferenceText {
  private let difference: Difference
  private let tolerance: Difference.Tolerance?

  init(_ difference: Difference, tolerance: Difference.Tolerance?) {
    self.difference = difference
    self.tolerance = tolerance
  }

  var text: String {
    var lines: [String] = []
    lines += list("only in the first", difference.onlyInFirst)
    lines += list("only in the second", difference.onlyInSecond)
    var table = TextTable([.left, .left, .right, .right, .right, .right])
    for item in difference.different.prefix(100) {
      guard let values = item.comparison else {
        table.append([item.name.escapedForDisplay(), item.reason, "", "", "", ""])
        continue
      }
      table.append([
        item.name.escapedForDisplay(), "\(ByteText.count(values.count)) values",
        values.firstIndex.map { "first at \($0)" } ?? "",
        values.maximumAbsolute.map { "max |Δ| \(Self.short($0))" } ?? "",
        values.maximumRelative.map { "max rel \(Self.short($0))" } ?? "",
        values.maximumUnits.map { "max \($0) ulp" } ?? "",
      ])
    }
    if !difference.different.isEmpty {
      lines.append("different:")
      lines += table.lines(indent: "  ")
      if difference.different.count > 100 {
        lines.append("  and \(difference.different.count - 100) more (--json lists all)")
      }
    }
    let within = tolerance == nil ? "" : " within the tolerance"
    lines.append(
      difference.isEmpty
        ? "equal\(within): \(ByteText.count(difference.compared)) tensors compared"
        : "not equal\(within): \(ByteText.count(difference.compared)) tensors compared, "
          + "\(ByteText.count(difference.different.count)) different")
    return lines.joined(separator: "\n")
  }

  private func list(_ title: String, _ names: [String]) -> [String] {
    guard !names.isEmpty else { return [] }
    let more = names.count > 50 ? ["  and \(names.count - 50) more (--json lists all)"] : []
    return ["\(title):"] + names.prefix(50).map { "  " + $0.escapedForDisplay() } + more
  }

  /// Three significant digits.
  private static func short(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return "\(value)" }
    var exponent = 0
    var scaled = value.magnitude
    while scaled >= 9.995 { (scaled, exponent) = (scaled / 10, exponent + 1) }
    while scaled < 0.9995 { (scaled, exponent) = (scaled * 10, exponent - 1) }
    return "\((scaled * 100).rounded() / 100)e\(exponent)"
  }
}
