internal import Architectures
internal import Tensors

/// The inputs of a forward pass, checked: names, kinds, shapes, bounds.
struct ModelInputs: Sendable {
  /// Ids and masks.
  struct Integers: Sendable {
    var shape: [Int]
    var elements: [Int]
  }

  /// Ids, masks and labels by name.
  private(set) var integers: [String: Integers] = [:]
  /// Features and pictures by name.
  private(set) var reals: [String: Numbers<Double>] = [:]
  /// False where the input `causal` lifts the order of positions.
  private(set) var isCausal = true
  /// Whether the model is given its outputs' inputs apart, so that labels need no shift.
  private(set) var hasDecoderInputs = false
  private(set) var labelSmoothing = 0.0

  /// Checks the inputs of a pass, or of a step after `start` positions: of its masks the columns of
  /// those positions come first, and what only the first step needs may be left out.
  ///
  /// - Throws: `malformed` naming the input that is missing, unknown, or does not fit.
  init(_ tensors: [ExactString: Tensor], _ model: Model, after start: Int = 0) throws {
    let known = try model.architecture.inputs.filter { try model.environment.holds($0.condition) }
    hasDecoderInputs = known.contains { $0.name.hasPrefix("decoder_") }
    let extras = ["causal", "labels", "label_smoothing"].filter { name in
      !known.contains { $0.name == name }
    }
    for name in tensors.keys.sorted()
    where !known.contains(where: { $0.name == name }) && !extras.contains(where: { $0 == name }) {
      throw IngotError(
        .malformed, "'\(name)' is no input of \(model.architecture.name)",
        hint: "inputs: \((known.map(\.name) + extras).joined(separator: ", "))")
    }
    for input in known {
      guard let tensor = tensors[input.name] else {
        let isSettled = start > 0 && hasDecoderInputs && !input.name.hasPrefix("decoder_")
        guard input.isOptional || isSettled else {
          throw IngotError(.malformed, "the input '\(input.name)' is missing")
        }
        continue
      }
      try Self.naming(input.name) { try add(input, tensor, model.environment) }
    }
    for name in extras {
      guard let tensor = tensors[name] else { continue }
      try Self.naming(name) { try addExtra(name, tensor) }
    }
    try checkAgreement(known.map(\.name), after: start)
  }

  /// Takes over the masks of the first step that a later one leaves out: those of an encoder.
  mutating func settle(_ first: ModelInputs) {
    for (name, input) in first.integers where !name.hasPrefix("decoder_") {
      integers[name] = integers[name] ?? input
    }
  }

  private static func naming<Result>(_ name: String, _ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch var error as IngotError {
      error.message = "the input '\(name)': \(error.message)"
      throw error
    }
  }

  private mutating func add(
    _ input: Architecture.Input, _ tensor: Tensor, _ environment: Environment
  ) throws {
    let size = try environment.count(input.size)
    switch input.kind {
    case .ids:
      let ids = try Self.integers(tensor, rank: 2)
      try Self.check(ids, below: size, called: input.size)
      integers[input.name] = ids
    case .mask:
      let mask = try Self.integers(tensor, rank: 2)
      try Self.check(mask, below: 2, called: 2)
      integers[input.name] = mask
    case .pixels:
      let pixels = try Self.reals(tensor, rank: 4)
      guard pixels.shape[1] == size else {
        throw IngotError(
          .malformed, "\(pixels.shape[1]) channels where '\(input.size)' is \(size)")
      }
      reals[input.name] = pixels
    case .features:
      let features = try Self.reals(tensor, rank: 3)
      guard features.width == size else {
        throw IngotError(
          .malformed, "\(features.width) features where '\(input.size)' is \(size)")
      }
      reals[input.name] = features
    case .frames:
      let frames = try Self.reals(tensor, rank: 3)
      guard frames.shape[1] == size else {
        throw IngotError(
          .malformed, "frames of \(frames.shape[1]) where '\(input.size)' is \(size)")
      }
      reals[input.name] = try frames.turned()
    }
    guard let formula = input.length,
      let length = integers[input.name]?.shape[1] ?? reals[input.name]?.shape[1]
    else { return }
    let expected = try environment.count(formula)
    guard length == expected else {
      throw IngotError(.malformed, "a length of \(length) where '\(formula)' is \(expected)")
    }
  }

