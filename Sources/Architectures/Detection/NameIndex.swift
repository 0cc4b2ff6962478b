internal import Tensors

/// The names of a table by their form, so that templates find theirs without trying every one.
struct NameIndex {
  private var byForm: [[UInt8]: [ExactString]] = [:]
  private let names: Set<ExactString>

  init(_ table: TensorTable) {
    names = Set(table.entries.map(\.name))
    for entry in table.entries {
      byForm[Self.form(entry.name.utf8), default: []].append(entry.name)
    }
  }

  func contains(_ name: ExactString) -> Bool { names.contains(name) }

  /// The name with each run of digits as one `#`.
  private static func form(_ name: some Sequence<UInt8>) -> [UInt8] {
    var form: [UInt8] = []
    var isInNumber = false
    for byte in name {
      let isDigit = (0x30...0x39).contains(byte)
      if !isDigit {
        form.append(byte)
      } else if !isInNumber {
        form.append(UInt8(ascii: "#"))
      }
      isInNumber = isDigit
    }
    return form
  }

  /// The names that are `prefix` and then an instance of `template`, with the variables' values.
  func matches(
    of template: NameTemplate, prefix: ExactString
  ) -> [(name: ExactString, variables: [String: Int])] {
    var forms: Set<[UInt8]> = []
    // A suffix variable has no digits where it is 0.
    for number in [0, 1] {
      let variables = Dictionary(template.variables.map { ($0, number) }) { one, _ in one }
      forms.insert(Self.form((prefix + template.name(variables)).utf8))
    }
    return forms.flatMap { byForm[$0] ?? [] }.compactMap { name in
      guard name.utf8.starts(with: prefix.utf8) else { return nil }
      return template.match(name.utf8.dropFirst(prefix.utf8.count)).map { (name, $0) }
    }
  }

  /// What stands before `ending` in the names that end with it.
  func beginnings(before ending: ExactString) -> [ExactString] {
    names.compactMap { $0.removingSuffix(ending) }
  }
}
