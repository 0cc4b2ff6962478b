public import Architectures
public import Tensors

/// The weights of a checkpoint by role, in canonical layout; nothing is read before it is asked for.
public struct CanonicalWeights: Sendable {
  private struct Place: Sendable {
    let stored: StoredTensor
    let tensor: Tensor
    let name: ExactString
  }

  private let places: [String: Place]
  private let environment: Environment

  /// The weights of `table`, which was understood as `reading`.
  public init(_ table: TensorTable, _ reading: ModelReading) {
    var places: [String: Place] = [:]
    for (stored, name) in reading.tensors {
      guard let name, let tensor = table[name] else { continue }
      for weight in stored.turns.joined() {
        places[weight.role] = Place(stored: stored, tensor: tensor, name: name)
      }
    }
    self.places = places
    environment = reading.model.environment
  }

  /// The weight of that role.
  ///
  /// - Throws: `malformed` naming a weight that is missing, or one whose stored shape is another.
  public func tensor(role: String) throws -> Tensor {
    guard let place = places[role] else {
      throw IngotError(.malformed, "the weight '\(role)' is missing")
    }
    return try naming(tensor: place.name) {
      let weights = try place.stored.weights(of: place.tensor, environment)
      guard let weight = weights.first(where: { $0.role == role }) else {
        throw IngotError(.internal, "'\(role)' is not in its tensor")
      }
      return weight.tensor
    }
  }
}
