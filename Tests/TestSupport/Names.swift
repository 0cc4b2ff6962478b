package import Tensors

// Tests make names as strings; the library takes them by their bytes.
extension TensorTable {
  /// Adds a tensor at the end.
  package mutating func append(_ name: String, _ tensor: Tensor) throws {
    try append(ExactString(name), tensor)
  }

  /// The tensor of that name, or nil.
  package subscript(name: String) -> Tensor? { self[ExactString(name)] }
}

extension Metadata {
  /// The value of a key.
  package subscript(key: String) -> JSON? {
    get { self[ExactString(key)] }
    set { self[ExactString(key)] = newValue }
  }
}

/// Whether the names are these strings, byte for byte.
package func == (names: [ExactString], strings: [String]) -> Bool {
  names == strings.map { ExactString($0) }
}
