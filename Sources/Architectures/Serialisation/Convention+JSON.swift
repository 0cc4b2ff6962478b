internal import Tensors

extension Convention: FieldMapped {
  static var blank: Self { .init(name: "", spellings: []) }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.optional("prefix", &prefix)
    try fields.optional("prefix_when", &prefixCondition)
    try fields.optional("repeats_tied", &repeatsTied)
    try fields.required("spellings", &spellings)
    try fields.optional("buffers", &buffers)
    try fields.optional("requirements", &requirements)
    try fields.optional("adaptations", &adaptations)
    try fields.optional("layer_names", &layerNames)
  }
}

extension LayerNames: FieldMapped {
  static var blank: Self { .init(layers: []) }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.required("layers", &layers)
    try fields.optional("outer_layers", &outerLayers)
    try fields.optional("prefixes", &prefixes)
    try fields.optional("scale", &scale)
    try fields.optional("copies", &copies)
  }
}

extension LayerNames.Layer: FieldMapped {
  static var blank: Self { .init(path: "", name: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.required("path", &path)
    try fields.required("name", &name)
    try fields.optional("parts", &parts)
  }
}

extension Adaptation: FieldMapped {
  static var blank: Self { .init(condition: true, values: [:], reason: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.required("when", &condition)
    try fields.required("sets", &values)
    try fields.optional("first_rows", &firstRows)
    try fields.optional("zeros", &zeros)
    try fields.optional("folds", &folds)
    try fields.required("reason", &reason)
  }
}

extension Spelling: FieldMapped {
  static var blank: Self { .init([], "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.required("roles", &roles)
    try fields.required("name", &name)
    try fields.optional("layout", &layout)
    try fields.optional("outer", &isOuter)
    try fields.optional("aliases", &aliases)
    try fields.optional("when", &condition)
  }
}

/// A layout step is its name, with its value where it takes one: `"transpose"`, `{"permute": [1, 0]}`.
extension LayoutStep: JSONCoded {
  var json: JSON {
    switch self {
    case .transpose: .string("transpose")
    case .permute(let axes): ["permute": axes.json]
    case .reshape(let dimensions): ["reshape": dimensions.json]
    case .interleaveHeads(let heads): ["interleave_heads": heads.json]
    case .rotaryPairs(let heads): ["rotary_pairs": heads.json]
    }
  }

  init(json: JSON, at place: JSONPlace) throws {
    let known = "transpose, permute, reshape, interleave_heads, rotary_pairs"
    if json == .string("transpose") {
      self = .transpose
      return
    }
    guard let members = json.object, members.count == 1 else {
      throw place.expected("one of \(known)", json)
    }
    let (key, value) = (members[0].key, members[0].value)
    switch key {
    case "permute":
      let axes = try [Int](json: value, at: place[key])
      guard axes.count <= Limits.rank, axes.sorted() == Array(axes.indices) else {
        throw place[key].failure("expected each of the axes 0, 1, 2 … once")
      }
      self = .permute(axes)
    case "reshape":
      let dimensions = try [Expression](json: value, at: place[key])
      guard dimensions.count <= Limits.rank else {
        throw place[key].failure("more than \(Limits.rank) dimensions")
      }
      self = .reshape(dimensions)
    case "interleave_heads": self = .interleaveHeads(try .init(json: value, at: place[key]))
    case "rotary_pairs": self = .rotaryPairs(heads: try .init(json: value, at: place[key]))
    default:
      throw place.failure(
        "'\(key.escapedForDisplay(limit: 80))' is no layout step; there are \(known)")
    }
  }

  /// The number of axes after this step on `rank` of them, or nil where it cannot be done.
  func rank(after rank: Int) -> Int? {
    switch self {
    case .transpose: rank == 2 ? 2 : nil
    case .permute(let axes): rank == axes.count ? rank : nil
    case .reshape(let dimensions): dimensions.count
    case .interleaveHeads, .rotaryPairs: rank > 0 ? rank : nil
    }
  }
}
