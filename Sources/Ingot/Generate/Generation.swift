internal import Tensors

/// Continues a sequence of token ids: `ingot generate`.
///
/// Each step feeds one token to the reference pass, whose cached keys and values stand for those before.
/// A decoder alone continues the prompt; an encoder-decoder reads it with the encoder and decodes from
/// the start token on.
public struct Generation: Sendable {
  /// The model and its weights.
  public let source: ModelSource
  /// The tokens to continue, or to read with the encoder.
  public let prompt: [Int]
  /// How many tokens to add; nil is 20, or as many as the model's positions leave room for.
  public var mostTokens: Int?
  /// 0 always takes the likeliest token.
  public var temperature = 0.0
  /// How many of the likeliest tokens come into question; nil is all.
  public var topK: Int?
  /// Where chance begins.
  public var seed: UInt64 = 0
  /// The tokens that end the sequence; nil is what the configuration says.
  public var stops: [Int]?
  /// The token that a decoder beside an encoder begins with; nil is what the configuration says.
  public var start: Int?
  /// The arithmetic.
  public var precision: Precision = .float64
  /// Threads to use; one per processor where nil.
  public var jobs: Int?

  /// What was generated.
  public struct Result: Sendable {
    /// Why it ended.
    public enum Ending: String, Sendable {
      /// A token that ends sequences came up, which is the last of the tokens.
      case stop
      /// There are as many tokens as were asked for.
      case length
    }

    /// The architecture.
    public let architecture: String
    /// The arithmetic.
    public let precision: Precision
    /// The prompt.
    public let prompt: [Int]
    /// The tokens after the prompt, or after the decoder's start token.
    public internal(set) var tokens: [Int] = []
    /// Why there are no more.
    public internal(set) var ending = Ending.length
    /// What a user should know of the configuration, one sentence each.
    public let notes: [String]

    /// The report that `--json` prints (`schemas/generate.schema.json`).
    public var json: JSON {
      [
        "architecture": .string(architecture), "precision": .string(precision.rawValue),
        "prompt": JSON(prompt), "tokens": JSON(tokens), "ending": .string(ending.rawValue),
        "notes": .array(notes.map(JSON.string)),
      ]
    }
  }

  private static let usualTokens = 20
  /// Weights up to this size in memory are kept from step to step; larger ones are read in each.
  private static let largestHeld = 4 << 30

  /// Prepares to continue a prompt.
  public init(_ source: ModelSource, prompt: [Int]) {
    self.source = source
    self.prompt = prompt
  }

  /// Generates.
  ///
  /// - Throws: `usage` for a bare configuration, an empty prompt, a count of no tokens, a stop token
  ///   outside the vocabulary, or a start token that nothing gives; `unsupported` for a model that takes
  ///   no tokens, gives no logits, or sees ahead; `malformed` for a token outside the vocabulary, a
  ///   sequence longer than the positions, and logits that are no numbers; what reading throws.
  public func run() throws -> Result {
    guard let checkpoint = source.checkpoint, let reading = source.reading else {
      throw IngotError(.usage, "a configuration has no weights to generate with")
    }
    guard !prompt.isEmpty else { throw IngotError(.usage, "the prompt is empty") }
    try source.checkComputable()
    let weights = CanonicalWeights(checkpoint.table, reading)
    let file = checkpoint.files[0]
    let pass = ForwardPass(
      source.model, precision: precision, jobs: jobs ?? Workers.processorCount
    ) { role in try naming(file: file) { try weights.tensor(role: role) } }
    var result = Result(
      architecture: source.model.architecture.name, precision: precision, prompt: prompt,
      notes: source.notes)
    try checkpoint.naming { try generate(pass, into: &result) }
    try checkpoint.checkUnchanged()
    return result
  }

