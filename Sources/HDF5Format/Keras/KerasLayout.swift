internal import Tensors

/// How Keras orders what it puts into an HDF5 file.
enum KerasLayout {
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
