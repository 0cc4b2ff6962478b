import Tensors
import Testing

@testable import ReferenceModel

/// Weights that are held as stored give what the same numbers give as float64.
@Suite struct StoredTypeTests {
  private static let fixtures = ModelFixture.all.filter {
    ["gpt2", "bart", "mixtral", "vit"].contains($0.folder)
  }

  @Test(arguments: fixtures, [ElementType.float32, .bfloat16, .float16, .float8E5M2])
  func `widened by the product or before it, to the bit`(
    fixture: ModelFixture, type: ElementType
  ) throws {
    let golden = try fixture.golden()
    let (model, weights) = try fixture.opened()
    func states(wide: Bool) throws -> [State] {
      let pass = ForwardPass(model, precision: .float64, jobs: 2) { role in
        let stored = try weights.tensor(role: role).cast(to: type)
        return wide ? try stored.cast(to: .float64) : stored
      }
      var states: [State] = []
      try pass.run(golden.inputs) {
        states.append($0)
        return true
      }
      return states
    }
    let (held, widened) = (try states(wide: false), try states(wide: true))
    #expect(held.map(\.name) == widened.map(\.name))
    for (one, other) in zip(held, widened) {
      #expect(one.value.doubles.map(\.bitPattern) == other.value.doubles.map(\.bitPattern))
    }
  }
}
