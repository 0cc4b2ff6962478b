package import Tensors

/// What a user may have meant by a name that is not there.
///
/// Names are compared by the number of bytes to insert, remove or replace (Levenshtein's distance).
/// The work is capped whatever the number of names: a suggestion is not worth a pause.
package enum NearestNames {
  /// Names above this many bytes are neither sought nor suggested.
  private static let nameLimit = 256
  /// Steps of the innermost loop; a few hundredths of a second.
  private static let workLimit = 10_000_000

  /// The `count` names nearest to `wanted` that differ in at most a third of its bytes, nearest
  /// first, then in the order of `names`; the search ends early among very many names.
  ///
  /// - Parameter isGlob: whether `*` in `wanted` stands for any bytes and `?` for any one byte.
  package static func find(
    _ wanted: ExactString, among names: some Sequence<ExactString>, count: Int = 3,
    isGlob: Bool = false
  ) -> [ExactString] {
    let pattern = Array(wanted.utf8)
    guard pattern.count <= nameLimit, count > 0 else { return [] }
    var bound = (pattern.count { !isGlob || $0 != UInt8(ascii: "*") } + 2) / 3
    var found: [(name: ExactString, distance: Int)] = []
    var work = 0
    for name in names {
      guard work < workLimit else { break }
      let bytes = Array(name.utf8)
      work += 64
      guard !bytes.isEmpty, bytes.count <= nameLimit,
        isGlob || abs(bytes.count - pattern.count) <= bound,
        let distance = distance(
          from: pattern, to: bytes, isGlob: isGlob, bound: bound, work: &work),
        distance < max(bytes.count, pattern.count)
      else { continue }
      let place = found.firstIndex { $0.distance > distance } ?? found.endIndex
      found.insert((name, distance), at: place)
      if found.count > count { found.removeLast() }
      if found.count == count, let last = found.last { bound = max(0, last.distance - 1) }
    }
    return found.map(\.name)
  }

  /// A question that offers the nearest names, or nil where none is near.
  package static func hint(
    _ wanted: ExactString, among names: some Sequence<ExactString>, isGlob: Bool = false
  ) -> String? {
    let quoted = find(wanted, among: names, isGlob: isGlob).map { "'\($0.escapedForDisplay())'" }
    guard let last = quoted.last else { return nil }
    let others = quoted.dropLast().joined(separator: ", ")
    return "did you mean \(others.isEmpty ? "" : others + " or ")\(last)?"
  }

  /// The distance of two names, or nil where it is above `bound`.
  private static func distance(
    from pattern: [UInt8], to name: [UInt8], isGlob: Bool, bound: Int, work: inout Int
  ) -> Int? {
    // previous[column]: the distance of the pattern so far from the first `column` bytes of the
    // name.
    var previous = Array(0...name.count)
    var current = previous
    for byte in pattern {
      let matchesAny = isGlob && byte == UInt8(ascii: "*")
      let matchesOne = isGlob && byte == UInt8(ascii: "?")
      current[0] = matchesAny ? previous[0] : previous[0] + 1
      var least = current[0]
      for column in 1...name.count {
        let cost: Int
        if matchesAny {
          cost = min(previous[column], current[column - 1])
        } else {
          let isSame = matchesOne || byte == name[column - 1]
          cost = min(
            previous[column - 1] + (isSame ? 0 : 1), previous[column] + 1, current[column - 1] + 1)
        }
        current[column] = cost
        least = min(least, cost)
      }
      work += name.count
      guard least <= bound else { return nil }
      swap(&previous, &current)
    }
    return previous[name.count] <= bound ? previous[name.count] : nil
  }
}