  private func generate(_ pass: ForwardPass, into result: inout Result) throws {
    let special = try SpecialTokens(source)
    let stops = Set(self.stops ?? special.ends)
    let decodes = try decodesBesideEncoder()
    var inputs: [ExactString: Tensor] = ["input_ids": try Self.tensor(prompt)]
    var length = prompt.count
    if decodes {
      guard let start = start ?? special.start else {
        throw IngotError(
          .usage, "the configuration has no token for the decoder to start with",
          hint: "give it with --start")
      }
      inputs["decoder_input_ids"] = try Self.tensor([start])
      length = 1
    } else if start != nil {
      throw IngotError(
        .usage, "\(source.model.architecture.name) has no decoder beside an encoder to start",
        hint: "begin the prompt with the token")
    }
    let count = try tokenCount(after: length)
    var sampler = TokenSampler(temperature: temperature, topK: topK, seed: seed)
    var session = try session(pass)
    while result.tokens.count < count {
      let logits = try lastLogits(&session, inputs)
      if let stop = self.stops?.first(where: { !logits.indices.contains($0) }) {
        throw IngotError(.usage, "the stop token \(stop) is not from 0 to \(logits.count - 1)")
      }
      guard let token = sampler.token(logits) else {
        throw IngotError(.malformed, "a logit after \(session.length) tokens is no finite number")
      }
      result.tokens.append(token)
      guard !stops.contains(token) else {
        result.ending = .stop
        return
      }
      inputs = [decodes ? "decoder_input_ids" : "input_ids": try Self.tensor([token])]
    }
  }

  private static func tensor(_ tokens: [Int]) throws -> Tensor {
    try Tensor(tokens.map { Int64($0) }, shape: [1, tokens.count])
  }

  /// Whether the model has a decoder that is given tokens of its own.
  private func decodesBesideEncoder() throws -> Bool {
    let model = source.model
    let inputs = try model.architecture.inputs.filter { input in
      try model.environment.holds(input.condition)
    }
    func takesTokens(_ name: String) -> Bool {
      inputs.contains { $0.name == name && $0.kind == .ids }
    }
    guard takesTokens("input_ids") else {
      let names = inputs.filter { !$0.isOptional }.map(\.name).joined(separator: ", ")
      throw IngotError(
        .unsupported, "\(model.architecture.name) takes no prompt of tokens: it is given \(names)")
    }
    return takesTokens("decoder_input_ids")
  }

  /// How many tokens to add to `length`; the last needs no position, since nothing follows it.
  private func tokenCount(after length: Int) throws -> Int {
    if let mostTokens, mostTokens < 1 {
      throw IngotError(.usage, "asked for \(mostTokens) tokens")
    }
    guard let positions = try source.model.mostPositions else {
      return mostTokens ?? Self.usualTokens
    }
    let room = positions - length + 1
    let count = mostTokens ?? min(Self.usualTokens, max(room, 1))
    guard count <= room else {
      throw IngotError(
        .malformed,
        "a sequence of \(length) and \(count) more tokens is longer than the \(positions) positions of the model"
      )
    }
    return count
  }

  private func session(_ pass: ForwardPass) throws -> ForwardSession {
    let name = source.model.architecture.name
    let width = precision == .float64 ? 8.0 : 4
    let bytes = source.model.weights.reduce(0) { $0 + Double($1.shape.elementCount) * width }
    let session: ForwardSession
    do {
      session = try ForwardSession(pass, holdsWeights: bytes <= Double(Self.largestHeld))
    } catch var error as IngotError where error.errorClass == .unsupported {
      error.message = "\(name) does not generate: \(error.message)"
      throw error
    }
    guard try ComputedStates(source.model).counts["output/logits"] != nil else {
      throw IngotError(
        .unsupported, "\(name) does not generate: this model has no head that gives logits")
    }
    return session
  }

  /// The logits of the last position.
  private func lastLogits(
    _ session: inout ForwardSession, _ inputs: [ExactString: Tensor]
  ) throws -> [Double] {
    var logits: [Double] = []
    try session.run(inputs) { state in
      if state.name == "output/logits" {
        logits = state.value.doubles.suffix(state.value.shape.last ?? 0)
      }
      return true
    }
    return logits
  }
}
