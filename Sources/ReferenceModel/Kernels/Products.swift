/// Matrix products by our own loops: the same bits on every processor, however the work is split.
///
/// Every element of a product is one chain of fused multiply-adds along the inner dimension, from its first element to
/// its last. The chain begins with what is there, so that a product that is computed in parts of its inner dimension has
/// the bits of one that is computed at once.
enum Products {
  /// What computes a product.
  enum Way: Sendable {
    /// Our vectors.
    case vectors
    /// The definition.
    case plain
  }

  /// How the second matrix of a product lies in memory.
  enum Layout: Sendable {
    /// columns × inner: as weights of `Linear` layers are stored.
    case outputsFirst
    /// inner × columns.
    case inputsFirst
  }

  /// c[i, at + j] = Σ a[i, from + l] · b(l, j), added to what is there or instead of it.
  ///
  /// Rows of a have `width` elements, rows of c `pitch`; b is packed. It may be stored as a smaller type,
  /// and is widened as it is read.
  static func multiply<Scalar: Real, Stored: Real>(
    _ a: [Scalar], rows: Int, from aOffset: Int = 0, width aPitch: Int? = nil, by b: [Stored],
    _ layout: Layout, columns: Int, inner: Int, into c: inout [Scalar], at offset: Int = 0,
    pitch: Int, adding isSum: Bool, jobs: Int, by way: Way = .vectors
  ) {
    let aPitch = aPitch ?? inner
    precondition(aOffset >= 0 && aOffset + inner <= aPitch && rows * aPitch <= a.count)
    precondition(columns * inner <= b.count)
    precondition(offset >= 0 && offset + columns <= pitch && rows * pitch <= c.count)
    guard rows > 0, columns > 0 else { return }
    // The longer side is shared out, so that each thread prepares less of the other.
    let pieces = rows * columns * inner < 1 << 16 ? 1 : jobs
    let byRows = rows > columns
    let length = byRows ? rows : columns
    let size = ((length + pieces - 1) / pieces + 15) / 16 * 16
    let (bPitch, bStep) = layout == .outputsFirst ? (inner, inner) : (columns, 1)
    // Every product reads and writes within the sizes that were checked above, and each its own part
    // of c.
    unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in
        unsafe c.withUnsafeMutableBufferPointer { c in
          guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else { return }
          let matrices = unsafe Matrices(a: a + aOffset, b: b, c: c + offset)
          Parallel.run((length + size - 1) / size, jobs: jobs) { piece in
            let first = piece * size
            let count = min(size, length - first)
            let (row, column) = byRows ? (first, 0) : (0, first)
            unsafe multiply(
              matrices.a + row * aPitch, pitch: aPitch, isTransposed: false,
              matrices.b + column * bStep, pitch: bPitch, isTransposed: layout == .outputsFirst,
              into: matrices.c + row * pitch + column, pitch: pitch, adding: isSum,
              m: byRows ? count : rows, n: byRows ? columns : count, k: inner, by: way)
          }
        }
      }
    }
  }

  /// What the pieces of a product share; each writes its own part of `c`.
  @unsafe
  private struct Matrices<Scalar, Stored>: @unchecked Sendable {
    let a: UnsafePointer<Scalar>
    let b: UnsafePointer<Stored>
    let c: UnsafeMutablePointer<Scalar>
  }

  /// c ← a·b, or c + a·b, for matrices in row-major order with the given pitches, in the calling thread.
  @unsafe
  static func multiply<Scalar: Real, Stored: Real>(
    _ a: UnsafePointer<Scalar>, pitch aPitch: Int, isTransposed aIs: Bool,
    _ b: UnsafePointer<Stored>, pitch bPitch: Int, isTransposed bIs: Bool,
    into c: UnsafeMutablePointer<Scalar>, pitch cPitch: Int, adding isSum: Bool,
    m: Int, n: Int, k: Int, by way: Way = .vectors
  ) {
    let isDone =
      unsafe way != .plain && k > 0
      && Scalar.multiply(
        a, pitch: aPitch, isTransposed: aIs, b, pitch: bPitch, isTransposed: bIs,
        into: c, pitch: cPitch, adding: isSum, m: m, n: n, k: k)
    // The vectors need memory to pack the matrices; the definition does without.
    guard !isDone else { return }
    unsafe multiplyPlainly(
      a, pitch: aPitch, isTransposed: aIs, b, pitch: bPitch, isTransposed: bIs,
      into: c, pitch: cPitch, adding: isSum, m: m, n: n, k: k)
  }

  /// The definition; every index is below the size that its pitch belongs to.
  @unsafe
  static func multiplyPlainly<Scalar: Real, Stored: Real>(
    _ a: UnsafePointer<Scalar>, pitch aPitch: Int, isTransposed aIs: Bool,
    _ b: UnsafePointer<Stored>, pitch bPitch: Int, isTransposed bIs: Bool,
    into c: UnsafeMutablePointer<Scalar>, pitch cPitch: Int, adding isSum: Bool,
    m: Int, n: Int, k: Int
  ) {
    for i in 0..<m {
      for j in 0..<n {
        var sum = unsafe isSum ? c[i * cPitch + j] : 0
        for l in 0..<k {
          unsafe sum.addProduct(
            a[aIs ? l * aPitch + i : i * aPitch + l],
            Scalar(b[bIs ? j * bPitch + l : l * bPitch + j]))
        }
        unsafe c[i * cPitch + j] = sum
      }
    }
  }
}
