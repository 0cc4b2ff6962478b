internal import Architectures
internal import Tensors

extension ModelInputs {
  /// [batch, sequence] of the inputs on the side of `name`.
  func shape(like name: String) -> [Int]? {
    let isDecoder = name.hasPrefix("decoder_")
    func isOnSide(_ other: String) -> Bool { other.hasPrefix("decoder_") == isDecoder }
    let ids = integers.filter {
      isOnSide($0.key) && $0.value.shape.count == 2 && $0.key != "labels"
        && !$0.key.hasSuffix("attention_mask")
    }
    if let shape = ids.values.first?.shape { return shape }
    return reals.first { isOnSide($0.key) && $0.value.shape.count == 3 }?.value.shape.dropLast()
  }

  /// The shapes of what was given, and of ids that were left out.
  func shapes(of model: Model) throws -> [String: [Int]] {
    var shapes = integers.mapValues(\.shape)
    for (name, input) in reals { shapes[name] = input.shape }
    for input in model.architecture.inputs
    where try input.kind == .ids && model.environment.holds(input.condition) {
      shapes[input.name] = shapes[input.name] ?? shape(like: input.name)
    }
    return shapes
  }
}
