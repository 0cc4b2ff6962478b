internal import Architectures
internal import Tensors

extension Evaluation {
  /// Pictures [batch, channels, height, width] → [batch, patches, features], patches row by row.
  func patches(
    _ it: Operation.Patches, _ operation: Operation, _ scope: Scope
  ) throws -> Numbers<Scalar> {
    let pictures = try value(it.input)
    let patch = try scope.environment.count(it.patch)
    let channels = try scope.environment.count(it.channels)
    guard pictures.shape.count == 4, pictures.shape[1] == channels, patch > 0,
      pictures.shape[2] % patch == 0, pictures.shape[3] % patch == 0
    else {
      throw IngotError(
        .malformed,
        "the input '\(it.input)' of shape \(pictures.shape) does not divide into patches of \(channels)×\(patch)×\(patch)"
      )
    }
    let (batch, height, width) = (pictures.shape[0], pictures.shape[2], pictures.shape[3])
    let (down, across) = (height / patch, width / patch)
    // Each patch as a row: [batch · down · across, channels · patch · patch].
    var rows: [Scalar] = []
    rows.reserveCapacity(pictures.elements.count)
    for image in 0..<batch {
      for y in 0..<down {
        for x in 0..<across {
          for channel in 0..<channels {
            for row in 0..<patch {
              let start =
                ((image * channels + channel) * height + y * patch + row) * width + x * patch
              rows += pictures.elements[start..<start + patch]
            }
          }
        }
      }
    }
    let features = Numbers(
      shape: [batch, down * across, channels * patch * patch], elements: rows)
    // The kernel [features, channels, patch, patch] is a matrix over such rows.
    return try product(features, operation, scope)
  }
}
