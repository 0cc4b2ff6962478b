internal import Architectures
internal import ReferenceModel
internal import Tensors

/// The mistakes that conversions are known to make, at the places of a model where each is possible.
///
/// Adding a mistake is adding a function to `mistakes` and a row to the table of `SuspectTests`.
struct KnownMistakes {
  let model: Model
  let weights: [String: ModelWeight]
  /// Everything that the model does, in order.
  let operations: [PlacedOperation]
  private let blocks: [[String]: [PlacedOperation]]

  init(_ model: Model) throws {
    self.model = model
    operations = try model.placedOperations
    blocks = Dictionary(grouping: operations) { $0.scope.path }
    weights = Dictionary(model.weights.map { ($0.role, $0) }) { first, _ in first }
  }

  /// Each mistake that these operations, or the blocks that they lie in, leave room for, the likeliest
  /// first.
  func mistakes(in operations: [PlacedOperation]) throws -> [Mistake] {
    let blocks = blocks(of: operations)
    return try [
      settings(operations),
      operations.flatMap(transposed), blocks.flatMap(transposedTogether),
      blocks.flatMap(projectionsReordered), blocks.flatMap(gateExchanged),
      blocks.flatMap(headsReordered), operations.flatMap(normExchanged),
      operations.flatMap(normShifted), operations.flatMap(positionsShifted),
      operations.flatMap(expertsReordered), layersReordered(operations),
      operations.flatMap(otherBits),
    ].flatMap { $0 }
  }

  // MARK: Places

  /// The blocks that some of the operations lie in, whole and in their order.
  private func blocks(of operations: [PlacedOperation]) -> [[PlacedOperation]] {
    var seen: Set<[String]> = []
    return operations.compactMap { placed in
      seen.insert(placed.scope.path).inserted ? blocks[placed.scope.path] : nil
    }
  }

  func dimensions(_ role: String) -> [Int] { weights[role]?.shape.dimensions ?? [] }

  func mistake(
    _ cause: String, at operation: PlacedOperation, _ edits: [String: WeightEdit]
  ) -> Mistake {
    let name = operation.operation.name ?? operation.operation.output
    return Mistake(
      cause: cause, place: operation.scope.state(name), pattern: operation.pattern,
      layers: Set([operation.scope.layer].compactMap { $0 }), edits: edits)
  }

  /// A mistake of the block that an operation lies in.
  func mistake(
    _ cause: String, around operation: PlacedOperation, _ edits: [String: WeightEdit]
  ) -> Mistake {
    Mistake(
      cause: cause, place: operation.scope.path.joined(separator: "."),
      pattern: operation.scope.pattern.joined(separator: "."),
      layers: Set([operation.scope.layer].compactMap { $0 }), edits: edits)
  }
}

// MARK: Parameters

extension KnownMistakes {
  /// What libraries take for ε.
  private static let epsilons = [1e-3, 1e-5, 1e-6, 1e-7, 1e-8, 1e-12]
  /// What models have for the base of rotary angles.
  private static let rotaryBases = [1e4, 5e5, 1e6]
  /// More ways to cut a width into heads are not tried.
  private static let mostHeadCounts = 64

  /// Parameters are the whole model's: each other value counts once.
  private func settings(_ operations: [PlacedOperation]) -> [Mistake] {
    var seen: Set<String> = []
    return operations.flatMap(settings).filter { seen.insert($0.cause).inserted }
  }

  private func settings(_ placed: PlacedOperation) -> [Mistake] {
    otherEpsilon(placed) + otherActivation(placed) + otherRotaryBase(placed) + otherHeads(placed)
      + otherTie(placed)
  }

  private func otherEpsilon(_ placed: PlacedOperation) -> [Mistake] {
    guard case .norm(let it) = placed.operation else { return [] }
    return changed(it.epsilon, .real, "another ε of the norms", Self.epsilons.map(Value.real))
  }

