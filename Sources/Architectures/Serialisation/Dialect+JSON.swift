internal import Tensors

extension Dialect: FieldMapped {
  static var blank: Self { .init(name: "", recognition: .blank, keys: []) }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.required("recognition", &recognition)
    try fields.required("keys", &keys)
    try fields.optional("unread", &unread)
    try fields.optional("replacements", &replacements)
    try fields.optional("closed", &isClosed)
  }
}

extension Dialect.UnreadKey: FieldMapped {
  static var blank: Self { .init(key: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.required("key", &key)
    try fields.optional("values", &values)
    try fields.optional("computed", &computed)
    try fields.optional("changes_weights", &changesWeights)
  }
}

extension Dialect.Replacement: FieldMapped {
  static var blank: Self { .init(key: "", by: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.required("key", &key)
    try fields.required("by", &by)
  }
}

extension Dialect.Recognition: FieldMapped {
  static var blank: Self { .init(key: "", values: []) }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.required("key", &key)
    try fields.required("values", &values)
    try fields.optional("present", &present)
    try fields.optional("absent", &absent)
  }
}

extension Dialect.Key: FieldMapped {
  static var blank: Self { .init(parameter: "", paths: []) }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.identifier("parameter", &parameter)
    try fields.required("paths", &paths)
    try fields.optional("meanings", &meanings)
    // A formula of another kind: what the configuration says is its one name.
    fields.allowOnly(["value"])
    try fields.optional("formula", &formula)
    try fields.optional("absent", &absent)
  }
}
