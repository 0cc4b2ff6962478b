internal import Tensors

/// Finds the tensors that metadata keys of the form `path@attribute` belong to.
struct AttributeOwners {
  private let names: Set<ExactString>
  /// The lengths that occur, so that a key with many `@` is not compared with every one.
  private let lengths: Set<Int>

  init(_ names: some Sequence<ExactString>) {
    self.names = Set(names)
    lengths = Set(self.names.map(\.utf8.count))
  }

  /// The key cut before the `@` that ends one of the names, the longest where several fit; nil
  /// where the key belongs to none of them.
  func cut(_ key: ExactString) -> (name: ExactString, attribute: ExactString)? {
    var end = key.utf8.endIndex
    var length = key.utf8.count
    while end > key.utf8.startIndex {
      end = key.utf8.index(before: end)
      length -= 1
      guard key.utf8[end] == UInt8(ascii: "@"), lengths.contains(length) else { continue }
      let name = ExactString(key.text[..<end])
      if names.contains(name) { return (name, ExactString(key.text[end...])) }
    }
    return nil
  }
}
