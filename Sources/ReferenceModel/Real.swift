internal import CKernels
internal import Tensors

/// A type that the forward pass computes in: `Double` or `Float`.
protocol Real: BinaryFloatingPoint, BitwiseCopyable, Sendable {
  /// What tensors of this type hold.
  static var elementType: ElementType { get }
  /// Wraps an array of this type for users.
  static func wrap(_ elements: [Self]) -> StateValue.Elements

  /// e to the power x.
  static func exp(_ x: Self) -> Self

  /// The product by our vectors, which read b of a smaller type too; false, and nothing is done, where memory lacks.
  @unsafe
  static func multiply<Stored: Real>(
    _ a: UnsafePointer<Self>, pitch aPitch: Int, isTransposed aIs: Bool,
    _ b: UnsafePointer<Stored>, pitch bPitch: Int, isTransposed bIs: Bool,
    into c: UnsafeMutablePointer<Self>, pitch cPitch: Int, adding isSum: Bool,
    m: Int, n: Int, k: Int
  ) -> Bool

  /// The kernels of this type; `count` elements lie at each pointer.
  @unsafe
  static func softmax(_ x: UnsafeMutablePointer<Self>, _ count: Int, scale: Self)
  @unsafe
  static func activate(_ x: UnsafeMutablePointer<Self>, _ count: Int, _ function: ingot_activation)
  @unsafe
  static func softCap(_ x: UnsafeMutablePointer<Self>, _ count: Int, _ cap: Self)
  @unsafe
  static func normalize(
    _ x: UnsafeMutablePointer<Self>, _ rows: Int, _ width: Int, _ kind: ingot_norm,
    epsilon: Self, scale: UnsafePointer<Self>, shift: UnsafePointer<Self>)
  @unsafe
  static func add(_ x: UnsafeMutablePointer<Self>, _ y: UnsafePointer<Self>, _ count: Int)
  @unsafe
  static func multiply(_ x: UnsafeMutablePointer<Self>, _ y: UnsafePointer<Self>, _ count: Int)
  @unsafe
  static func scale(_ x: UnsafeMutablePointer<Self>, by factor: Self, _ count: Int)
}

extension Double: Real {
  static var elementType: ElementType { .float64 }
  static func wrap(_ elements: [Double]) -> StateValue.Elements { .float64(elements) }
  static func exp(_ x: Double) -> Double { Elementary.exp(x) }

  // The kernels are those of C: what the protocol says of the pointers is what they ask for.
  @unsafe
  static func multiply<Stored: Real>(
    _ a: UnsafePointer<Double>, pitch aPitch: Int, isTransposed aIs: Bool,
    _ b: UnsafePointer<Stored>, pitch bPitch: Int, isTransposed bIs: Bool,
    into c: UnsafeMutablePointer<Double>, pitch cPitch: Int, adding isSum: Bool,
    m: Int, n: Int, k: Int
  ) -> Bool {
    if let b = unsafe b as? UnsafePointer<Float> {
      return unsafe ingot_product64_of_32(
        aIs ? 1 : 0, bIs ? 1 : 0, m, n, k, a, aPitch, b, bPitch, isSum ? 1 : 0, c, cPitch) != 0
    }
    guard let b = unsafe b as? UnsafePointer<Double> else { return false }
    return unsafe ingot_product64(
      aIs ? 1 : 0, bIs ? 1 : 0, m, n, k, a, aPitch, b, bPitch, isSum ? 1 : 0, c, cPitch) != 0
  }

  @unsafe
  static func softmax(_ x: UnsafeMutablePointer<Double>, _ count: Int, scale: Double) {
    unsafe ingot_softmax64(x, count, scale)
  }

  @unsafe
  static func activate(
    _ x: UnsafeMutablePointer<Double>, _ count: Int, _ function: ingot_activation
  ) {
    unsafe ingot_activate64(x, count, function)
  }

  @unsafe
  static func softCap(_ x: UnsafeMutablePointer<Double>, _ count: Int, _ cap: Double) {
    unsafe ingot_soft_cap64(x, count, cap)
  }

  @unsafe
  static func normalize(
    _ x: UnsafeMutablePointer<Double>, _ rows: Int, _ width: Int, _ kind: ingot_norm,
    epsilon: Double, scale: UnsafePointer<Double>, shift: UnsafePointer<Double>
  ) {
    unsafe ingot_normalize64(x, rows, width, kind, epsilon, scale, shift)
  }

  @unsafe
  static func add(_ x: UnsafeMutablePointer<Double>, _ y: UnsafePointer<Double>, _ count: Int) {
    unsafe ingot_add64(x, y, count)
  }

  @unsafe
  static func multiply(_ x: UnsafeMutablePointer<Double>, _ y: UnsafePointer<Double>, _ count: Int)
  {
    unsafe ingot_multiply64(x, y, count)
  }

  @unsafe
  static func scale(_ x: UnsafeMutablePointer<Double>, by factor: Double, _ count: Int) {
    unsafe ingot_scale64(x, factor, count)
  }
}

extension Float: Real {
  static var elementType: ElementType { .float32 }
  static func wrap(_ elements: [Float]) -> StateValue.Elements { .float32(elements) }
  // Through float64: single precision comes out correctly rounded but for rare ties.
  static func exp(_ x: Float) -> Float { Float(Elementary.exp(Double(x))) }

  @unsafe
  static func multiply<Stored: Real>(
    _ a: UnsafePointer<Float>, pitch aPitch: Int, isTransposed aIs: Bool,
    _ b: UnsafePointer<Stored>, pitch bPitch: Int, isTransposed bIs: Bool,
    into c: UnsafeMutablePointer<Float>, pitch cPitch: Int, adding isSum: Bool,
    m: Int, n: Int, k: Int
  ) -> Bool {
    guard let b = unsafe b as? UnsafePointer<Float> else { return false }
    return unsafe ingot_product32(
      aIs ? 1 : 0, bIs ? 1 : 0, m, n, k, a, aPitch, b, bPitch, isSum ? 1 : 0, c, cPitch) != 0
  }

  @unsafe
  static func softmax(_ x: UnsafeMutablePointer<Float>, _ count: Int, scale: Float) {
    unsafe ingot_softmax32(x, count, scale)
  }

  @unsafe
  static func activate(_ x: UnsafeMutablePointer<Float>, _ count: Int, _ function: ingot_activation)
  {
    unsafe ingot_activate32(x, count, function)
  }

  @unsafe
  static func softCap(_ x: UnsafeMutablePointer<Float>, _ count: Int, _ cap: Float) {
    unsafe ingot_soft_cap32(x, count, cap)
  }

  @unsafe
  static func normalize(
    _ x: UnsafeMutablePointer<Float>, _ rows: Int, _ width: Int, _ kind: ingot_norm,
    epsilon: Float, scale: UnsafePointer<Float>, shift: UnsafePointer<Float>
  ) {
    unsafe ingot_normalize32(x, rows, width, kind, epsilon, scale, shift)
  }

  @unsafe
  static func add(_ x: UnsafeMutablePointer<Float>, _ y: UnsafePointer<Float>, _ count: Int) {
    unsafe ingot_add32(x, y, count)
  }

  @unsafe
  static func multiply(_ x: UnsafeMutablePointer<Float>, _ y: UnsafePointer<Float>, _ count: Int) {
    unsafe ingot_multiply32(x, y, count)
  }

  @unsafe
  static func scale(_ x: UnsafeMutablePointer<Float>, by factor: Float, _ count: Int) {
    unsafe ingot_scale32(x, factor, count)
  }
}
