internal import Tensors

extension Operation {
  /// Cuts pictures `[batch, channels, height, width]` into patches and maps each:
  /// → `[batch, patches, width]`, a convolution whose stride is its kernel.
  public struct Patches: Sendable, Hashable {
    /// The name in roles.
    public var name: String
    /// The value that it reads.
    public var input: String
    /// The channels of a picture.
    public var channels: Expression
    /// The height and the width of a patch.
    public var patch: Expression
    /// The size of the last axis.
    public var width: Expression
    /// Whether there is a bias.
    public var bias: Expression = true
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.Patches: WeightedOperation {
  static let word = "patches"

  var operation: Operation { .patches(self) }

  var reads: [String] { [input] }

  var weights: [Weight] {
    [
      Weight("weight", .matrix, .patchEmbedding, [width, channels, patch, patch]),
      Weight("bias", .bias, .patchEmbedding, [width], when: bias),
    ]
  }

  var component: Component? { .embedding }

  func readsAhead(_: Environment) -> Bool { true }

  func shape(of given: [[Int]], _ check: ShapeCheck) throws -> [Int] {
    let pictures = given[0]
    try check.rank(pictures, 4, input, "[batch, channels, height, width]")
    try check.equal(pictures[1], try check.count(channels), "channels", input)
    let patch = try check.count(self.patch)
    guard patch > 0, pictures[2] % patch == 0, pictures[3] % patch == 0 else {
      throw check.failure(
        "patches of \(patch) do not divide pictures of \(pictures[2])×\(pictures[3])")
    }
    return [
      pictures[0], (pictures[2] / patch) * (pictures[3] / patch), try check.count(width),
    ]
  }

  func work(_ it: ShapeWalk.Application) throws -> ForwardCost.Work? {
    let patch = try it.scope.environment.count(self.patch)
    return .init(
      .patches,
      multiplyAdds: try ForwardCost.product(it.output + [it.inputs[0][1], patch, patch]))
  }

  var outline: String { "patches(\(input), \(patch.outlined))" }

  static var blank: Self {
    .init(name: "", input: "", channels: 0, patch: 0, width: 0, output: "")
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.word("input", &input)
    try fields.required("channels", &channels)
    try fields.required("patch", &patch)
    try fields.required("width", &width)
    try fields.optional("bias", &bias)
    try fields.word("output", &output)
  }
}
