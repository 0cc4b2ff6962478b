package import Tensors

/// How Keras arranged an HDF5 file.
package enum KerasLayout: String, Sendable, CaseIterable {
  /// Not by Keras, or by nothing it left a mark of.
  case plain
  /// A whole model in the legacy format: `model_weights` with `layer_names`, and the configuration.
  case legacyModel = "keras-legacy-model"
  /// Weights alone in the legacy format: `layer_names` at the root.
  case legacyWeights = "keras-legacy-weights"
  /// Keras 3's `.weights.h5`: variables by number in groups named `vars`.
  case weights = "keras-3-weights"

  /// Recognises the layout of a table read from HDF5.
  package static func detect(_ table: TensorTable) -> KerasLayout {
    func hasNames(_ path: ExactString) -> Bool {
      ["layer_names", "layer_names0"].contains { table.metadata["\(path)@\($0)"]?.array != nil }
    }
    if hasNames("model_weights") { return .legacyModel }
    if hasNames("") { return .legacyWeights }
    let isNumbered = table.entries.contains { entry in
      let parts = entry.name.split(separator: "/", omittingEmptySubsequences: false)
      guard let last = parts.last, parts.dropLast().last == "vars" else { return false }
      return number(last) != nil
    }
    return isNumbered ? .weights : .plain
  }

  /// The members of a group in the order to list them: by number in a group of Keras variables, where
  /// links are sorted 0, 1, 10, 11, 2.
  static func ordered(_ group: ExactString, _ members: [ObjectTree.Child]) -> [ObjectTree.Child] {
    guard group == "vars" else { return members }
    let numbers = members.compactMap { number($0.name) }
    guard numbers.count == members.count, zip(numbers, numbers.dropFirst()).contains(where: >)
    else { return members }
    return zip(numbers, members).sorted { $0.0 < $1.0 }.map(\.1)
  }

  /// The number that a name spells, without leading zeros.
  static func number(_ name: ExactString) -> Int? {
    guard name.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), name == "0" || !name.hasPrefix("0") else {
      return nil
    }
    return Int(name.text)
  }
}
