/// New lazy tensors made of others. Nothing is read; a view of the same storage that is the same view
/// again has the same identity.
extension Tensor {
  /// The tensor with its axes in another order: axis `k` of the result is axis `axes[k]` of this one.
  ///
  /// - Parameter spoolFolder: Where a large source that can only be read in its own order is set aside.
  /// - Throws: `malformed` where `axes` is no permutation of this tensor's axes; `unsupported` where
  ///   elements that share bytes would move within them.
  public func transposed(_ axes: [Int], spoolFolder: String? = nil) throws -> Tensor {
    guard axes.sorted() == Array(0..<shape.rank) else {
      throw IngotError(
        .malformed, "\(axes) does not order the \(shape.rank) axes of shape \(shape)")
    }
    guard axes != Array(0..<shape.rank) else { return self }
    let (unitShape, unitAxes, unitByteWidth) = try wholeByteUnits(axes)
    return try view(
      shape: shape.permuted(axes), "transposed\(axes)",
      source: Transposed(
        source, elementByteWidth: unitByteWidth, shape: unitShape, axes: unitAxes,
        spoolFolder: spoolFolder))
  }

  /// The shape, order and size of the units that a transposition moves: elements, or, where elements
  /// share bytes, the rows of an innermost axis that stays in place.
  private func wholeByteUnits(
    _ axes: [Int]
  ) throws -> (shape: Shape, axes: [Int], byteWidth: Int) {
    let layout = elementType.layout
    if let byteWidth = layout.bytesPerElement { return (shape, axes, byteWidth) }
    let row = shape.dimensions.last ?? 0
    guard axes.last == shape.rank - 1, row % layout.elementsPerBlock == 0 else {
      throw IngotError(
        .unsupported, "\(elementType.name) of shape \(shape) cannot be transposed by \(axes)",
        hint: elementType.hasBlocks
          ? "its elements lie in blocks of \(layout.elementsPerBlock) along the last axis; --dtype casts them first"
          : "its elements share bytes along the last axis")
    }
    return (
      try Shape(shape.dimensions.dropLast()), axes.dropLast(), try elementType.byteCount(of: row)
    )
  }

  /// The elements `range` along `axis`.
  ///
  /// - Throws: `malformed` where axis or range leave the shape; `unsupported` where the range would cut a
  ///   block of elements that share bytes.
  public func sliced(axis: Int, range: Range<Int>) throws -> Tensor {
    let part = try Sliced(
      source, elementType: elementType, shape: shape, axis: axis, range: range)
    var dimensions = shape.dimensions
    dimensions[axis] = range.count
    return try view(shape: Shape(dimensions), "sliced[\(axis), \(range)]", source: part)
  }

  /// The same elements in the same order under another shape.
  ///
  /// - Throws: `malformed` where `shape` has another number of elements; `unsupported` where its rows would
  ///   cut a block.
  public func reshaped(to shape: Shape) throws -> Tensor {
    guard shape.elementCount == self.shape.elementCount else {
      throw IngotError(
        .malformed,
        "shape \(self.shape) of \(self.shape.elementCount) elements cannot become \(shape)")
    }
    guard shape.fillsBlocks(of: elementType) else {
      throw IngotError(
        .unsupported,
        "\(elementType.name) of shape \(self.shape) cannot become \(shape): it has blocks of \(elementType.layout.elementsPerBlock) elements"
      )
    }
    return try view(shape: shape, nil, source: source)
  }

  /// The tensors joined along `axis`.
  ///
  /// - Throws: `malformed` where there is nothing to join, or types or shapes do not fit; the first
  ///   part's obstacle where one cannot be read.
  public static func concatenated(_ parts: [Tensor], axis: Int) throws -> Tensor {
    let shape = try Concatenated.shape(joining: parts.map(\.shape), axis: axis)
    let elementType = parts[0].elementType
    if let other = parts.first(where: { $0.elementType != elementType }) {
      throw IngotError(
        .malformed, "\(elementType.name) and \(other.elementType.name) cannot be joined")
    }
    if let obstacle = parts.lazy.compactMap(\.obstacle).first {
      return try Tensor(elementType: elementType, shape: shape, obstacle: obstacle)
    }
    let identities = parts.compactMap(\.storage)
    return try Tensor(
      elementType: elementType, shape: shape,
      source: Concatenated(
        parts.map(\.source), elementType: elementType, shapes: parts.map(\.shape), axis: axis),
      storage: identities.count == parts.count
        ? StorageIdentity("joined[\(axis)](\(identities.map(\.text).joined(separator: ", ")))")
        : nil)
  }

  /// This tensor seen through `source`, or still not readable.
  private func view(
    shape: Shape, _ description: ExactString?, source: any ByteSource
  ) throws -> Tensor {
    if let obstacle {
      return try Tensor(elementType: elementType, shape: shape, obstacle: obstacle)
    }
    return try Tensor(
      elementType: elementType, shape: shape, source: source,
      storage: description.map { storage?.viewed($0) } ?? storage)
  }
}
