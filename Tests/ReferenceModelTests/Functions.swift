import Foundation

/// The C library's functions, as oracles; apart, because Foundation has an `Operation` of its own.
enum Functions {
  static func tanh(_ x: Double) -> Double { Foundation.tanh(x) }
}
