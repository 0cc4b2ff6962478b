internal import Tensors

/// The index of a native file: canonical JSON, at the end of the file.
///
/// ```
/// {"alignment":64,"metadata":{},"provenance":null,"tensors":[
///   {"bytes":24,"dtype":"float32","name":"a","offset":64,"sha256":"…","shape":[2,3]},
///   {"bytes":4194304,"chunks":[8121,8090,7998,8200],"dtype":"int8","name":"b",…},
///   {"alias_of":"a","name":"tied"}]}
/// ```
///
/// `schemas/ingot-format.md` is the specification.
struct NativeIndex: Equatable {
  /// A tensor of the list.
  struct Entry: Equatable {
    var name: ExactString
    var content: Content
  }

  /// What a tensor of the list is.
  enum Content: Equatable {
    case stored(Stored)
    /// The same tensor as an earlier, stored one.
    case alias(of: ExactString)
  }

  /// A tensor with bytes of its own.
  struct Stored: Equatable {
    var elementType: ElementType
    var shape: Shape
    /// The size of its canonical bytes.
    var byteCount: Int
    /// Where it begins in the file.
    var offset: Int
    /// The SHA-256 of its canonical bytes, in lower-case hexadecimal digits.
    var sha256: String
    /// The stored sizes of its chunks; nil where the bytes lie there as they are.
    var chunks: [Int]?

    /// The bytes it takes in the file, padding left out.
    ///
    /// - Throws: `malformed` where the sizes of the chunks overflow.
    func storedByteCount() throws -> Int {
      guard let chunks else { return byteCount }
      return try chunks.reduce(0) { try $0.adding($1, "the size of all chunks") }
    }
  }

  /// Tensors begin at multiples of this many bytes.
  var alignment: Int
  var metadata: Metadata
  var provenance: JSON
  var tensors: [Entry]

  /// A page of memory on request, up to a huge one.
  static let alignments = 64...2 << 20

  static func isAlignment(_ number: Int) -> Bool {
    alignments.contains(number) && number.nonzeroBitCount == 1
  }

  /// What tensors of this list need of a reader.
  var features: NativeHeader.Features {
    var features: NativeHeader.Features = []
    for case .stored(let stored) in tensors.lazy.map(\.content) {
      if stored.chunks != nil { features.insert(.chunks) }
      if stored.elementType.hasBlocks { features.insert(.blocks) }
    }
    return features
  }

  /// The canonical text.
  func text() -> [UInt8] {
    var bytes = Array("{\"alignment\":\(alignment),\"metadata\":".utf8)
    bytes += Self.text(metadata)
    bytes += ",\"provenance\":".utf8
    bytes += provenance.canonicalText()
    bytes += ",\"tensors\":[".utf8
    // Of a short name and shape: growing would copy all of it again and again.
    bytes.reserveCapacity(bytes.count + 160 * tensors.count)
    for (index, entry) in tensors.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      entry.appendText(to: &bytes)
    }
    bytes += "]}".utf8
    return bytes
  }

  /// The canonical text of metadata: an object, but its own keys are never marks.
  static func text(_ metadata: Metadata) -> [UInt8] {
    var bytes: [UInt8] = []
    JSON.object(metadata.sorted.map { JSON.Member($0.key, $0.value.encodingReals()) })
      .appendCanonicalText(to: &bytes)
    return bytes
  }
}

extension NativeIndex.Entry {
  fileprivate func appendText(to bytes: inout [UInt8]) {
    func list(_ numbers: [Int]) {
      bytes.append(UInt8(ascii: "["))
      for (index, number) in numbers.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        bytes += String(number).utf8
      }
      bytes.append(UInt8(ascii: "]"))
    }
    switch content {
    case .alias(let target):
      bytes += "{\"alias_of\":".utf8
      JSON.appendCanonicalText(of: target, to: &bytes)
      bytes += ",\"name\":".utf8
      JSON.appendCanonicalText(of: name, to: &bytes)
    case .stored(let stored):
      bytes += "{\"bytes\":".utf8
      bytes += String(stored.byteCount).utf8
      if let chunks = stored.chunks {
        bytes += ",\"chunks\":".utf8
        list(chunks)
      }
      bytes += ",\"dtype\":\"".utf8
      bytes += stored.elementType.name.utf8
      bytes += "\",\"name\":".utf8
      JSON.appendCanonicalText(of: name, to: &bytes)
      bytes += ",\"offset\":".utf8
      bytes += String(stored.offset).utf8
      bytes += ",\"sha256\":\"".utf8
      bytes += stored.sha256.utf8
      bytes += "\",\"shape\":".utf8
      list(stored.shape.dimensions)
    }
    bytes.append(UInt8(ascii: "}"))
  }
}