  private func otherActivation(_ placed: PlacedOperation) -> [Mistake] {
    guard case .activation(let it) = placed.operation else { return [] }
    return changed(
      it.function, .word, "another activation function",
      Activation.allCases.map { .word(ExactString($0.rawValue)) })
  }

  private func otherRotaryBase(_ placed: PlacedOperation) -> [Mistake] {
    guard case .rotary(let it) = placed.operation else { return [] }
    return changed(
      it.base, .real, "another base of the rotary angles", Self.rotaryBases.map(Value.real))
  }

  private func otherHeads(_ placed: PlacedOperation) -> [Mistake] {
    guard case .attention(let it) = placed.operation else { return [] }
    return changed(it.heads, .count, "another number of heads", headCounts(placed))
  }

  private func otherTie(_ placed: PlacedOperation) -> [Mistake] {
    guard case .linear(let it) = placed.operation, let tie = it.tie else { return [] }
    return changed(
      tie.condition, .flag, "whether the head is the table of tokens",
      [.flag(true), .flag(false)])
  }

  /// Other values for the parameters that a formula mentions.
  private func changed(
    _ formula: Expression, _ kind: Parameter.Kind, _ what: String, _ values: [Value]
  ) -> [Mistake] {
    formula.names.sorted().flatMap { name -> [Mistake] in
      guard let parameter = model.architecture[parameter: name], parameter.kind == kind,
        let current = model.values.first(where: { $0.name == name })?.entry.value
      else { return [] }
      return values.filter { value in
        guard value != current else { return false }
        if case .word(let word) = value { return parameter.words.contains(word) }
        return true
      }.map { value in
        var mistake = Mistake(
          cause: "\(what): \(name) is \(current), \(value) agrees", place: "", pattern: "")
        mistake.setting = .init(parameter: name, value: value)
        return mistake
      }
    }
  }

  /// The numbers of heads that the queries' width can be cut into.
  private func headCounts(_ placed: PlacedOperation) -> [Value] {
    let role = placed.scope.state("query.weight")
    guard let width = dimensions(role).first else { return [] }
    return (1...min(width, Self.mostHeadCounts)).filter { width % $0 == 0 }.map(Value.integer)
  }
}

// MARK: Norms

extension KnownMistakes {
  private func normExchanged(_ placed: PlacedOperation) throws -> [Mistake] {
    guard case .norm = placed.operation, let scale = try placed.role("weight"),
      let shift = try placed.role("bias")
    else { return [] }
    return [
      mistake(
        "gamma and beta are exchanged", at: placed,
        [scale: .taken(from: shift), shift: .taken(from: scale)])
    ]
  }

  private func normShifted(_ placed: PlacedOperation) throws -> [Mistake] {
    guard case .norm = placed.operation, let role = try placed.role("weight") else { return [] }
    return [("is missing from", 1.0), ("was added to", -1.0)].map { verb, number in
      var mistake = mistake(
        "1 \(verb) the norm's scale", at: placed, [role: .made { try $0(role).adding(number) }])
      mistake.hasRounded = true
      return mistake
    }
  }
}

// MARK: Bits

extension KnownMistakes {
  private func otherBits(_ placed: PlacedOperation) throws -> [Mistake] {
    try placed.roles.flatMap { role in
      [
        mistake(
          "the bytes of its values are in the other order", at: placed,
          [role: .made { try $0(role).byteSwapped() }]),
        mistake(
          "its values are float16 under the name of bfloat16, or the other way", at: placed,
          [
            role: .made { weights in
              let tensor = try weights(role)
              switch tensor.elementType {
              case .float16: return try tensor.reinterpreted(as: .bfloat16)
              case .bfloat16: return try tensor.reinterpreted(as: .float16)
              default: throw IngotError(.unsupported, "no 16-bit float", tensor: ExactString(role))
              }
            }
          ]),
      ]
    }
  }
}
