/// The dimensions of a tensor: rank 0 (one element) to 64, any of them 0 (no elements).
public struct Shape: Sendable, Hashable {
  /// The extents, slowest axis first.
  public let dimensions: [Int]
  /// The product of the dimensions; 1 for rank 0.
  public let elementCount: Int

  /// Checks the dimensions and multiplies them.
  ///
  /// - Throws: `limit` above 64 dimensions; `malformed` for a negative one, or where the product of
  ///   the non-zero ones exceeds 2^63 (a later 0 does not excuse an overflow: NumPy and safetensors
  ///   disagree there, and a claim like that is never honest).
  public init(_ dimensions: [Int]) throws {
    guard dimensions.count <= Limits.rank else {
      throw IngotError(.limit, "rank \(dimensions.count) is above \(Limits.rank)")
    }
    var product = 1
    var isEmpty = false
    for dimension in dimensions {
      guard dimension >= 0 else { throw IngotError(.malformed, "negative dimension \(dimension)") }
      guard dimension > 0 else {
        isEmpty = true
        continue
      }
      product = try product.multiplied(by: dimension, "the product of shape \(dimensions)")
    }
    self.dimensions = dimensions
    elementCount = isEmpty ? 0 : product
  }

  private init(unchecked dimensions: [Int], elementCount: Int) {
    self.dimensions = dimensions
    self.elementCount = elementCount
  }

  /// The shape of a single element: `[]`.
  public static let scalar = Shape(unchecked: [], elementCount: 1)

  /// The number of dimensions.
  public var rank: Int { dimensions.count }

  /// The bytes that this many elements take.
  ///
  /// - Throws: `malformed` where the size exceeds 2^63 bits or the elements do not fill whole blocks, which
  ///   lie along the last dimension where a type has such.
  public func byteCount(of type: ElementType) throws -> Int {
    guard fillsBlocks(of: type) else {
      throw IngotError(
        .malformed,
        "shape \(self) does not end in a multiple of the \(type.layout.elementsPerBlock) elements of a block of \(type.name)"
      )
    }
    return try type.byteCount(of: elementCount, "the size of shape \(self)")
  }

  /// Whether each row along the last dimension has whole blocks; of a type without blocks any has.
  package func fillsBlocks(of type: ElementType) -> Bool {
    !type.hasBlocks || (dimensions.last ?? 1) % type.layout.elementsPerBlock == 0
  }

  /// The shape with its axes in the order `axes`, which must be a permutation.
  package func permuted(_ axes: [Int]) -> Shape {
    Shape(unchecked: axes.map { dimensions[$0] }, elementCount: elementCount)
  }
}

extension Shape: CustomStringConvertible {
  /// As people write it: `768×3072`, or `scalar`.
  public var description: String {
    dimensions.isEmpty ? "scalar" : dimensions.map(String.init).joined(separator: "×")
  }
}
