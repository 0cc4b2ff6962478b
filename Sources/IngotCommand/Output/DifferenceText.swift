internal import Ingot

/// `ingot diff` for people.
struct DifferenceText {
  private let difference: Difference
  private let tolerance: Tolerance?

  init(_ difference: Difference, tolerance: Tolerance?) {
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
        item.name.escapedForDisplay(), "\(ByteText.count(values.different)) values",
        values.firstDifference.map { "first at \($0)" } ?? "",
        "max |Δ| \(values.maxAbsolute.threeDigits)",
        "max rel \(values.maxRelative.threeDigits)",
        values.maxULP.map { "max \($0) ulp" } ?? "",
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

  private func list(_ title: String, _ names: [ExactString]) -> [String] {
    guard !names.isEmpty else { return [] }
    let more = names.count > 50 ? ["  and \(names.count - 50) more (--json lists all)"] : []
    return ["\(title):"] + names.prefix(50).map { "  " + $0.escapedForDisplay() } + more
  }
}
