internal import Tensors

extension Operation {
  /// Rotary positions on a value `[batch, sequence, heads · head_size]`; arXiv 2104.09864.
  ///
  /// Positions are 0, 1, 2 …, or the input `position_ids` where it is given.
  public struct Rotary: Sendable, Hashable {
    /// Which components of a head turn together.
    public enum Order: String, Sendable, Hashable, CaseIterable {
      /// Component i with i + dims/2.
      case halves
      /// Component 2i with 2i + 1.
      case pairs
    }

    /// How the angles of long contexts are made; the word is a parameter's value.
    public struct Scaling: Sendable, Hashable {
      /// `none`, `linear`, `dynamic`, `llama3`, `yarn`, or another way (`RotaryScaling`) that the
      /// forward pass lacks.
      public var kind: Expression
      /// What it is scaled by.
      public var factor: Expression
      /// Where wavelengths begin to be scaled.
      public var lowFrequencyFactor: Expression
      /// Where wavelengths cease to be left alone.
      public var highFrequencyFactor: Expression
      /// The positions that the model was first trained for.
      public var originalPositions: Expression
      /// Pairs that turn at least so often over these positions keep their angles, in YaRN.
      public var betaFast: Expression = 32
      /// Pairs that turn at most so often are scaled whole, in YaRN.
      public var betaSlow: Expression = 1
      /// Whether YaRN's bounds between such pairs are whole numbers of pairs.
      public var truncates: Expression = true
      /// What turned components are multiplied by, in YaRN; 0 where it follows from the factor.
      public var attentionFactor: Expression = 0
      /// How much the logarithm of the factor counts in that; 0 is not told.
      public var mscale: Expression = 0
      /// How much it counts in what scores are multiplied by, which turned components are then not.
      public var mscaleAllDimensions: Expression = 0
    }

    /// The value that it reads.
    public var input: String
    /// The number of heads.
    public var heads: Expression
    /// The components of a head.
    public var headSize: Expression
    /// How many components of each head turn, counted from the first.
    public var dimensions: Expression
    /// The base of the angles.
    public var base: Expression
    /// Which components of a head turn together.
    public var order = Order.halves
    /// How angles of long contexts are made; nil for none.
    public var scaling: Scaling?
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.Rotary: WeightlessOperation {
  static let word = "rotary"

  var operation: Operation { .rotary(self) }

  var reads: [String] { [input] }

  func shape(of given: [[Int]], _ check: ShapeCheck) throws -> [Int] {
    try check.rank(given[0], 3, input, "[batch, sequence, features]")
    let size = try check.count(headSize)
    let features = try size.multiplied(by: try check.count(heads), "the width of all heads")
    try check.equal(given[0][2], features, "features", input)
    let dimensions = try check.count(self.dimensions)
    guard dimensions <= size, dimensions % 2 == 0 else {
      throw check.failure("\(dimensions) of the \(size) components of a head cannot turn in pairs")
    }
    return given[0]
  }

  func work(_: ShapeWalk.Application) -> ForwardCost.Work? { nil }

  var outline: String {
    "rotary(\(input))  \(heads.outlined) heads, \(dimensions.outlined) of \(headSize.outlined) "
      + "components in \(order.rawValue), base \(base.outlined)"
      + (scaling.map { ", scaling \($0.kind.outlined)" } ?? "")
  }

  static var blank: Self {
    .init(input: "", heads: 0, headSize: 0, dimensions: 0, base: 0, output: "")
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("input", &input)
    try fields.required("heads", &heads)
    try fields.required("head_size", &headSize)
    try fields.required("dimensions", &dimensions)
    try fields.required("base", &base)
    try fields.optional("order", &order)
    try fields.optional("scaling", &scaling)
    try fields.word("output", &output)
  }
}

extension Operation.Rotary.Order: JSONCoded {}

extension Operation.Rotary.Scaling: FieldMapped {
  static var blank: Self {
    .init(
      kind: "'none'", factor: 0, lowFrequencyFactor: 0, highFrequencyFactor: 0,
      originalPositions: 0)
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.required("kind", &kind)
    try fields.required("factor", &factor)
    try fields.required("low_frequency_factor", &lowFrequencyFactor)
    try fields.required("high_frequency_factor", &highFrequencyFactor)
    try fields.required("original_positions", &originalPositions)
    try fields.optional("beta_fast", &betaFast)
    try fields.optional("beta_slow", &betaSlow)
    try fields.optional("truncates", &truncates)
    try fields.optional("attention_factor", &attentionFactor)
    try fields.optional("mscale", &mscale)
    try fields.optional("mscale_all_dim", &mscaleAllDimensions)
  }
}
