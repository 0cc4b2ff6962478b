internal import CBLAS

/// Matrix products: by the BLAS that is loaded with the first of them, or by our own loops.
enum Products {
  /// What computes a product.
  enum Way: Sendable {
    /// The library where there is one, else our vectors.
    case best
    /// Our vectors.
    case vectors
    /// The definition.
    case plain
  }

  /// The name of the BLAS in use, or nil where there is none.
  static var library: String? {
    guard let name = unsafe ingot_blas_load() else { return nil }
    return unsafe String(cString: name)
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
    pitch: Int, adding isSum: Bool, jobs: Int, by way: Way = .best
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
              into: matrices.c + row * pitch + column, pitch: pitch, adding: isSum ? 1 : 0,
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

  /// Rows up to which our loops are as good as any library's.
  ///
  /// They read b once, and widen it on the way where it is stored as a smaller type; a copy for the library
  /// would cost more than all of the product.
  private static let fewRows = 4

  /// c ← a·b + beta·c for matrices in row-major order with the given pitches, in the calling thread.
  @unsafe
  static func multiply<Scalar: Real, Stored: Real>(
    _ a: UnsafePointer<Scalar>, pitch aPitch: Int, isTransposed aIs: Bool,
    _ b: UnsafePointer<Stored>, pitch bPitch: Int, isTransposed bIs: Bool,
    into c: UnsafeMutablePointer<Scalar>, pitch cPitch: Int, adding beta: Scalar,
    m: Int, n: Int, k: Int, by way: Way = .best
  ) {
    let largest = Int(Int32.max)
    if way == .best, unsafe ingot_blas_load() != nil, max(m, n, k) <= largest,
      max(aPitch, bPitch, cPitch) <= largest, m > fewRows
    {
      let (bRows, bWidth) = bIs ? (n, k) : (k, n)
      unsafe withWidened(b, max(0, (bRows - 1) * bPitch + bWidth)) { b in
        unsafe Scalar.multiply(
          a, pitch: Int32(aPitch), as: aIs ? INGOT_TRANSPOSED : INGOT_AS_IT_IS,
          b, pitch: Int32(bPitch), as: bIs ? INGOT_TRANSPOSED : INGOT_AS_IT_IS,
          into: c, pitch: Int32(cPitch), adding: beta, m: Int32(m), n: Int32(n), k: Int32(k))
      }
    } else {
      let isDone =
        unsafe way != .plain && k > 0
        && Scalar.multiplyWithoutLibrary(
          a, pitch: aPitch, isTransposed: aIs, b, pitch: bPitch, isTransposed: bIs,
          into: c, pitch: cPitch, adding: beta, m: m, n: n, k: k)
      guard !isDone else { return }
      unsafe multiplyPlainly(
        a, pitch: aPitch, isTransposed: aIs, b, pitch: bPitch, isTransposed: bIs,
        into: c, pitch: cPitch, adding: beta, m: m, n: n, k: k)
    }
  }

  /// Calls `body` with `count` elements as the type that is computed in: themselves, or a copy.
  @unsafe
  static func withWidened<Scalar: Real, Stored: Real>(
    _ stored: UnsafePointer<Stored>, _ count: Int, _ body: (UnsafePointer<Scalar>) -> Void
  ) {
    if let same = unsafe stored as? UnsafePointer<Scalar> { return unsafe body(same) }
    let wide = unsafe [Scalar](unsafeUninitializedCapacity: count) { buffer, initialized in
      for index in 0..<count { unsafe buffer[index] = Scalar(stored[index]) }
      initialized = count
    }
    unsafe wide.withUnsafeBufferPointer { wide in
      if let wide = wide.baseAddress { unsafe body(wide) }
    }
  }

  /// The definition; every index is below the size that its pitch belongs to.
  @unsafe
  static func multiplyPlainly<Scalar: Real, Stored: Real>(
    _ a: UnsafePointer<Scalar>, pitch aPitch: Int, isTransposed aIs: Bool,
    _ b: UnsafePointer<Stored>, pitch bPitch: Int, isTransposed bIs: Bool,
    into c: UnsafeMutablePointer<Scalar>, pitch cPitch: Int, adding beta: Scalar,
    m: Int, n: Int, k: Int
  ) {
    for i in 0..<m {
      for j in 0..<n {
        var sum: Scalar = 0
        for l in 0..<k {
          unsafe sum +=
            a[aIs ? l * aPitch + i : i * aPitch + l]
            * Scalar(b[bIs ? j * bPitch + l : l * bPitch + j])
        }
        let before = unsafe beta == 0 ? 0 : beta * c[i * cPitch + j]
        unsafe c[i * cPitch + j] = before + sum
      }
    }
  }
}
