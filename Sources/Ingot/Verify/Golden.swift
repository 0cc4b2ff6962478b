internal import Tensors

/// What a model computes from given inputs, recorded by the framework that trained it.
///
/// Any container of tensors is one: `input/NAME`, `output/NAME`, and optionally `hidden/0 …`,
/// `encoder_hidden/…`, `decoder_hidden/…` and `trace/…` for finer states.
public struct Golden: Sendable {
  /// The file.
  public let path: String
  /// The inputs by name, without `input/`.
  public let inputs: [ExactString: Tensor]
  /// Outputs, hidden states and finer ones by their whole names.
  public let states: [ExactString: Tensor]
  /// The type that the states were computed in, as far as their values show.
  public let precision: ElementType
  /// How the precision is known.
  public let precisionSource: String
  /// How far each state moves where the weights are rounded to `precision`, as far as that was measured.
  let roundingEffects: [ExactString: Double]
  /// The container; nil for what was computed and not read.
  private let checkpoint: Checkpoint?

  private static let stateFolders: [ExactString] = [
    "output", "hidden", "encoder_hidden", "decoder_hidden", "trace",
  ]
  /// The key in a container's metadata that names the precision.
  private static let precisionKey: ExactString = "precision"

  /// Opens a golden.
  ///
  /// - Throws: what opening throws; `malformed` for a tensor that is none of a golden's, for one of
  ///   another kind of numbers, and where inputs or states are missing.
  public init(path: String, options: ReadOptions = ReadOptions()) throws {
    try self.init(Checkpoint(path: path, options: options))
  }

  /// Reads an opened container as a golden.
  ///
  /// - Throws: as the other initialiser does.
  public init(_ checkpoint: Checkpoint) throws {
    self.checkpoint = checkpoint
    roundingEffects = [:]
    path = checkpoint.path
    (inputs, states) = try checkpoint.naming { try Self.sort(checkpoint.table) }
    (precision, precisionSource) = try checkpoint.naming { [states] in
      try Self.precision(of: states, checkpoint.table.metadata)
    }
  }

  /// States that were computed just now, as a golden.
  ///
  /// - Parameter path: What errors name.
  init(
    path: String, inputs: [ExactString: Tensor], states: [ExactString: Tensor],
    precision: ElementType, precisionSource: String, roundingEffects: [ExactString: Double]
  ) {
    checkpoint = nil
    self.roundingEffects = roundingEffects
    self.path = path
    self.inputs = inputs
    self.states = states
    self.precision = precision
    self.precisionSource = precisionSource
  }

  /// Checks that no file of the golden changed since it was opened.
  ///
  /// - Throws: `changed` naming the file.
  func checkUnchanged() throws { try checkpoint?.checkUnchanged() }

  private static func sort(
    _ table: TensorTable
  ) throws -> (inputs: [ExactString: Tensor], states: [ExactString: Tensor]) {
    if let other = table.others.first {
      throw IngotError(.malformed, "is no part of a golden: \(other.type)", tensor: other.name)
    }
    var inputs: [ExactString: Tensor] = [:]
    var states: [ExactString: Tensor] = [:]
    for entry in table.entries {
      let parts = entry.name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[1].isEmpty,
        parts[0] == "input" || stateFolders.contains(parts[0])
      else {
        throw IngotError(
          .malformed, "is no part of a golden", tensor: entry.name,
          hint: "a golden holds input/… and "
            + stateFolders.map { "\($0)/…" }.joined(separator: ", "))
      }
      if let obstacle = entry.tensor.obstacle { throw obstacle.naming(tensor: entry.name) }
      if parts[0] == "input" {
        inputs[parts[1]] = entry.tensor
      } else {
        guard roundoffs[entry.tensor.elementType] != nil else {
          throw IngotError(
            .malformed, "expected real numbers, found \(entry.tensor.elementType.name)",
            tensor: entry.name)
        }
        states[entry.name] = entry.tensor
      }
    }
    guard !inputs.isEmpty else { throw IngotError(.malformed, "the golden has no input/…") }
    guard !states.isEmpty else {
      throw IngotError(.malformed, "the golden has no output/… and no other state")
    }
    return (inputs, states)
  }

  /// The types that states may have, with the largest relative error of rounding to them.
  ///
  /// Of float64 the last digits are left to the libraries, some of whose constants have only nine.
  static let roundoffs: [ElementType: Double] = [
    .bfloat16: 0x1p-8, .float16: 0x1p-11, .float32: 0x1p-24, .float64: 0x1p-36,
  ]
}

extension Golden {
  /// Outputs with fewer numbers say nothing about the type that they were computed in.
  private static let leastTelling = 8

  /// NumPy has no bfloat16, and many recorders widen everything: what was computed in a narrower type is
  /// told by every number of every output being one of that type.
  private static func precision(
    of states: [ExactString: Tensor], _ metadata: Metadata
  ) throws -> (ElementType, String) {
    if let recorded = metadata[precisionKey]?.string {
      guard let type = ElementType(name: recorded), roundoffs[type] != nil else {
        throw IngotError(
          .malformed, "the metadata's precision '\(recorded.escapedForDisplay())' is none")
      }
      return (type, "recorded")
    }
    let outputs = states.filter { $0.key.hasPrefix("output/") && $0.key != "output/loss" }
    let telling = (outputs.isEmpty ? states : outputs).sorted { $0.key < $1.key }
    let stored =
      telling.map(\.value.elementType).max { roundoff($0) > roundoff($1) } ?? .float64
    var candidates: [ElementType] = [.bfloat16, .float16, .float32].filter {
      roundoff($0) > roundoff(stored)
    }
    var count = 0
    for (name, tensor) in telling {
      let all = tensor.shape.elementCount
      // Most often the first few numbers tell.
      for start in stride(from: 0, to: all, by: 1 << 12) where !candidates.isEmpty {
        let stretch = start..<min(start + 1 << 12, all)
        for value in try Tensors.naming(tensor: name, { try tensor.doubles(stretch) })
        where value != 0 && value.isFinite {
          count += 1
          candidates.removeAll { !isRepresentable(value, in: $0) }
          if candidates.isEmpty { break }
        }
      }
    }
    guard count >= leastTelling, let narrowest = candidates.first else { return (stored, "dtype") }
    return (narrowest, "every output is representable in it")
  }

  private static func roundoff(_ type: ElementType) -> Double { roundoffs[type] ?? 0 }

  private static func isRepresentable(_ value: Double, in type: ElementType) -> Bool {
    let narrow = Float(value)
    guard Double(narrow) == value else { return false }
    switch type {
    case .bfloat16: return narrow.bitPattern & 0xFFFF == 0
    case .float16:
      guard value.magnitude <= 65504 else { return false }
      // Below the smallest normal number the last place has a fixed weight.
      guard value.magnitude < 0x1p-14 else { return narrow.bitPattern & 0x1FFF == 0 }
      let steps = value * 0x1p24
      return steps == steps.rounded()
    default: return true
    }
  }
}
