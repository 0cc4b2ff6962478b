import TestSupport
import Tensors

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
