import Tensors
import Testing

@testable import ReferenceModel

/// What the pass computes is what the library that wrote the checkpoint computes, in float64.
@Suite struct GoldenTests {
  /// The bound on `max_rel`.
  private static let bound = 1e-9

  @Test(arguments: ModelFixture.all)
  func `agrees with its own library in every state`(fixture: ModelFixture) throws {
    let golden = try fixture.golden()
    var worst: [State.Kind: Double] = [:]
    var compared: Set<String> = []
    try fixture.pass().run(golden.inputs) { state in
      guard golden.states[state.name] != nil else { return true }
      let difference = try golden.maxRelative(state)
      #expect(difference <= Self.bound, "\(state.name)")
      worst[state.kind] = max(worst[state.kind] ?? 0, difference)
      compared.insert(state.name)
      return true
    }
    // The recorder calls every feed-forward part so, and one stack has no name there.
    let otherwise = ["mixtral": "feed_forward", "t5-encoder": "trace/layers."][fixture.folder]
    let missed = golden.states.keys.filter { name in
      !compared.contains(name.text) && otherwise.map { name.text.contains($0) } != true
    }
    #expect(missed.isEmpty, "\(missed.sorted())")
    print(
      fixture.folder, worst.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", "),
      "of", compared.count)
  }

  @Test(arguments: ModelFixture.all)
  func `agrees in single precision as far as it goes`(fixture: ModelFixture) throws {
    let golden = try fixture.golden()
    try fixture.pass(.float32).run(golden.inputs) { state in
      guard golden.states[state.name] != nil else { return true }
      let difference = try golden.maxRelative(state)
      #expect(difference <= 2e-5, "\(state.name)")
      return true
    }
  }
}
