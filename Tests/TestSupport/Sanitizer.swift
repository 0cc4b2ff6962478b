import Foundation
package import Testing

/// The sanitizer that tests and command are built with, where `script/check` builds them.
package enum Sanitizer {
  /// Whether there is one: its run time takes addresses, memory and time for itself, and stands between the
  /// program and the system's calls.
  package static let isOn = ProcessInfo.processInfo.environment["INGOT_SANITIZER"] != nil
}

extension Trait where Self == ConditionTrait {
  /// Skips, with a notice, what bounds or measures a process, traces it, or makes its calls fail.
  package static var withoutSanitizer: Self {
    .disabled(if: Sanitizer.isOn, "a sanitizer has memory, time and system calls of its own")
  }
}
