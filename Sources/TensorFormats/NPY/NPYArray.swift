internal import Tensors

/// What an `.npy` file or member turns out to be.
enum NPYArray {
  case tensor(Tensor)
  case other(OtherItem)

  /// Makes a lazy tensor of `stored`, the bytes that follow `header`.
  ///
  /// - Parameters:
  ///   - name: The name under which something that is no tensor is listed.
  ///   - offset: Where the header begins in the file, for errors.
  init(
    _ header: NPYHeader, named name: ExactString, _ stored: any ByteSource, offset: Int,
    options: ReadOptions
  ) throws {
    let shape = try naming(offset: offset) { try Shape(header.shape) }
    switch header.description {
    case .objects:
      self = .other(
        OtherItem(
          name: name, type: "object", shape: shape,
          refusal: IngotError(
            .unsafe, "an array of Python objects is a pickle, which is never read", tensor: name,
            offset: offset)))
    case .other(let type):
      self = .other(
        OtherItem(
          name: name, type: type, shape: shape,
          refusal: IngotError(
            .unsupported, "an array of type \(type) is no tensor", tensor: name, offset: offset,
            hint: Self.hint(for: type))))
    case .elements(let type, let isBigEndian):
      let needed = try naming(offset: offset) { try shape.byteCount(of: type) }
      guard needed == stored.byteCount else {
        throw IngotError(
          .malformed,
          "shape \(shape) of \(type.name) needs \(needed) bytes, the file holds \(stored.byteCount)",
          offset: offset + header.size)
      }
      var elements = stored
      if isBigEndian { elements = try ByteSwapped(elements, wordWidth: type.wordWidth) }
      if header.isFortranOrder {
        // Column-major order is the row-major order of the reversed shape.
        let axes = Array((0..<shape.rank).reversed())
        elements = try Transposed(
          elements, elementByteWidth: try type.byteCount(of: 1), shape: shape.permuted(axes),
          axes: axes, spoolFolder: options.temporaryFolder)
      }
      self = .tensor(try Tensor(elementType: type, shape: shape, source: elements))
    }
  }

  private static func hint(for type: String) -> String? {
    type == "void" || type == "f1"
      ? "NumPy writes ml_dtypes' bfloat16 and float8 without their type; save such weights as safetensors"
      : nil
  }
}
