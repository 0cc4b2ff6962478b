import Foundation
import Tensors
import TestSupport
import Testing

@testable import Architectures

/// What is wrong with a user's description, and where.
@Suite struct DescriptionErrorTests {
  private static let sound = """
    {"name": "small", "summary": "",
     "parameters": [{"name": "vocabulary", "kind": "count"}, {"name": "width", "kind": "count"},
       {"name": "layers", "kind": "count", "default": "width"}],
     "inputs": [{"name": "input_ids", "kind": "ids", "size": "vocabulary"}],
     "steps": [
       {"embedding": {"name": "tokens", "input": "input_ids", "rows": "vocabulary",
         "width": "width", "output": "x"}},
       {"loop": "layers", "variable": "layer", "count": "layers", "steps": [
         {"if": "layer % 2 == 0", "then": [
           {"linear": {"name": "up", "input": "x", "inputs": "width", "outputs": "width",
             "purpose": "other", "output": "x"}}]}]},
       {"result": "x", "name": "features"}],
     "conventions": [{"name": "torch", "spellings": [
       {"roles": ["layers.{layer}.up.weight"], "name": "h.{layer}.w", "layout": ["transpose"]}],
       "adaptations": [{"when": "layers > 1", "sets": {"layers": 1},
         "zeros": ["layers.{layer}.up.weight"], "reason": "one will do"}]}]}
    """

  @Test func `the description that is broken below is sound`() throws {
    #expect(try Architecture(parsing: Array(Self.sound.utf8)).name == "small")
  }

