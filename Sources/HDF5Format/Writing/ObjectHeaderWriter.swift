internal import Tensors

/// An object header of version 1 as written: version, a reserved byte, number of messages (2), number of
/// links (4), bytes of messages (4), 4 bytes of padding; then messages: kind (2), size (2), flags,
/// 3 reserved bytes, data padded to 8 bytes.
struct ObjectHeaderWriter {
  enum Kind: UInt16 {
    case dataspace = 0x01
    case datatype = 0x03
    case fillValue = 0x05
    case layout = 0x08
    case filters = 0x0B
    case attribute = 0x0C
    case symbolTable = 0x11
  }

  /// The bytes before the first message's data.
  static let firstMessageOffset = 24

  private var messages = ByteWriter()
  private var count = 0

  mutating func append(_ kind: Kind, _ data: [UInt8], isConstant: Bool = false) {
    count += 1
    messages.append(kind.rawValue)
    messages.append(data.count.roundedUp(toMultipleOf: 8), width: 2)
    messages.append(contentsOf: [isConstant ? 1 : 0, 0, 0, 0])
    messages.append(padded: data)
  }

  /// The header of an object that so many links name.
  func bytes(linkCount: Int) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(contentsOf: [1, 0])
    writer.append(count, width: 2)
    writer.append(linkCount, width: 4)
    writer.append(messages.count, width: 4)
    writer.append(0, width: 4)
    writer.append(contentsOf: messages.bytes)
    return writer.bytes
  }

  /// How many attributes a header has room for: it counts messages in 16 bits, and a dataset has five
  /// others at most.
  static let attributeLimit = Int(UInt16.max) - 5
}
