internal import Ingot

/// `ingot digest --check` for people.
enum DigestText {
  static func text(_ difference: DigestManifest.Difference, of manifest: DigestManifest) -> String {
    guard !difference.isEmpty else {
      return "unchanged: \(ByteText.count(manifest.lines.count)) tensors, total \(manifest.total)"
    }
    var lines: [String] = []
    for (title, names) in [
      ("changed", difference.changed), ("missing", difference.missing), ("added", difference.added),
    ] where !names.isEmpty {
      lines += names.prefix(100).map { "\(title): \($0.escapedForDisplay())" }
      if names.count > 100 {
        lines.append("\(title): \(names.count - 100) more (--json lists all)")
      }
    }
    if difference.totalDiffers {
      lines.append("the manifest's total line is not that of its own lines")
    }
    return lines.joined(separator: "\n")
  }
}
