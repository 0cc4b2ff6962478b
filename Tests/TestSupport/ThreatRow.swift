package import Testing

/// The rows of the threat table that a test or a suite answers.
///
/// The table in the documentation is made from these marks, so that it cannot name a test that is not there.
package struct ThreatRow: TestTrait, SuiteTrait {
  package let ids: [String]
}

extension Trait where Self == ThreatRow {
  /// Marks the rows of the threat table that a test answers: `.row("W12")`.
  package static func row(_ ids: String...) -> Self { ThreatRow(ids: ids) }
}
