import Foundation
import Ingot
import TestSupport
import Tensors
import Testing

/// Models with mistakes made in them.
extension SuspectTests {
  /// A good checkpoint with a mistake made in it.
  struct Mutant: Sendable {
    let mistake: String
    let model: Subject
    /// The state that must be the first to differ, and its component.
    let state: String
    let component: Component?
    /// What must be named.
    let cause: String
    /// What must undo it.
    let repair: Repair
    var settings: [(String, String)] = []
    /// Which states of the golden are kept; all where nil.
    var kept: String?
    var change: Change = { _ in }
  }

  typealias Change = @Sendable (inout [String: Tensor]) throws -> Void

  enum Repair: Sendable {
    case rules, setting, none
  }

  /// A checkpoint and its golden.
  struct Subject: Sendable {
    let fixture: ModelFixture
    var name: String { goldenOfOurs == nil ? fixture.folder : fixture.folder + "*" }
    /// Settings and changes that make another good model of the fixture, where it is none itself.
    var settings: [(String, String)] = []
    var change: Change = { _ in }
    var inputs: Change?
    /// What our own pass computes from that.
    var goldenOfOurs: String? = nil
  }

  static func subject(_ folder: String) throws -> Subject {
    Subject(fixture: try ModelFixture.named(folder))
  }
}
