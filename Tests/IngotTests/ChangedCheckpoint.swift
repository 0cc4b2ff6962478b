import Ingot
import Tensors
import TestSupport
import Testing

/// Checkpoints and goldens with something done to their tensors.
extension Checkpoint {
  /// The file at `path` with its tensors changed, nothing written.
  static func changed(
    _ path: String, _ change: (inout [String: Tensor]) throws -> Void
  ) throws -> Checkpoint {
    var checkpoint = try Checkpoint(path: path)
    var tensors = Dictionary(
      uniqueKeysWithValues: checkpoint.table.entries.map { ($0.name.text, $0.tensor) })
    try change(&tensors)
    checkpoint.table = try checkpoint.table.replacingEntries(
      tensors.sorted { $0.key < $1.key }.map { .init(name: ExactString($0.key), tensor: $0.value) })
    return checkpoint
  }
}

extension ModelFixture {
  /// What the library computes from the weights.
  var golden: String { Places.fixture("models/\(folder)/golden.npz") }

  /// The model with other weights and parameters.
  func changed(
    settings: [(String, String)] = [],
    _ change: (inout [String: Tensor]) throws -> Void = { _ in }
  ) throws -> ModelSource {
    var options = options
    options.settings = settings.map { (parameter: $0.0, text: $0.1) }
    return try ModelSource(Checkpoint.changed(weights, change), options)
  }

  static func named(_ folder: String) throws -> ModelFixture {
    try #require(all.first { $0.folder == folder })
  }
}

extension Tensor {
  /// Values of a float type from numbers.
  static func floats(
    _ numbers: [Double], _ shape: Shape, as type: ElementType = .float32
  ) throws -> Tensor {
    let bytes = numbers.flatMap { number in
      (0..<8).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * UInt64($0))) }
    }
    let wide = try Tensor(elementType: .float64, shape: shape, source: ArraySource(bytes))
    let narrow = try wide.cast(to: type)
    return try Tensor(
      elementType: type, shape: shape,
      source: ArraySource(narrow.source.bytes(at: 0, count: narrow.byteCount, "numbers")))
  }

  /// The values of a float32 tensor.
  func numbers() throws -> [Double] {
    let wide = try cast(to: .float64)
    let bytes = try wide.source.bytes(at: 0, count: wide.byteCount, "numbers")
    return stride(from: 0, to: bytes.count, by: 8).map { start in
      Double(
        bitPattern: (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << UInt64(8 * $1) })
    }
  }

  /// The same with each value changed.
  func mapped(_ change: (Double) -> Double) throws -> Tensor {
    try Tensor.floats(numbers().map(change), shape, as: elementType)
  }
}
