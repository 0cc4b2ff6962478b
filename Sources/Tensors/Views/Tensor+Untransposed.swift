extension Tensor {
  /// The matrix that this one is the transposition of, or nil where it is none.
  ///
  /// Who can compute with either need not wait for the bytes to change places. Some rows of a
  /// transposition are some columns of what was transposed.
  public var untransposed: Tensor? {
    guard obstacle == nil, shape.rank == 2, let width = elementType.layout.bytesPerElement else {
      return nil
    }
    let (rows, columns) = (shape.dimensions[0], shape.dimensions[1])
    if let view = source as? Transposed,
      view.isMatrix(rows: columns, columns: rows, elementByteWidth: width)
    {
      return try? Tensor(
        elementType: elementType, shape: Shape([columns, rows]), source: view.original)
    }
    guard let slice = source as? Sliced, slice.isContiguous, rows > 0, columns > 0,
      let view = slice.base as? Transposed
    else { return nil }
    let (allRows, first) = (
      view.byteCount / (columns * width), slice.start / (columns * width)
    )
    guard slice.start % (columns * width) == 0,
      view.isMatrix(rows: columns, columns: allRows, elementByteWidth: width)
    else { return nil }
    return try? Tensor(
      elementType: elementType, shape: Shape([columns, allRows]), source: view.original
    ).sliced(axis: 1, range: first..<first + rows)
  }
}
