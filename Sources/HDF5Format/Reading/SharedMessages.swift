internal import Tensors

/// Follows messages that lie elsewhere: datatypes committed to the file under a name of their own, and
/// messages in the heap of the file's shared message table.
///
/// The pointer: version; 1: kind, 6 reserved bytes, a symbol table entry; 2: kind, address; 3: kind (1:
/// identifier in the shared heap, 2: address).
final class SharedMessages {
  private let view: FileView
  private var committed: [Int: Datatype] = [:]
  /// For each index of the table the kinds of message it covers, and its heap.
  private var indexes: [(kinds: UInt16, heap: Int)] = []
  private var heaps: [Int: FractalHeap] = [:]

  init(_ view: FileView) { self.view = view }

  /// Reads the shared message table that the superblock extension points to.
  func readTable(_ message: inout ByteReader) throws {
    let widths = view.widths
    try message.version(0, "shared message table")
    let address = try message.definedAddress(widths, "the shared message table")
    let count = Int(try message.uint8("the number of shared message indexes"))
    guard 1...8 ~= count else { throw message.failure("\(count) shared message indexes") }
    let size = 8 + count * (14 + 2 * widths.offset)
    var table = try view.reader(at: address, count: size, "the shared message table")
    try view.claim(address, size, .fractalHeap)
    try table.verifyChecksum(
      from: table.position, after: size - 4, "the shared message table")
    try table.signature("SMTB", "the shared message table")
    for _ in 0..<count {
      try table.skip(2, "the version of a shared message index")
      let kinds = try table.uint16("the kinds of shared messages")
      try table.skip(10 + widths.offset, "a shared message index")
      if let heap = try table.address(widths, "the heap of shared messages") {
        indexes.append((kinds, heap))
      }
    }
  }

  /// Replaces the content of a shared message, a pointer, by what it points to.
  func resolve(_ message: inout HeaderMessage) throws {
    guard message.isShared else { return }
    switch try location(&message.content) {
    case .heap(var identifier): message.content = try shared(message.kind, &identifier)
    case .object(let address):
      throw IngotError(
        .malformed, "a shared message that is no datatype points to an object",
        offset: address)
    }
  }

  /// A datatype, or the one that a pointer leads to.
  func datatype(_ reader: inout ByteReader, isShared: Bool) throws -> Datatype {
    guard isShared else { return try Datatype(&reader) }
    switch try location(&reader) {
    case .heap(var identifier):
      var content = try shared(.datatype, &identifier)
      return try Datatype(&content)
    case .object(let address): return try committedDatatype(at: address)
    }
  }

  /// The message of a kind in the heap of shared messages.
  func shared(_ kind: MessageKind, _ identifier: inout ByteReader) throws -> ByteReader {
    guard let index = indexes.first(where: { $0.kinds & 1 << kind.rawValue != 0 }) else {
      throw identifier.failure("a shared message in a file without a table for its kind")
    }
    let heap = try heaps[index.heap] ?? FractalHeap(view, at: index.heap)
    heaps[index.heap] = heap
    return try heap.object(&identifier)
  }

  private enum Location {
    case heap(ByteReader)
    case object(Int)
  }

  private func location(_ reader: inout ByteReader) throws -> Location {
    let at = reader.offset
    let version = try reader.uint8("a shared message's version")
    let kind = try reader.uint8("a shared message's kind")
    switch (version, kind) {
    case (1, _):
      try reader.skip(6 + view.widths.length, "a shared message's heap")
      return .object(try reader.definedAddress(view.widths, "a shared message"))
    case (2, _), (3, 2): return .object(try reader.definedAddress(view.widths, "a shared message"))
    case (3, 1): return .heap(try reader.sub(8, "a shared message's identifier"))
    default:
      throw reader.failure("a shared message of version \(version) and kind \(kind)", at: at)
    }
  }

  private func committedDatatype(at address: Int) throws -> Datatype {
    if let known = committed[address] { return known }
    var datatype: Datatype?
    try ObjectHeader.forEachMessage(view, at: address, isRevisit: true) { message in
      guard message.kind == .datatype, datatype == nil else { return }
      guard !message.isShared else {
        throw message.content.failure("a committed datatype that is itself shared")
      }
      datatype = try Datatype(&message.content)
    }
    guard let datatype else {
      throw IngotError(.malformed, "the object is no committed datatype", offset: address)
    }
    committed[address] = datatype
    return datatype
  }
}