  @Test(arguments: [
    (
      #""outputs": "width""#, #""outputs": "widht""#,
      "steps[1].steps[0].then[0].linear.outputs: 'widht' is neither"
    ),
    (#""outputs": "width""#, #""outputs": "2 *""#, "linear.outputs: the formula '2 *' ends where"),
    (#""outputs": "width""#, #""outputs": null"#, "linear.outputs: expected a formula, found null"),
    (
      #""outputs": "width""#, #""outputs": "width", "bais": true"#,
      "then[0].linear: unknown key 'bais'; there are name"
    ),
    (#""outputs": "width","#, "", "then[0].linear: lacks 'outputs'"),
    (
      #""purpose": "other""#, #""purpose": "othr""#,
      "linear.purpose: expected one of token_embedding"
    ),
    (#"{"linear":"#, #"{"liner":"#, "then[0]: 'liner' is no step; there are block, loop"),
    (#"{"linear":"#, #"{"linear": [], "linear2":"#, "then[0]: 'linear' stands alone in its step"),
    (
      #"{"result": "x""#, #"{"result": "y""#,
      "steps[2].result: 'y' is no input and no step gives it"
    ),
    (#""input": "x""#, #""input": "z""#, "then[0].linear: 'z' is no input and no step gives it"),
    (
      #""variable": "layer""#, #""variable": "width""#,
      "steps[1].variable: 'width' is already the name"
    ),
    (
      #""variable": "layer""#, #""variable": "a b""#,
      "steps[1].variable: 'a b' is no name that a formula"
    ),
    (
      #""parameters": ["#, #""parameters": [{"name": "width", "kind": "real"}, "#,
      "parameters[2].name: 'width' occurs twice"
    ),
    (#""default": "width""#, #""default": "layers + 1""#, "parameters[2].default: leans on itself"),
    (
      #""default": "width""#, #""default": "depth""#,
      "parameters[2].default: 'depth' is no parameter"
    ),
    (#""default": "width""#, #""words": ["a"]"#, "parameters[2].words: only a word has words"),
    (#""default": "width""#, #""minimum": -1"#, "parameters[2].minimum: expected a whole number"),
    (#""kind": "ids""#, #""kind": "id""#, "inputs[0].kind: expected one of ids, mask"),
    (
      #""kind": "ids""#, #""kind": "pixels", "length": 7"#,
      "inputs[0].length: pictures are no sequence"
    ),
    (
      "layers.{layer}.up", "layers.{stage}.up",
      "spellings[0].roles[0]: 'stage' is the variable of no loop"
    ),
    ("h.{layer}.w", "h.{stage}.w", "spellings[0].name: 'stage' is no loop variable of the roles"),
    ("h.{layer}.w", "h.{layer:sufix}.w", "name: '{layer:sufix}' is neither a variable"),
    (#"["transpose"]"#, #"[{"permute": [0, 2]}]"#, "layout[0].permute: expected each of the axes"),
    (
      #"["transpose"]"#, #"[{"permute": [0, 2, 1]}]"#,
      "layout[0]: 'layers.{layer}.up.weight' has 2 axes"
    ),
    (#"["transpose"]"#, #"["transpos"]"#, "layout[0]: expected one of transpose, permute"),
    (
      #""when": "layers > 1""#, #""when": "layer > 1""#,
      "adaptations[0].when: 'layer' is no parameter"
    ),
    (#""sets": {"layers": 1}"#, #""sets": {"layer": 1}"#, "[0].sets: 'layer' is no parameter"),
    (
      #""sets": {"layers": 1}"#, #""sets": {"layers": "layer"}"#,
      "[0].sets.layers: 'layer' is no parameter"
    ),
    (
      #""zeros": ["layers.{layer}.up.weight"]"#, #""first_rows": ["layers.up.weight"]"#,
      "adaptations[0].first_rows[0]: no weight is 'layers.up.weight'"
    ),
    (#""name": "small""#, #""name": "sm/all""#, "name: 'sm/all' is no name"),
    (#""name": "small","#, "", "lacks 'name'"),
    (
      #""output": "x"}}]}]}"#, #""output": "x", "tie": {"to": "tokens.wieght"}}}]}]}"#,
      "linear.tie.to: no weight is 'tokens.wieght'"
    ),
  ])
  func `a fault is told with its place`(text: String, broken: String, message: String) throws {
    #expect(Self.sound.contains(text))
    let range = try #require(Self.sound.firstRange(of: text))
    let document = Self.sound.replacingCharacters(in: range, with: broken)
    #expect {
      try Architecture(parsing: Array(document.utf8))
    } throws: { error in
      (error as? IngotError)?.errorClass == .malformed && "\(error)".contains(message)
    }
  }

  @Test func `steps nested too deep, or too many, are refused`() throws {
    let nested =
      String(repeating: #"{"if": true, "then": ["#, count: 17) + #"{"state": "x", "series": "s"}"#
      + String(repeating: "]}", count: 17)
    let many = Array(repeating: #"{"state": "x", "series": "s"}"#, count: 2001)
      .joined(separator: ",")
    for (steps, message) in [(nested, "nested above 16 levels"), (many, "more than 2000 steps")] {
      let document = Self.sound.replacingOccurrences(
        of: #"{"result": "x", "name": "features"}"#, with: steps)
      #expect { try Architecture(parsing: Array(document.utf8)) } throws: {
        "\($0)".contains(message)
      }
    }
  }

  @Test func `loops in loops end`() throws {
    let document = Self.sound.replacingOccurrences(
      of: #"{"result": "x", "name": "features"}"#,
      with: #"""
        {"loop": "a", "variable": "i", "count": 9000, "steps": [
          {"loop": "b", "variable": "j", "count": 9000, "steps": [{"state": "x", "series": "s"}]}]}
        """#)
    let architecture = try Architecture(parsing: Array(document.utf8))
    var configuration = Configuration()
    for name in ["vocabulary", "width"] { configuration[name] = .init(.integer(2), source: "test") }
    #expect { try Model(architecture, configuration) } throws: {
      "\($0)".contains("9000 b are above 1")
    }
  }

  /// Mutations of the built-in descriptions are refused with a line, or are descriptions that every
  /// walk can take: nothing crashes, nothing hangs.
  @Test(arguments: 0..<40)
  func `mutations never crash`(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let architecture = Architecture.all[seed % Architecture.all.count]
    let start = ContinuousClock.now
    for _ in 0..<40 {
      var json = architecture.json
      for _ in 0...Int.random(in: 0..<3, using: &generator) {
        json = Self.mutated(json, &generator)
      }
      var bytes = Array(json.text().utf8)
      if Int.random(in: 0..<8, using: &generator) == 0 {
        bytes[Int.random(in: bytes.indices, using: &generator)] = .random(
          in: 0...255, using: &generator)
      }
      do {
        try Self.exercise(Architecture(parsing: bytes))
      } catch let error as IngotError {
        // A mistake of ours, but for two spellings of one weight, which only a model can show.
        #expect(
          !error.message.isEmpty && error.errorClass != .internal || error.message.contains("twice")
        )
      }
    }
    #expect(ContinuousClock.now - start < .seconds(60))
  }

  /// Every walk through a description, with small values.
  private static func exercise(_ architecture: Architecture) throws {
    _ = ArchitectureOutline(architecture).text
    _ = architecture.json.text(.fitted)
    var configuration = Configuration()
    for parameter in architecture.parameters where parameter.fallback == nil {
      let value: Value =
        switch parameter.kind {
        case .count: .integer(["heads": 2, "layers": 2, "width": 8][parameter.name] ?? 4)
        case .real: .real(1e-5)
        case .flag: .flag(true)
        case .word: .word(parameter.words[0])
        case .counts: .integers([2, 2])
        }
      configuration[parameter.name] = .init(value, source: "test")
    }
    let model = try Model(architecture, configuration)
    for convention in architecture.conventions { _ = try? convention.tensors(of: model) }
    var walk = try ShapeWalk(model, batch: 1, sequence: 3)
    try walk.run()
  }

  private static func mutated(_ json: JSON, _ generator: inout SeededGenerator) -> JSON {
    let junk: [JSON] = [
      .null, .integer(-1), .integer(0), .integer(.max), .number(1e300), .string(""), .string("{:}"),
      .string("{layer"), .string("-(-9223372036854775807 - 1)"), .string("width / 0"),
      .string("(((((("), .boolean(true), .array([]), .object([]), .string("x"),
      .string("layer"), .integer(1_000_000_000), .array([.integer(5), .integer(0)]),
      .string(String(repeating: "width*", count: 150) + "1"), .string("{layer}"), .string("q"),
    ]
    /// The deeper, the more of a document there is: go down nearly always.
    func stays() -> Bool { Int.random(in: 0..<12, using: &generator) == 0 }
    switch json {
    case .array(var elements) where !elements.isEmpty && !stays():
      let index = Int.random(in: elements.indices, using: &generator)
      switch Int.random(in: 0..<20, using: &generator) {
      case 0: elements.remove(at: index)
      case 1: elements.append(elements[index])
      case 2: elements.swapAt(index, Int.random(in: elements.indices, using: &generator))
      case 3: elements[index] = elements[Int.random(in: elements.indices, using: &generator)]
      default: elements[index] = mutated(elements[index], &generator)
      }
      return .array(elements)
    case .object(var members) where !members.isEmpty && !stays():
      let index = Int.random(in: members.indices, using: &generator)
      let (key, value) = (members[index].key, members[index].value)
      switch Int.random(in: 0..<20, using: &generator) {
      case 0: members.remove(at: index)
      case 1: members[index] = .init(key + "x", value)
      case 2:
        members[index] = .init(
          key, members[Int.random(in: members.indices, using: &generator)].value)
      default: members[index] = .init(key, mutated(value, &generator))
      }
      return .object(members)
    case .null, .boolean, .integer, .unsigned, .number, .string, .array, .object:
      return junk[Int.random(in: junk.indices, using: &generator)]
    }
  }
}
