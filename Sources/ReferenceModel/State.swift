public import Architectures

/// A value that the forward pass came to: an output, a hidden state, or a finer one.
public struct State: Sendable {
  /// What it is in a golden.
  public enum Kind: Sendable, Hashable {
    /// What a part of the model gave: `trace/layers.3.attention`.
    case trace
    /// One of a series of hidden states: `hidden/4`.
    case hidden
    /// What the model gives to its user: `output/logits`.
    case output
  }

  /// What it is.
  public let kind: Kind
  /// The name that it has in a golden.
  public let name: String
  /// The path of the layer it lies in: `layers.3`.
  public let layer: String?
  /// The part of the model.
  public let component: Component
  /// The numbers.
  public let value: StateValue
}

/// Numbers with a shape, in the precision that they were computed in.
public struct StateValue: Sendable {
  /// The numbers, row-major.
  public enum Elements: Sendable {
    case float64([Double])
    case float32([Float])
  }

  /// The extents, slowest axis first.
  public let shape: [Int]
  /// The numbers.
  public let elements: Elements

  /// The numbers in double precision.
  public var doubles: [Double] {
    switch elements {
    case .float64(let elements): elements
    case .float32(let elements): elements.map(Double.init)
    }
  }
}
