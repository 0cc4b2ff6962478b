internal import Tensors

/// The filters that chunks go through when they are written, in order; reading undoes them backwards.
///
/// Version 1: version, number, 6 reserved bytes; per filter its number (2), the length of its name (2, a
/// multiple of 8), flags (2), number of parameters (2), name, parameters (4 each, padded to 8 bytes).
/// Version 2 leaves out the padding, and the name of HDF5's own filters (below 256).
struct FilterPipeline: Sendable {
  enum Filter: Sendable, Hashable {
    case deflate
    /// Bytes of elements of this width are stored plane by plane.
    case shuffle(width: Int)
    case fletcher32
    case lzf
    /// Known or not, but not undone here: its number, and its name where there is one.
    case foreign(Int, String)
  }

  let filters: [Filter]

  /// What the HDF5 library allows in practice; the mask of a chunk has 32 bits.
  private static let limit = 8
  private static let names = [4: "szip", 5: "nbit", 6: "scale-offset"]

  static let none = FilterPipeline(filters: [])

  private init(filters: [Filter]) { self.filters = filters }

  init(_ reader: inout ByteReader) throws {
    let at = reader.offset
    let version = try reader.uint8("a filter pipeline's version")
    let count = Int(try reader.uint8("the number of filters"))
    guard version == 1 || version == 2 else {
      throw reader.failure("filter pipeline version \(version)", class: .unsupported, at: at)
    }
    guard count <= Self.limit else {
      throw reader.failure("\(count) filters, above \(Self.limit)", at: at)
    }
    if version == 1 { try reader.skip(6, "reserved bytes of a filter pipeline") }
    filters = try (0..<count).map { _ in try Self.filter(&reader, version) }
  }

  private static func filter(_ reader: inout ByteReader, _ version: UInt8) throws -> Filter {
    let at = reader.offset
    let number = Int(try reader.uint16("a filter's number"))
    let hasName = version == 1 || number >= 256
    let nameLength = hasName ? Int(try reader.uint16("the length of a filter's name")) : 0
    try reader.skip(2, "a filter's flags")
    let parameterCount = Int(try reader.uint16("the number of a filter's parameters"))
    // Version 1 pads names to a multiple of 8 bytes; the length counts the padding in most files.
    let nameField = version == 1 ? nameLength.roundedUp(toMultipleOf: 8) : nameLength
    let name = try reader.terminatedBytes(nameField, "a filter's name")
    var parameters: [Int] = []
    for _ in 0..<parameterCount {
      parameters.append(Int(try reader.uint32("a filter's parameter")))
    }
    if version == 1, parameterCount % 2 == 1 { try reader.skip(4, "the padding of a filter") }
    switch number {
    case 1: return .deflate
    case 2:
      guard let width = parameters.first, width > 0 else {
        throw reader.failure("a shuffle filter without an element size", at: at)
      }
      return .shuffle(width: width)
    case 3: return .fletcher32
    case 32_000: return .lzf
    default:
      return .foreign(number, names[number] ?? String(decoding: name, as: UTF8.self))
    }
  }

  /// Why the chunks cannot be read, or nil.
  var obstacle: IngotError? {
    for case .foreign(let number, let name) in filters {
      let named = name.isEmpty ? "" : " (\(name.escapedForDisplay(limit: 80)))"
      return IngotError(.unsupported, "HDF5 filter \(number)\(named)")
    }
    return nil
  }
}
