internal import Tensors

/// A named value of an object, as JSON.
struct Attribute: Sendable {
  let name: ExactString
  /// Nil for what JSON cannot hold (references, opaque bytes).
  let value: JSON?
}

/// Reads attributes, from the object header or from the heap and B-tree of objects that have many.
///
/// The message: version, flags (bit 0: shared datatype, 1: shared dataspace), sizes of name, datatype
/// and dataspace (2 each), from version 3 on the character set of the name; then the three and the
/// data. Version 1 pads the three to multiples of 8 bytes.
struct AttributeReader {
  private let view: FileView
  private let shared: SharedMessages
  private var values: AttributeValues

  init(_ view: FileView, _ shared: SharedMessages) {
    self.view = view
    self.shared = shared
    values = AttributeValues(view)
  }

  mutating func attribute(_ reader: inout ByteReader) throws -> Attribute {
    let at = reader.offset
    let version = try reader.uint8("an attribute's version")
    guard 1...3 ~= version else {
      throw reader.failure("attribute version \(version)", class: .unsupported, at: at)
    }
    let flags = try reader.uint8("an attribute's flags")
    let nameSize = Int(try reader.uint16("the size of an attribute's name"))
    let typeSize = Int(try reader.uint16("the size of an attribute's datatype"))
    let spaceSize = Int(try reader.uint16("the size of an attribute's dataspace"))
    if version == 3 { try reader.skip(1, "an attribute's character set") }
    func field(_ size: Int, _ what: String) throws -> ByteReader {
      let part = try reader.sub(size, what)
      if version == 1 { try reader.skip((8 - size % 8) % 8, "the padding of \(what)") }
      return part
    }
    var nameField = try field(nameSize, "an attribute's name")
    let raw = try nameField.terminatedBytes(nameSize, "an attribute's name")
    guard !raw.isEmpty, let name = ExactString(checking: raw[...]) else {
      throw reader.failure("the name of an attribute is empty or not UTF-8", at: at)
    }
    do {
      var typeField = try field(typeSize, "an attribute's datatype")
      let type = try shared.datatype(&typeField, isShared: version > 1 && flags & 1 != 0)
      var spaceField = try field(spaceSize, "an attribute's dataspace")
      guard version == 1 || flags & 2 == 0 else {
        throw reader.failure("an attribute with a shared dataspace", class: .unsupported, at: at)
      }
      let space = try Dataspace(&spaceField, view.widths)
      return Attribute(name: name, value: try values.value(&reader, type, space))
    } catch var error as IngotError {
      error.message = "attribute '\(name.escapedForDisplay())': \(error.message)"
      throw error
    }
  }

  /// The attributes that an attribute information message points to: version, flags (bit 0: creation
  /// order is tracked, 1: and indexed), the largest creation order (2), heap, B-tree by name.
  mutating func dense(_ message: ByteReader) throws -> [Attribute] {
    var reader = message
    try reader.version(0, "attribute information")
    let flags = try reader.uint8("the flags of attribute information")
    if flags & 1 != 0 { try reader.skip(2, "the largest creation order") }
    let heapAddress = try reader.address(view.widths, "the heap of attributes")
    let treeAddress = try reader.address(view.widths, "the B-tree of attributes")
    guard let heapAddress, let treeAddress else { return [] }
    let heap = try FractalHeap(view, at: heapAddress)
    var found: [(order: UInt32, attribute: Attribute)] = []
    try BTree2.forEachRecord(view, at: treeAddress, of: [.attributeName]) { _, record in
      var identifier = try record.sub(8, "an attribute's identifier")
      let isShared = try record.uint8("an attribute's flags") & HeaderMessage.sharedFlag != 0
      let order = try record.uint32("an attribute's creation order")
      var content =
        isShared ? try shared.shared(.attribute, &identifier) : try heap.object(&identifier)
      found.append((order, try attribute(&content)))
    }
    // The tree is ordered by a hash of the names.
    let byName = found.sorted { $0.attribute.name < $1.attribute.name }
    guard flags & 1 != 0 else { return byName.map(\.attribute) }
    return byName.sorted { $0.order < $1.order }.map(\.attribute)
  }
}
