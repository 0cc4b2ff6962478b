internal import Ingot

/// `ingot inspect` for people.
struct InspectionText {
  private let inspection: Inspection
  private let listsEveryTensor: Bool

  init(_ inspection: Inspection, listsEveryTensor: Bool) {
    self.inspection = inspection
    self.listsEveryTensor = listsEveryTensor
  }

  var text: String {
    var lines: [String] = []
    let files = inspection.files.count == 1 ? "" : " in \(inspection.files.count) files"
    lines.append(
      "\((inspection.files.first ?? "").escapedForDisplay(limit: 1024)): \(inspection.format)\(files)"
    )
    lines += metadataLines
    if !inspection.items.isEmpty {
      lines.append("")
      lines += listsEveryTensor ? tensorLines : groupLines
    }
    if !inspection.others.isEmpty {
      lines += ["", "not tensors:"]
      var table = TextTable([.left, .left, .left])
      for other in inspection.others.prefix(50) {
        table.append([
          other.name.escapedForDisplay(), other.type, other.shape.map { "\($0)" } ?? "",
        ])
      }
      lines += table.lines(indent: "  ")
      if inspection.others.count > 50 { lines.append("  and \(inspection.others.count - 50) more") }
    }
    lines += ["", totals]
    return lines.joined(separator: "\n")
  }

  private var metadataLines: [String] {
    let entries = inspection.metadata.sorted
    guard !entries.isEmpty else { return [] }
    var table = TextTable([.left, .left])
    for (key, value) in entries.prefix(40) {
      table.append([key.escapedForDisplay(limit: 80), Self.short(value)])
    }
    let more = entries.count > 40 ? ["  and \(entries.count - 40) more (--json shows all)"] : []
    return ["metadata:"] + table.lines(indent: "  ") + more
  }

  private static func short(_ value: JSON) -> String {
    if case .array(let elements) = value, elements.count > 8 { return "[\(elements.count) values]" }
    return (value.string?.text ?? value.text()).escapedForDisplay(limit: 100)
  }

  /// Tensors that differ only in numbers of their names, with the same type and shape, share a line.
  private var groupLines: [String] {
    struct Group {
      var pattern: NamePattern
      var first: Inspection.Item
      var count: Int
      var bytes: Int
    }
    struct Key: Hashable {
      let skeleton: ExactString
      let type: ElementType
      let shape: Shape
      let isPlain: Bool
    }
    var groups: [Group] = []
    var positions: [Key: Int] = [:]
    for item in inspection.items {
      let pattern = NamePattern(item.name)
      let key = Key(
        skeleton: pattern.skeleton, type: item.elementType, shape: item.shape,
        isPlain: item.aliasOf == nil && item.obstacle == nil)
      if key.isPlain, let position = positions[key] {
        groups[position].pattern.widen(pattern)
        groups[position].count += 1
        groups[position].bytes += item.byteCount
      } else {
        if key.isPlain { positions[key] = groups.count }
        groups.append(Group(pattern: pattern, first: item, count: 1, bytes: item.byteCount))
      }
    }
    var table = TextTable([.left, .left, .left, .right, .right, .left])
    for group in groups {
      table.append([
        group.pattern.text.escapedForDisplay(), group.first.elementType.name,
        "\(group.first.shape)", group.count > 1 ? "× \(group.count)" : "",
        ByteText.size(group.bytes), Self.remark(group.first),
      ])
    }
    return table.lines(indent: "  ")
  }

  private var tensorLines: [String] {
    let hasStatistics = inspection.items.contains { $0.statistics != nil }
    var table = TextTable(
      [.left, .left, .left, .right]
        + (hasStatistics ? [.right, .right, .right, .right, .right, .right, .right] : []) + [.left])
    if hasStatistics {
      table.append([
        "name", "dtype", "shape", "bytes", "min", "max", "mean", "std", "zeros", "nan", "inf", "",
      ])
    }
    for item in inspection.items {
      var row = [
        item.name.escapedForDisplay(), item.elementType.name, "\(item.shape)",
        ByteText.size(item.byteCount),
      ]
      if hasStatistics {
        let values = item.statistics
        for value in [values?.min, values?.max, values?.mean, values?.standardDeviation] {
          row.append(value.map { Self.number($0) } ?? "–")
        }
        for count in [values?.zeros, values?.nan, values?.infinite] {
          row.append(count.map { ByteText.count($0) } ?? "–")
        }
      }
      table.append(row + [Self.remark(item)])
    }
    return table.lines(indent: "  ")
  }

  private static func remark(_ item: Inspection.Item) -> String {
    if let aliasOf = item.aliasOf { return "same bytes as \(aliasOf.escapedForDisplay())" }
    return item.obstacle.map { "unreadable: \($0.escapedForDisplay())" } ?? ""
  }

  /// Six significant digits.
  private static func number(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return "\(value)" }
    var exponent = 0
    var scaled = value.magnitude
    while scaled >= 10 { (scaled, exponent) = (scaled / 10, exponent + 1) }
    while scaled < 1 { (scaled, exponent) = (scaled * 10, exponent - 1) }
    let digits = (scaled * 1e5).rounded() / 1e5
    let sign = value < 0 ? "-" : ""
    if (-4..<7).contains(exponent) {
      var power = 1.0
      for _ in 0..<abs(exponent) { power *= 10 }
      let plain = exponent < 0 ? digits / power : digits * power
      let scale = 1e5 / (exponent < 0 ? 1 / power : power)
      return sign + "\((plain * scale).rounded() / scale)"
    }
    return sign + "\(digits)e\(exponent)"
  }

  private var totals: String {
    let totals = inspection.totals
    let types = inspection.byElementType.map { "\($0.type.name) \(ByteText.size($0.totals.bytes))" }
    var line =
      "total: \(ByteText.count(totals.tensors)) tensors, "
      + "\(ByteText.count(totals.elements)) elements, \(ByteText.size(totals.bytes))"
    if types.count > 1 { line += " (\(types.joined(separator: ", ")))" }
    if totals.uniqueBytes != totals.bytes {
      line += ", \(ByteText.size(totals.uniqueBytes)) without shared storage"
    }
    return line
  }
}
