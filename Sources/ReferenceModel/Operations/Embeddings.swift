internal import Architectures
internal import Tensors

extension Evaluation {
  /// ids [batch, sequence] → rows of the table: [batch, sequence, width].
  func embedding(
    _ it: Operation.Embedding, _ operation: Operation, _ scope: Scope
  ) throws -> Numbers<Scalar> {
    let width = try scope.environment.count(it.width)
    let rows = try scope.environment.count(it.rows)
    let ids: ModelInputs.Integers
    if let given = inputs.integers[it.input] {
      ids = given
    } else {
      // An optional input that is left out is all 0, with the shape of the others.
      guard let other = inputs.shape(like: it.input) else {
        throw IngotError(.malformed, "the input '\(it.input)' is missing")
      }
      ids = .init(shape: other, elements: [Int](repeating: 0, count: other.reduce(1, *)))
    }
    if let id = ids.elements.first(where: { $0 >= rows }) {
      throw IngotError(.malformed, "the input '\(it.input)': \(id) is above the \(rows) rows")
    }
    guard let table = try weights.tensor("weight", of: operation, scope) else {
      throw IngotError(.internal, "an embedding without a table")
    }
    return Numbers(
      shape: ids.shape + [width], elements: try gather(ids.elements, of: table, width: width))
  }

  /// Rows of a table, each read once: only those that are asked for, unless they are many.
  private func gather(_ ids: [Int], of table: Tensor, width: Int) throws -> [Scalar] {
    let rows = table.shape.dimensions[0]
    var result: [Scalar] = []
    result.reserveCapacity(ids.count * width)
    if ids.count >= rows || table.source.access != .random {
      let all: [Scalar] = try WeightReader.elements(of: table, jobs: jobs)
      for id in ids { result += all[id * width..<(id + 1) * width] }
    } else {
      var row: [Scalar] = []
      let cast = try table.cast(to: Scalar.elementType)
      for id in ids {
        try WeightReader.read(cast, id * width..<(id + 1) * width, into: &row, jobs: 1)
        result += row
      }
    }
    return result
  }

  /// A learned row for each position: [sequence, width], or [batch, sequence, width] where rows of
  /// the batch are numbered differently.
  func positions(
    _ it: Operation.Positions, _ operation: Operation, _ scope: Scope
  ) throws -> Numbers<Scalar> {
    let input = try value(it.input)
    guard input.shape.count == 3 else {
      throw IngotError(.malformed, "'\(it.input)' of shape \(input.shape) has no positions")
    }
    let (batch, sequence) = (input.shape[0], input.shape[1])
    let (rows, width) = (
      try scope.environment.count(it.rows), try scope.environment.count(it.width)
    )
    let offset = try scope.environment.count(it.offset)
    guard offset + start + sequence <= rows || inputs.integers["position_ids"] != nil else {
      throw IngotError(
        .malformed,
        "a sequence of \(start + sequence) is longer than the \(rows - offset) positions of the model"
      )
    }
    guard let table = try weights.tensor("weight", of: operation, scope) else {
      throw IngotError(.internal, "positions without a table")
    }
    let numbers: [Int]
    var shape = [sequence, width]
    if let given = inputs.integers["position_ids"], it.numbering == .sequence {
      guard given.shape == [batch, sequence] else {
        throw IngotError(
          .malformed,
          "the input 'position_ids' has shape \(given.shape), not [\(batch), \(sequence)]")
      }
      numbers = given.elements.map { $0 + offset }
      shape.insert(batch, at: 0)
    } else if it.numbering == .visibleTokens, let mask = it.mask.flatMap({ inputs.integers[$0] }) {
      guard mask.shape == [batch, start + sequence] else {
        throw IngotError(
          .malformed, "a mask of shape \(mask.shape) for \(batch) × \(start + sequence) tokens")
      }
      numbers = Self.visiblePositions(mask, last: sequence).map { $0 + offset }
      shape.insert(batch, at: 0)
    } else {
      numbers = (0..<sequence).map { start + $0 + offset }
    }
    if let number = numbers.first(where: { $0 < 0 || $0 >= rows }) {
      throw IngotError(.malformed, "position \(number) is above the \(rows) rows of the table")
    }
    return Numbers(shape: shape, elements: try gather(numbers, of: table, width: width))
  }

