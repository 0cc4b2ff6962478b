internal import Tensors

/// The class and the words of a refusal, as a text that a test compares.
///
/// Words tell which check has refused: several often guard the same class.
///
/// - Returns: "class: message", or nil where `body` throws nothing.
package func refusal(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return (error as? IngotError).map { "\($0.errorClass): \($0.message)" } ?? "\(error)"
  }
}