  private mutating func addExtra(_ name: String, _ tensor: Tensor) throws {
    switch name {
    case "causal": isCausal = try Self.integers(tensor, rank: 0).elements[0] != 0
    case "label_smoothing":
      labelSmoothing = try Self.reals(tensor, rank: 0).elements[0]
      guard (0...1).contains(labelSmoothing) else {
        throw IngotError(.malformed, "\(labelSmoothing) is not between 0 and 1")
      }
    default: integers[name] = try Self.integers(tensor, rank: nil)
    }
  }

  /// Inputs of one side (those of the decoder, those of an encoder apart, the others) have one batch and
  /// sequence.
  private func checkAgreement(_ names: [String], after start: Int) throws {
    var first: [String: (name: String, shape: [Int])] = [:]
    for name in names {
      guard var shape = integers[name]?.shape ?? reals[name]?.shape else { continue }
      // A mask is of all keys, those before the step too.
      let isStepped = name.hasPrefix("decoder_") == hasDecoderInputs
      if start > 0, isStepped, name.hasSuffix("attention_mask") { shape[1] -= start }
      let isPicture = shape.count == 4
      let side = Self.side(of: name)
      guard shape.allSatisfy({ $0 > 0 }) else {
        throw IngotError(.malformed, "the input '\(name)' is empty: \(Self.text(shape))")
      }
      if let other = first[side] {
        let compared = isPicture || other.shape.count == 4 ? 1 : 2
        guard shape.prefix(compared) == other.shape.prefix(compared) else {
          throw IngotError(
            .malformed,
            "the inputs '\(other.name)' (\(Self.text(other.shape))) and '\(name)' (\(Self.text(shape))) do not agree"
          )
        }
      } else {
        first[side] = (name, shape)
      }
    }
    for side in ["decoder_", "encoder_"] {
      guard let one = first[""], let other = first[side], one.shape[0] != other.shape[0] else {
        continue
      }
      throw IngotError(
        .malformed,
        "the inputs '\(one.name)' (\(Self.text(one.shape))) and '\(other.name)' (\(Self.text(other.shape))) do not agree"
      )
    }
  }

  private static func side(of name: String) -> String {
    ["decoder_", "encoder_"].first { name.hasPrefix($0) } ?? ""
  }

  private static func text(_ shape: [Int]) -> String {
    shape.isEmpty ? "scalar" : shape.map(String.init).joined(separator: "×")
  }

  private static func check(
    _ ids: Integers, below bound: Int, called formula: Expression
  ) throws {
    guard let at = ids.elements.firstIndex(where: { $0 < 0 || $0 >= bound }) else { return }
    let place = "[\(at / ids.shape[1]), \(at % ids.shape[1])]"
    let name = formula.text == "\(bound)" ? "" : " ('\(formula)')"
    throw IngotError(
      .malformed, "\(ids.elements[at]) at \(place) is not from 0 to \(bound - 1)\(name)")
  }

  private static func check(_ tensor: Tensor, rank: Int?) throws {
    guard let rank else { return }
    guard tensor.shape.rank == rank else {
      throw IngotError(.malformed, "expected rank \(rank), found shape \(tensor.shape)")
    }
  }

  /// Whole numbers; a mask may be bool.
  static func integers(_ tensor: Tensor, rank: Int?) throws -> Integers {
    try check(tensor, rank: rank)
    switch tensor.elementType.kind {
    case .signedInteger, .unsignedInteger, .boolean: break
    case .float, .complex:
      throw IngotError(.malformed, "expected integers, found \(tensor.elementType.name)")
    }
    let elements = try WeightReader.integers(of: tensor).map { Int($0) }
    return Integers(shape: tensor.shape.dimensions, elements: elements)
  }

  private static func reals(_ tensor: Tensor, rank: Int) throws -> Numbers<Double> {
    try check(tensor, rank: rank)
    guard tensor.elementType.kind == .float else {
      throw IngotError(.malformed, "expected real numbers, found \(tensor.elementType.name)")
    }
    return Numbers(
      shape: tensor.shape.dimensions, elements: try WeightReader.elements(of: tensor, jobs: 1))
  }
}
