import Testing
import TestSupport

@testable import Rules
@testable import Tensors

/// The rules in a text.
func rules(_ text: String) throws -> RulesFile {
  try RulesFile(parsing: Array(text.utf8), path: "rules.yaml")
}

/// The error that `body` throws, as the command prints it, with its hint on a second line.
func printedRefusal(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch let error as IngotError {
    return "\(error)" + (error.hint.map { "\nhint: \($0)" } ?? "")
  } catch {
    return "another error: \(error)"
  }
}

/// The refusal of a rules file that cannot be parsed.
func refusal(parsing text: String) -> String? { printedRefusal { _ = try rules(text) } }

/// A table of byte tensors; each tensor counts up from 10 times its position.
func table(_ tensors: KeyValuePairs<String, [Int]>) throws -> TensorTable {
  var table = TensorTable()
  for (index, (name, dimensions)) in tensors.enumerated() {
    let count = dimensions.reduce(1, *)
    try table.append(
      name,
      Tensor(.uint8, dimensions, (0..<count).map { UInt8(truncatingIfNeeded: index * 10 + $0) })
    )
  }
  return table
}

/// Names, shapes and bytes of a table, one line a tensor.
func listing(_ table: TensorTable) throws -> [String] {
  try table.entries.map {
    "\($0.name) \($0.tensor.shape) \(try $0.tensor.source.everything())"
  }
}

/// The names of a table.
func names(_ table: TensorTable) -> [String] { table.entries.map(\.name.text) }
