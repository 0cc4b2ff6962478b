internal import Tensors

/// A step is an object that its first word tells: the kind of an operation, with the operation's fields
/// as its only member, or `block`, `loop`, `if`, `state`, `result`.
extension Step: JSONCoded {
  var json: JSON {
    switch self {
    case .operation(let operation):
      .object([.init(ExactString(operation.word), operation.content.json)])
    case .block(let block): block.json
    case .loop(let loop): loop.json
    case .branch(let branch): branch.json
    case .state(let value, let series): StateFields(value: value, series: series).json
    case .result(let value, let name): ResultFields(value: value, name: name).json
    }
  }

  init(json: JSON, at place: JSONPlace) throws {
    guard let members = json.object, !members.isEmpty else { throw place.expected("a step", json) }
    let inner = try place.enteringStep()
    func has(_ key: ExactString) -> Bool { members.contains { $0.key == key } }
    if has("block") {
      self = .block(try .init(json: json, at: inner))
    } else if has("loop") {
      self = .loop(try .init(json: json, at: inner))
    } else if has("if") {
      self = .branch(try .init(json: json, at: inner))
    } else if has("state") {
      let fields = try StateFields(json: json, at: inner)
      self = .state(fields.value, series: fields.series)
    } else if has("result") {
      let fields = try ResultFields(json: json, at: inner)
      self = .result(fields.value, name: fields.name)
    } else {
      let key = members[0].key
      guard let kind = Operation.kinds.first(where: { ExactString($0.word) == key }) else {
        let kinds = Operation.kinds.map { $0.word }.joined(separator: ", ")
        throw place.failure(
          "'\(key.escapedForDisplay(limit: 80))' is no step; there are block, loop, if, state, result, "
            + kinds)
      }
      guard members.count == 1 else {
        throw place.failure("'\(key)' stands alone in its step, its fields are in its value")
      }
      self = .operation(try kind.init(json: members[0].value, at: inner[key]).operation)
    }
  }
}

extension Step.Block: FieldMapped {
  static var blank: Self { .init(name: "", component: .other, output: "", steps: []) }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("block", &name)
    try fields.required("component", &component)
    try fields.word("output", &output)
    try fields.required("steps", &steps)
  }
}

extension Step.Loop: FieldMapped {
  static var blank: Self { .init(name: "", variable: "", count: 0, steps: []) }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("loop", &name)
    try fields.identifier("variable", &variable)
    try fields.required("count", &count)
    try fields.optional("shares_weights", &sharesWeights)
    try fields.bind(variable, "variable")
    try fields.required("steps", &steps)
  }
}

extension Step.Branch: FieldMapped {
  static var blank: Self { .init(condition: true, then: []) }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.required("if", &condition)
    try fields.required("then", &then)
    try fields.optional("else", &otherwise)
  }
}

/// The two words of a state.
struct StateFields: FieldMapped {
  var value = ""
  var series = ""

  static var blank: Self { .init() }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("state", &value)
    try fields.word("series", &series)
  }
}

/// The two words of a result.
struct ResultFields: FieldMapped {
  var value = ""
  var name = ""

  static var blank: Self { .init() }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("result", &value)
    try fields.word("name", &name)
  }
}

/// A tie has `let` fields, so reading makes another one.
extension Weight.Tie: FieldMapped {
  static var blank: Self { .init(when: true, to: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    var (condition, role) = (condition, role)
    try fields.optional("when", &condition)
    try fields.word("to", &role)
    self = .init(when: condition, to: role)
  }
}
