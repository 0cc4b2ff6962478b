internal import Architectures
internal import Tensors

/// Reads the weights of operations, widened to the precision of the pass.
struct WeightReader: Sendable {
  let source: ForwardPass.WeightSource
  let jobs: Int

  init(_ source: @escaping ForwardPass.WeightSource, jobs: Int) {
    self.source = source
    self.jobs = jobs
  }

  /// The weight of that name of an operation, unread, or nil where the model has none.
  ///
  /// - Throws: `malformed` where it has not the shape that the description says.
  func tensor(_ name: String, of operation: Operation, _ scope: Scope) throws -> Tensor? {
    guard let weight = operation.weights.first(where: { $0.name == name }),
      try scope.environment.holds(weight.condition)
    else { return nil }
    let role = try Self.role(weight, of: operation, scope)
    return try Tensors.naming(tensor: ExactString(role)) {
      let tensor = try source(role)
      let expected = try Shape(weight.shape.map(scope.environment.count))
      guard tensor.shape == expected else {
        throw IngotError(.malformed, "expected shape \(expected), found \(tensor.shape)")
      }
      guard tensor.elementType.kind == .float else {
        throw IngotError(
          .unsupported, "\(tensor.elementType.name) weights cannot be computed with as they are")
      }
      if let obstacle = tensor.obstacle { throw obstacle }
      return tensor
    }
  }

  /// The role of the weight, or of the one that it is.
  static func role(_ weight: Weight, of operation: Operation, _ scope: Scope) throws -> String {
    if let tie = weight.tie, try scope.environment.holds(tie.condition) { return tie.role }
    return (scope.path + [operation.name, weight.name].compactMap { $0 }).joined(separator: ".")
  }

  /// The weight of that name of an operation, or nil where the model has none.
  func numbers<Scalar: Real>(
    _ name: String, of operation: Operation, _ scope: Scope
  ) throws -> Numbers<Scalar>? {
    guard let tensor = try tensor(name, of: operation, scope) else { return nil }
    return Numbers(
      shape: tensor.shape.dimensions, elements: try Self.elements(of: tensor, jobs: jobs))
  }

  /// The elements of a tensor.
  static func elements<Scalar: Real>(of tensor: Tensor, jobs: Int) throws -> [Scalar] {
    var elements: [Scalar] = []
    try read(tensor, 0..<tensor.shape.elementCount, into: &elements, jobs: jobs)
    return elements
  }

  /// Elements that are read at a time by one thread.
  private static let pieceElements = 1 << 18

  /// Reads the elements of a range into an array that is made as long as needed.
  static func read<Scalar: Real>(
    _ tensor: Tensor, _ range: Range<Int>, into elements: inout [Scalar], jobs: Int
  ) throws {
    if elements.count != range.count {
      elements = try Numbers<Scalar>(unfilled: [range.count]).elements
    }
    try fill(
      &elements, from: tensor.cast(to: Scalar.elementType).source, at: range.lowerBound, jobs)
  }

  /// The elements of a tensor as integers.
  static func integers(of tensor: Tensor) throws -> [Int64] {
    var elements = [Int64](repeating: 0, count: tensor.shape.elementCount)
    try fill(&elements, from: tensor.cast(to: .int64).source, at: 0, 1)
    return elements
  }

  /// Fills `elements`, whose type must be that of the source, from element `first` on.
  private static func fill<Element: BitwiseCopyable & Sendable>(
    _ elements: inout [Element], from source: any ByteSource, at first: Int, _ jobs: Int
  ) throws {
    let (count, width) = (elements.count, MemoryLayout<Element>.size)
    let pieces = (count + pieceElements - 1) / pieceElements
    let threads = source.access == .random ? jobs : 1
    // Pieces are disjoint parts of the array. Hosts are little-endian like canonical bytes, and every
    // pattern of bits is a number.
    try unsafe elements.withUnsafeMutableBufferPointer { buffer in
      let shared = unsafe SharedBuffer(buffer)
      try Parallel.run(pieces, jobs: threads) { piece in
        let start = piece * pieceElements
        let end = min(start + pieceElements, count)
        let part = unsafe UnsafeMutableBufferPointer(rebasing: shared.buffer[start..<end])
        var bytes = unsafe MutableRawSpan(_unsafeBytes: UnsafeMutableRawBufferPointer(part))
        try source.read(into: &bytes, at: (first + start) * width)
      }
    }
  }
}
