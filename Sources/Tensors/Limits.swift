/// Bounds on what a file may ask of us, each with its reason.
package enum Limits {
  /// NumPy and PyTorch stop at 64 dimensions.
  package static let rank = 64
  /// More tensors than any published checkpoint holds; keeps tables and reports in memory.
  package static let tensors = 1_000_000
  /// Members of a zip archive: those of a million tensors, and the few that formats put beside them.
  package static let members = tensors + 16
  /// Groups and datasets of an HDF5 file: Keras keeps few variables in a group, and groups in groups.
  package static let objects = 4 * tensors
  /// A name in bytes.
  ///
  /// HDF5 links and zip members end at 65,535 as well.
  package static let nameBytes = 65_535
  /// The `.npy` header; NumPy itself refuses to evaluate above 10,000 characters.
  package static let npyHeaderBytes = 65_536
  /// The safetensors header; the reference implementation's own cap.
  package static let safetensorsHeaderBytes = 100_000_000
  /// The index of a native file.
  package static let nativeIndexBytes = 256 << 20
  /// JSON documents beside or inside checkpoints: configurations, shard indexes, rules.
  package static let jsonBytes = 64 << 20
  /// A digest manifest: a line for each of a million tensors.
  package static let manifestBytes = 1 << 30
  /// Nesting of JSON, groups and datatypes: recursion stays far from the end of the stack.
  package static let depth = 128
  /// One HDF5 attribute; `model_config` of large Keras models reaches a few MiB.
  package static let attributeBytes = 16 << 20
  /// One HDF5 chunk before decompression, unless `--max-chunk` lifts it.
  package static let chunkBytes = 64 << 20
  /// Deflate cannot shrink by more than this factor, so a larger claim is a lie.
  package static let deflateRatio = 1032
  /// A deflated member above this ratio and above `bombBytes` is refused as a bomb, unless
  /// `--max-expansion` lifts it.
  package static let suspiciousRatio = 200
  /// The size from which `suspiciousRatio` counts.
  package static let bombBytes = 64 << 20
}
