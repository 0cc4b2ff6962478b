import Tensors

@testable import HDF5Format

/// How Keras arranged an HDF5 file, by the marks that it leaves.
enum KerasArrangement {
  /// Not by Keras, or by nothing it left a mark of.
  case plain
  /// A whole model in the legacy format: `model_weights` with `layer_names`, and the configuration.
  case legacyModel
  /// Weights alone in the legacy format: `layer_names` at the root.
  case legacyWeights
  /// Keras 3's `.weights.h5`: variables by number in groups named `vars`.
  case weights

  /// Recognises the arrangement of a table read from HDF5.
  init(of table: TensorTable) {
    func hasNames(_ path: ExactString) -> Bool {
      ["layer_names", "layer_names0"].contains { table.metadata["\(path)@\($0)"]?.array != nil }
    }
    let isNumbered = table.entries.contains { entry in
      let parts = entry.name.split(separator: "/", omittingEmptySubsequences: false)
      guard let last = parts.last, parts.dropLast().last == "vars" else { return false }
      return KerasLayout.number(last) != nil
    }
    self =
      hasNames("model_weights")
      ? .legacyModel : hasNames("") ? .legacyWeights : isNumbered ? .weights : .plain
  }
}
