public import Tensors

/// HDF5 as Keras and h5py write it: plain trees and the Keras layouts, read and written by Ingot itself.
///
/// libhdf5 never meets foreign bytes: it crashes on damaged files. `Reading/` and `Writing/` hold the
/// format, `Keras/` the layouts.
public struct HDF5FileFormat: TensorFormat {
  /// The format has no settings.
  public init() {}

  /// The name that `--from` and `--to` take.
  public var identifier: String { "hdf5" }
  /// One line for `ingot formats`.
  public var summary: String { "HDF5 of h5py and Keras: plain trees, legacy .h5, .weights.h5" }
  /// Keras's longer ending first.
  public var fileExtensions: [String] { [".weights.h5", ".hdf5", ".h5"] }

  /// In chunks.
  public var compresses: Bool { true }

  /// The signature at the start of the file.
  public func recognizes(_ beginning: [UInt8], fileSize: Int) -> Bool {
    HDF5Reader.recognizes(beginning)
  }

  /// Reads the groups, datasets and attributes; data is read when it is asked for.
  public func read(_ input: FormatInput) throws -> TensorTable { try HDF5Reader.read(input) }

  /// Plans a plain tree, or with `--layout keras` what Keras loads.
  public func plan(_ table: TensorTable, _ options: WriteOptions) throws -> WritePlan {
    try HDF5Writer.plan(table, options)
  }
}
