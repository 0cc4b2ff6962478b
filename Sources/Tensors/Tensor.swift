/// Where a tensor's bytes really lie: tensors with equal identities share their storage.
public struct StorageIdentity: Sendable, Hashable {
  /// What the bytes are, in words that are unique within one opened table.
  package let text: ExactString

  package init(_ text: ExactString) { self.text = text }

  /// The identity of a view: the same view of the same storage is shared again.
  package func viewed(_ description: ExactString) -> StorageIdentity {
    StorageIdentity(text + "|" + description)
  }
}

/// An element type, a shape, and where the bytes are: never the bytes themselves.
///
/// The source holds the elements in canonical form (little-endian, row-major, packed); readers of
/// formats that store them otherwise wrap the stored bytes in views. A class, so that tables and their
/// many copies of a tensor stay cheap; all of it is constant.
public final class Tensor: Sendable {
  /// The type of the elements.
  public let elementType: ElementType
  /// The dimensions.
  public let shape: Shape
  /// The bytes in canonical form; exactly `byteCount` of them.
  public let source: any ByteSource
  /// Equal for tensors that share their bytes (tied weights, hard links); nil where that is not known.
  public let storage: StorageIdentity?
  private let obstruction: ObstructedSource?

  /// Why the elements cannot be read, for a tensor whose encoding we do not have.
  public var obstacle: IngotError? { obstruction?.obstacle }

  /// A tensor over `source`.
  ///
  /// - Throws: `malformed` where the source's size is not the shape's.
  public init(
    elementType: ElementType, shape: Shape, source: any ByteSource,
    storage: StorageIdentity? = nil
  ) throws {
    let needed = try shape.byteCount(of: elementType)
    guard source.byteCount == needed else {
      throw IngotError(
        .malformed,
        "shape \(shape) of \(elementType.name) needs \(needed) bytes, the file declares \(source.byteCount)"
      )
    }
    self.elementType = elementType
    self.shape = shape
    self.source = source
    self.storage = storage
    obstruction = nil
  }

  /// A tensor that can be listed but not read: its encoding is known, and none that Ingot decodes.
  ///
  /// - Throws: `malformed` where the shape's size overflows.
  public init(elementType: ElementType, shape: Shape, obstacle: IngotError) throws {
    self.elementType = elementType
    self.shape = shape
    let obstruction = ObstructedSource(
      byteCount: try shape.byteCount(of: elementType), obstacle: obstacle)
    self.obstruction = obstruction
    source = obstruction
    storage = nil
  }

  /// The size of the elements in bytes.
  public var byteCount: Int { source.byteCount }
}

/// The bytes of a tensor that cannot be read.
///
/// A class, so that a tensor stays small: tables hold many.
private final class ObstructedSource: ByteSource {
  let byteCount: Int
  let obstacle: IngotError

  init(byteCount: Int, obstacle: IngotError) {
    self.byteCount = byteCount
    self.obstacle = obstacle
  }

  func read(into buffer: inout MutableRawSpan, at offset: Int) throws { throw obstacle }
}
