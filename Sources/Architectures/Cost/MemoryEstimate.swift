public import Tensors

/// The memory that running and training a model takes, in bytes.
public struct MemoryEstimate: Sendable, Hashable {
  /// The element type of weights, activations and cache; of weights alone where it has blocks, with which
  /// nothing is computed: all else is float32 then.
  public let elementType: ElementType
  /// Every parameter once, buffers not.
  public let weights: Int
  /// Keys and values of all causal and cross-attention over the sequence, within their windows.
  ///
  /// It is what generation keeps so as not to compute it again, after the projections; 0 for encoders.
  public let cache: Int
  /// The most that is alive at once in a forward pass.
  ///
  /// The largest sum, over its operations, of the values that are still needed, the output, and in
  /// attention the scores of all heads; nothing is done in place, experts are done one by one.
  public let activations: Int
  /// AdamW: two float32 moments for each trainable parameter, and a float32 copy where the element
  /// type is narrower.
  public let optimizer: Int
  /// One value of the element type for each trainable parameter.
  public let gradients: Int
  /// What the backward pass reads: the output of every operation, and the scores of attention.
  public let savedActivations: Int

  /// Weights, cache and activations.
  public var inference: Int { weights &+ cache &+ activations }
  /// Weights, gradients, optimizer and saved activations.
  public var training: Int { weights &+ gradients &+ optimizer &+ savedActivations }

  /// Walks through the model.
  ///
  /// - Throws: what `ShapeWalk` throws; `malformed` for numbers above 2^63.
  public init(
    _ model: Model, _ counts: ParameterCounts, batch: Int, sequence: Int, elementType: ElementType
  ) throws {
    var walk = try ShapeWalk(model, batch: batch, sequence: sequence)
    var tally = Tally()
    try walk.run { event in try tally.add(event) }
    try self.init(tally, counts, elementType)
  }

  /// What an operation takes beside its output, in elements.
  struct Extra {
    /// What is there while it is done.
    var scratch = 0
    /// What generation keeps of it.
    var cached: [Int] = []
  }

  /// What a walk has come upon so far.
  struct Tally {
    fileprivate var lives = Lives()
    /// The elements of keys and values to keep.
    fileprivate var cached = 0

    mutating func add(_ event: ShapeWalk.Event) throws {
      switch event {
      case .operation(let it):
        let output = try ForwardCost.product(it.output)
        let content = it.operation.content
        let extra = try content.memory(it)
        try lives.record(content.reads, content.output, output, scratch: extra.scratch)
        for elements in extra.cached {
          cached = try cached.adding(elements, "the size of the cache")
        }
      case .result(let value, _): lives.keep(value)
      }
    }
  }

  init(_ tally: Tally, _ counts: ParameterCounts, _ elementType: ElementType) throws {
    self.elementType = elementType
    weights = try Self.bytes(of: counts.total, elementType.layout)
    let layout = elementType.hasBlocks ? ElementType.float32.layout : elementType.layout
    gradients = try Self.bytes(of: counts.trainable, layout)
    optimizer = try Self.bytes(
      of: counts.trainable, ElementLayout(bytes: layout.isNarrower(thanBytes: 4) ? 12 : 8))
    cache = try Self.bytes(of: tally.cached, layout)
    activations = try Self.bytes(of: tally.lives.peak(), layout)
    savedActivations = try Self.bytes(of: tally.lives.total, layout)
    // Checked here, so that the sums above may be plain.
    _ = try [weights, cache, activations, optimizer, gradients, savedActivations].reduce(0) {
      try $0.adding($1, "the memory")
    }
  }

  /// The bytes of so many elements, rounded up.
  package static func bytes(of elements: Int, _ layout: ElementLayout) throws -> Int {
    try layout.byteCount(roundingUp: elements, "the memory")
  }
}

extension Model {
  /// FLOPs and memory of one walk.
  ///
  /// - Throws: what `ForwardCost` and `MemoryEstimate` throw.
  package func cost(
    _ counts: ParameterCounts, batch: Int, sequence: Int, elementType: ElementType
  ) throws -> (forward: ForwardCost, memory: MemoryEstimate) {
    var walk = try ShapeWalk(self, batch: batch, sequence: sequence)
    var work = ForwardCost.Tally()
    var memory = MemoryEstimate.Tally()
    try walk.run { event in
      try work.add(event)
      try memory.add(event)
    }
    return (
      try ForwardCost(work, batch: batch, sequence: sequence),
      try MemoryEstimate(memory, counts, elementType)
    )
  }
}

/// From where to where each value is needed.
private struct Lives {
  private struct Life {
    let elements: Int
    let born: Int
    var lastUse: Int
    var isResult = false
  }

  private var lives: [Life] = []
  /// The life of the value that now bears a name.
  private var current: [String: Int] = [:]
  /// What operations need beside values.
  private var scratch: [Int] = []
  /// The elements of all outputs and scratch.
  private(set) var total = 0

  mutating func record(
    _ reads: [String], _ output: String, _ elements: Int, scratch size: Int
  ) throws {
    let now = scratch.count
    for name in reads {
      if let life = current[name] { lives[life].lastUse = now }
    }
    scratch.append(size)
    current[output] = lives.count
    lives.append(Life(elements: elements, born: now, lastUse: now))
    total = try total.adding(elements, "the size of all values")
      .adding(size, "the size of all values")
  }

  mutating func keep(_ name: String) {
    if let life = current[name] { lives[life].isResult = true }
  }

  /// The most elements that are alive at one operation; ids and masks, which are inputs, are not
  /// counted.
  func peak() -> Int {
    var changes = [Int](repeating: 0, count: scratch.count + 1)
    for life in lives {
      changes[life.born] += life.elements
      changes[life.isResult ? scratch.count : life.lastUse + 1] -= life.elements
    }
    var (alive, peak) = (0, 0)
    for (now, size) in scratch.enumerated() {
      alive += changes[now]
      peak = max(peak, alive + size)
    }
    return peak
  }
}