  /// For each token how many visible ones come before it, −1 for hidden ones; the last `count` of
  /// each row.
  static func visiblePositions(_ mask: ModelInputs.Integers, last count: Int) -> [Int] {
    let length = mask.shape[1]
    var result: [Int] = []
    for row in 0..<mask.shape[0] {
      var visible = 0
      for column in 0..<length {
        let isVisible = mask.elements[row * length + column] != 0
        if column >= length - count { result.append(isVisible ? visible : -1) }
        if isVisible { visible += 1 }
      }
    }
    return result
  }

  /// Row p: sin(p / 10000^(2i/width)) in column 2i, the cosine in column 2i + 1: [sequence, width].
  func sinusoids(_ it: Operation.Sinusoids, _ scope: Scope) throws -> Numbers<Scalar> {
    let input = try value(it.input)
    guard input.shape.count == 3 else {
      throw IngotError(.malformed, "'\(it.input)' of shape \(input.shape) has no positions")
    }
    let sequence = input.shape[1]
    let width = try scope.environment.count(it.width)
    var elements: [Scalar] = []
    elements.reserveCapacity(sequence * width)
    for position in start..<start + sequence {
      for column in 0..<width {
        let exponent = Double(column - column % 2) / Double(width)
        let angle = Double(position) / Elementary.pow(10000, exponent)
        elements.append(Scalar(column % 2 == 0 ? Elementary.sin(angle) : Elementary.cos(angle)))
      }
    }
    return Numbers(shape: [sequence, width], elements: elements)
  }

  /// Pictures [batch, channels, height, width] → [batch, patches, features], patches row by row.
  func patches(
    _ it: Operation.Patches, _ operation: Operation, _ scope: Scope
  ) throws -> Numbers<Scalar> {
    let pictures = try value(it.input)
    let patch = try scope.environment.count(it.patch)
    let channels = try scope.environment.count(it.channels)
    guard pictures.shape.count == 4, pictures.shape[1] == channels, patch > 0,
      pictures.shape[2] % patch == 0, pictures.shape[3] % patch == 0
    else {
      throw IngotError(
        .malformed,
        "the input '\(it.input)' of shape \(pictures.shape) does not divide into patches of \(channels)×\(patch)×\(patch)"
      )
    }
    let (batch, height, width) = (pictures.shape[0], pictures.shape[2], pictures.shape[3])
    let (down, across) = (height / patch, width / patch)
    // Each patch as a row: [batch · down · across, channels · patch · patch].
    var rows: [Scalar] = []
    rows.reserveCapacity(pictures.elements.count)
    for image in 0..<batch {
      for y in 0..<down {
        for x in 0..<across {
          for channel in 0..<channels {
            for row in 0..<patch {
              let start =
                ((image * channels + channel) * height + y * patch + row) * width + x * patch
              rows += pictures.elements[start..<start + patch]
            }
          }
        }
      }
    }
    let features = Numbers(
      shape: [batch, down * across, channels * patch * patch], elements: rows)
    // The kernel [features, channels, patch, patch] is a matrix over such rows.
    return try product(features, operation, scope)
  }

  /// One learned vector [1, 1, width] before each sequence: [batch, sequence + 1, width].
  func prefix(
    _ it: Operation.Prefix, _ operation: Operation, _ scope: Scope
  ) throws -> Numbers<Scalar> {
    let width = try scope.environment.count(it.width)
    let input = try value(it.input, width: width)
    guard let token: Numbers<Scalar> = try weights.numbers("weight", of: operation, scope) else {
      throw IngotError(.internal, "a prefix without a weight")
    }
    let (batch, sequence) = (input.shape[0], input.rows / input.shape[0])
    var elements: [Scalar] = []
    elements.reserveCapacity(batch * (sequence + 1) * width)
    for row in 0..<batch {
      elements += token.elements
      elements += input.elements[row * sequence * width..<(row + 1) * sequence * width]
    }
    return Numbers(shape: [batch, sequence + 1, width], elements: elements)
  }
}

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
