/// HDF5's shuffle filter: the first bytes of all elements, then the second ones, and so on.
enum Shuffle {
  /// Elements of `width` bytes, sorted by significance; a rest shorter than an element stays at the end.
  static func shuffled(_ bytes: [UInt8], width: Int) -> [UInt8] {
    let count = bytes.count / width
    var result = bytes
    for byte in 0..<width {
      let plane = byte * count
      for element in 0..<count { result[plane + element] = bytes[element * width + byte] }
    }
    return result
  }
}
