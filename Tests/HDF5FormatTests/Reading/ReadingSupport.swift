import TestSupport
import Tensors
import Testing

@testable import HDF5Format

extension HDF5Reader {
  static func read(_ bytes: [UInt8]) throws -> TensorTable {
    try read(FormatInput(path: "x.h5", source: ArraySource(bytes)))
  }
}

extension TensorTable {
  /// All bytes of a tensor.
  func content(_ name: String) throws -> [UInt8] {
    guard let tensor = self[name] else { throw IngotError(.internal, "no tensor \(name)") }
    return try tensor.source.everything()
  }
}

/// The class of opening a file and reading all of it: an error's, or nil where nothing is wrong.
func fault(_ bytes: [UInt8]) throws -> IngotError? {
  do {
    let table = try HDF5Reader.read(bytes)
    for entry in table.entries { _ = try entry.tensor.source.everything() }
    return nil
  } catch let error as IngotError { return error }
}

func faultClass(_ bytes: [UInt8]) throws -> ErrorClass? { try fault(bytes)?.errorClass }

/// Bytes, and what a reader must say of them: class and words of its refusal, or nil where they are legal.
///
/// The words show which check it was that refused: where that one is gone, a later one often refuses too.
struct Verdict: Sendable, CustomTestStringConvertible {
  let bytes: [UInt8]
  let refusal: String?
  let testDescription: String

  static func refused(
    _ message: String, as errorClass: ErrorClass = .malformed, _ bytes: [UInt8]
  ) -> Verdict {
    let refusal = "\(errorClass): \(message)"
    return Verdict(bytes: bytes, refusal: refusal, testDescription: refusal)
  }

  static func legal(_ what: String, _ bytes: [UInt8]) -> Verdict {
    Verdict(bytes: bytes, refusal: nil, testDescription: what)
  }

  /// Expects of `read` what the verdict says.
  func expect(
    at location: SourceLocation = #_sourceLocation, of read: (inout ByteReader) throws -> Void
  ) throws {
    var reader = ByteReader(bytes)
    do {
      try read(&reader)
      #expect(refusal == nil, sourceLocation: location)
    } catch let error as IngotError {
      #expect("\(error.errorClass): \(error.message)" == refusal, sourceLocation: location)
    }
  }

  /// Expects what the verdict says of a whole file and all its tensors.
  func expectOfFile(at location: SourceLocation = #_sourceLocation) throws {
    let error = try fault(bytes)
    #expect(error.map { "\($0.errorClass): \($0.message)" } == refusal, sourceLocation: location)
  }
}
