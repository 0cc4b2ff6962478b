#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// The C library's functions in double precision, for what is computed once: tables of positions,
/// formulas.
package enum Libm {
  #if canImport(Glibc)
  package static func sin(_ x: Double) -> Double { Glibc.sin(x) }
  package static func cos(_ x: Double) -> Double { Glibc.cos(x) }
  package static func pow(_ x: Double, _ y: Double) -> Double { Glibc.pow(x, y) }
  package static func log(_ x: Double) -> Double { Glibc.log(x) }
  #elseif canImport(Musl)
  package static func sin(_ x: Double) -> Double { Musl.sin(x) }
  package static func cos(_ x: Double) -> Double { Musl.cos(x) }
  package static func pow(_ x: Double, _ y: Double) -> Double { Musl.pow(x, y) }
  package static func log(_ x: Double) -> Double { Musl.log(x) }
  #else
  package static func sin(_ x: Double) -> Double { Darwin.sin(x) }
  package static func cos(_ x: Double) -> Double { Darwin.cos(x) }
  package static func pow(_ x: Double, _ y: Double) -> Double { Darwin.pow(x, y) }
  package static func log(_ x: Double) -> Double { Darwin.log(x) }
  #endif
}
