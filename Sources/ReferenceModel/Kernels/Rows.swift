internal import Architectures
internal import CKernels

/// Loops over rows of numbers: the vector kernels behind checked interfaces.
///
/// Beside each that is more than one operation an element stands its definition, which the tests hold
/// it against.
enum Rows {
  /// Calls `body` with the address of `count` elements of `x` from `start` on.
  private static func withElements<Scalar: Real>(
    _ x: inout MutableSpan<Scalar>, _ start: Int, _ count: Int,
    _ body: (UnsafeMutablePointer<Scalar>) -> Void
  ) {
    precondition(start >= 0 && count >= 0 && start <= x.count - count)
    guard count > 0 else { return }
    // The range was checked just above.
    unsafe x.withUnsafeMutableBufferPointer { buffer in
      guard let address = buffer.baseAddress else { return }
      unsafe body(address + start)
    }
  }

  /// Normalises rows of `scale.count` elements, all of `x`.
  static func normalize<Scalar: Real>(
    _ x: inout MutableSpan<Scalar>, _ kind: Operation.Norm.Kind, epsilon: Scalar,
    scale: [Scalar], shift: [Scalar]
  ) {
    let width = scale.count
    precondition(shift.count == width && width > 0 && x.count % width == 0)
    let rows = x.count / width
    let norm =
      switch kind {
      case .layer: INGOT_LAYER_NORM
      case .rms: INGOT_RMS_NORM
      case .bessel: INGOT_BESSEL_NORM
      }
    // Scale and shift have the width of a row.
    unsafe scale.withUnsafeBufferPointer { scale in
      unsafe shift.withUnsafeBufferPointer { shift in
        guard let scale = scale.baseAddress, let shift = shift.baseAddress else { return }
        unsafe withElements(&x, 0, rows * width) {
          unsafe Scalar.normalize(
            $0, rows, width, norm, epsilon: epsilon, scale: scale, shift: shift)
        }
      }
    }
  }

  /// The definition of `normalize` for the row from `start` on.
  static func normalizePlainly<Scalar: Real>(
    _ x: inout MutableSpan<Scalar>, _ start: Int, _ width: Int, _ kind: Operation.Norm.Kind,
    epsilon: Scalar, scale: [Scalar], shift: [Scalar]
  ) {
    let count = Scalar(width)
    var mean: Scalar = 0
    switch kind {
    case .layer, .bessel:
      for i in 0..<width { mean += x[start + i] }
      mean /= count
    case .rms: break
    }
    // The squared distances from the mean; RMS norm takes them from 0.
    var squares: Scalar = 0
    for i in 0..<width {
      let distance = x[start + i] - mean
      squares += distance * distance
    }
    let factor: Scalar =
      switch kind {
      case .layer, .rms: 1 / (squares / count + epsilon).squareRoot()
      case .bessel: 1 / ((squares / (count - 1)).squareRoot() + epsilon)
      }
    for i in 0..<width { x[start + i] = (x[start + i] - mean) * factor * scale[i] + shift[i] }
  }

  /// exp(scale · (x − max)) / Σ over the `width` elements from `start` on; all 0 where every one is
  /// −∞.
  static func softmax<Scalar: Real>(
    _ x: inout MutableSpan<Scalar>, _ start: Int, _ width: Int, scale: Scalar = 1
  ) {
    unsafe withElements(&x, start, width) { unsafe Scalar.softmax($0, width, scale: scale) }
  }

  /// The definition of `softmax`.
  static func softmaxPlainly<Scalar: Real>(
    _ x: inout MutableSpan<Scalar>, _ start: Int, _ width: Int, scale: Scalar = 1
  ) {
    var largest = -Scalar.infinity
    for i in 0..<width {
      // NaN must not be lost: a comparison with it is false.
      let value = x[start + i]
      if !(value <= largest) { largest = value }
    }
    guard largest > -.infinity || largest.isNaN else {
      for i in 0..<width { x[start + i] = 0 }
      return
    }
    var sum: Scalar = 0
    for i in 0..<width {
      let value = Scalar.exp(scale * (x[start + i] - largest))
      x[start + i] = value
      sum += value
    }
    for i in 0..<width { x[start + i] /= sum }
  }

  /// The function of each element.
  static func activate<Scalar: Real>(_ x: inout MutableSpan<Scalar>, _ function: Activation) {
    let kernel: ingot_activation
    switch function {
    case .relu: kernel = INGOT_RELU
    case .gelu: kernel = INGOT_GELU
    case .geluTanh: kernel = INGOT_GELU_TANH
    case .geluSigmoid: kernel = INGOT_GELU_SIGMOID
    case .silu: kernel = INGOT_SILU
    case .tanh: kernel = INGOT_TANH
    }
    let count = x.count
    unsafe withElements(&x, 0, count) { unsafe Scalar.activate($0, count, kernel) }
  }

  /// cap · tanh(x / cap) of the `count` elements from `start` on; the cap is above 0.
  static func softCap<Scalar: Real>(
    _ x: inout MutableSpan<Scalar>, _ start: Int, _ count: Int, _ cap: Scalar
  ) {
    unsafe withElements(&x, start, count) { unsafe Scalar.softCap($0, count, cap) }
  }

  /// x[start + i] += y[from + i], or times it.
  static func combine<Scalar: Real>(
    _ x: inout MutableSpan<Scalar>, _ start: Int, _ kind: Operation.Combine.Kind, _ y: [Scalar],
    from: Int, count: Int
  ) {
    precondition(from >= 0 && from <= y.count - count)
    // The range of y was checked just above.
    unsafe y.withUnsafeBufferPointer { y in
      guard let y = y.baseAddress else { return }
      unsafe withElements(&x, start, count) { x in
        switch kind {
        case .add: unsafe Scalar.add(x, y + from, count)
        case .multiply: unsafe Scalar.multiply(x, y + from, count)
        }
      }
    }
  }

  /// x[i] *= factor.
  static func scale<Scalar: Real>(_ x: inout MutableSpan<Scalar>, by factor: Scalar) {
    let count = x.count
    unsafe withElements(&x, 0, count) { unsafe Scalar.scale($0, by: factor, count) }
  }

  /// x[start + i] = y[i].
  static func copy<Scalar: Real>(_ y: [Scalar], to x: inout MutableSpan<Scalar>, _ start: Int) {
    // As many elements as y has, where x was checked to have them.
    unsafe y.withUnsafeBufferPointer { y in
      unsafe withElements(&x, start, y.count) { x in
        guard let address = y.baseAddress else { return }
        unsafe x.update(from: address, count: y.count)
      }
    }
  }
}
