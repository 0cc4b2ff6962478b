internal import CYAML
internal import Tensors

/// A YAML text as a stream of events.
///
/// Every pointer of libyaml's is taken here.
@safe struct YAMLEvents: ~Copyable {
  /// What comes next in the text.
  enum Event {
    case streamStart(isUTF8: Bool)
    case documentStart
    case documentEnd
    case streamEnd
    case alias
    /// A scalar; a plain one stands without quotes, and its type depends on its spelling.
    case scalar(String, isPlain: Bool, properties: Properties)
    case listStart(Properties)
    case listEnd
    case mappingStart(Properties)
    case mappingEnd
  }

  /// What can stand before a node.
  struct Properties {
    let hasAnchor: Bool
    let hasTag: Bool
  }

  private let parser: UnsafeMutablePointer<yaml_parser_t>
  /// A copy of the text: the parser keeps a pointer to it.
  private let text: UnsafeMutableBufferPointer<UInt8>

  init(_ bytes: [UInt8]) throws {
    unsafe parser = .allocate(capacity: 1)
    guard unsafe yaml_parser_initialize(parser) == 1 else {
      unsafe parser.deallocate()
      throw IngotError(.internal, "libyaml found no memory")
    }
    unsafe text = .allocate(capacity: bytes.count)
    _ = unsafe text.initialize(from: bytes)
    // The parser reads the text until both are freed together in `deinit`.
    unsafe yaml_parser_set_input_string(parser, text.baseAddress, text.count)
  }

  deinit {
    // Nothing else has these pointers.
    unsafe yaml_parser_delete(parser)
    unsafe parser.deallocate()
    unsafe text.deallocate()
  }

  /// The next event and where it begins.
  ///
  /// - Throws: `malformed` with the place, where the text is not YAML.
  func next() throws -> (event: Event, position: TextPosition) {
    var event = unsafe yaml_event_t()
    guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw failure() }
    defer { unsafe yaml_event_delete(&event) }
    // The member of the union that is read is the one that the event's type names.
    let data = unsafe event.data
    let result: Event
    switch unsafe event.type {
    case YAML_STREAM_START_EVENT:
      unsafe result = .streamStart(isUTF8: data.stream_start.encoding == YAML_UTF8_ENCODING)
    case YAML_DOCUMENT_START_EVENT: result = .documentStart
    case YAML_DOCUMENT_END_EVENT: result = .documentEnd
    case YAML_ALIAS_EVENT: result = .alias
    case YAML_SCALAR_EVENT:
      let scalar = unsafe data.scalar
      // libyaml has checked that the `length` bytes of `value` are UTF-8.
      let value = unsafe String(
        decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      unsafe result = .scalar(
        value, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE,
        properties: Properties(hasAnchor: scalar.anchor != nil, hasTag: scalar.tag != nil))
    case YAML_SEQUENCE_START_EVENT:
      let start = unsafe data.sequence_start
      unsafe result = .listStart(
        Properties(hasAnchor: start.anchor != nil, hasTag: start.tag != nil))
    case YAML_SEQUENCE_END_EVENT: result = .listEnd
    case YAML_MAPPING_START_EVENT:
      let start = unsafe data.mapping_start
      unsafe result = .mappingStart(
        Properties(hasAnchor: start.anchor != nil, hasTag: start.tag != nil))
    case YAML_MAPPING_END_EVENT: result = .mappingEnd
    default: result = .streamEnd
    }
    return (result, unsafe Self.position(event.start_mark))
  }

  private static func position(_ mark: yaml_mark_t) -> TextPosition {
    TextPosition(line: mark.line + 1, column: mark.column + 1)
  }

  private func failure() -> IngotError {
    let state = unsafe parser.pointee
    // libyaml's messages are constants of its own.
    let problem = unsafe state.problem.map { unsafe String(cString: $0) } ?? "cannot be parsed"
    guard unsafe state.error != YAML_MEMORY_ERROR else {
      return IngotError(.internal, "libyaml found no memory")
    }
    let position =
      if unsafe state.error == YAML_READER_ERROR {
        unsafe positionOfByte(state.problem_offset)
      } else {
        unsafe Self.position(state.problem_mark)
      }
    return IngotError(.malformed, "\(position): YAML: \(problem)")
  }

  /// The place of a byte that is not text: libyaml gives its offset only.
  private func positionOfByte(_ offset: Int) -> TextPosition {
    var line = 1
    var column = 1
    for byte in unsafe Array(text.prefix(max(0, offset))) {
      if byte == UInt8(ascii: "\n") {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    return TextPosition(line: line, column: column)
  }
}
