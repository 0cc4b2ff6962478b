public import Tensors

/// A key of a configuration that is not read although it is there, and not known to change nothing.
public struct ConfigurationFinding: Sendable, Hashable {
  /// What is known of it.
  public enum Kind: String, Sendable, Hashable {
    /// Nothing.
    case unknown
    /// It changes what is computed, and this value is not the one that is.
    case unsupported
    /// Another key stands for the whole object, as its ecosystem has it.
    case replaced
  }

  /// What is known of it.
  public let kind: Kind
  /// How reports call the configuration.
  public let document: String
  /// The key, nested ones joined by dots.
  public let key: ExactString
  /// Its value as JSON.
  public let value: String
  /// What is computed instead; what stands in the place of what is replaced.
  public let computed: String
  /// Whether it changes which weights there are, so that not even counts are right.
  public let changesWeights: Bool

  /// The finding in a sentence.
  public var message: String {
    let value = value.escapedForDisplay(limit: 80)
    return switch kind {
    case .unknown: "\(document): the key '\(key.escapedForDisplay(limit: 80))' is not known"
    case .unsupported: "\(document): '\(key)' is \(value), and what is computed is: \(computed)"
    case .replaced: "\(document): '\(key)' is not read, '\(computed)' stands for all of it"
    }
  }
}

extension ConfigurationDocument {
  /// What this configuration says that is not read, for one of the architectures that it is of.
  ///
  /// Empty for a dialect that is not closed.
  package func findings(for architecture: Architecture) -> [ConfigurationFinding] {
    guard let dialect = dialect(of: architecture) else {
      return json["architecture"]?.string == ExactString(architecture.name)
        ? unknownParameters(of: architecture) : []
    }
    guard dialect.isClosed else { return [] }
    var reader = FindingReader(self, dialect)
    reader.read(json, at: nil)
    return reader.findings
  }

  /// The keys of a native configuration that name no parameter.
  private func unknownParameters(of architecture: Architecture) -> [ConfigurationFinding] {
    (json.object ?? []).filter { member in
      member.key != "architecture" && architecture[parameter: member.key.text] == nil
    }.map { member in
      ConfigurationFinding(
        kind: .unknown, document: name, key: member.key, value: member.value.text(), computed: "",
        changesWeights: false)
    }
  }
}

extension Dialect.UnreadKey {
  /// Whether a value, or each element of a list, changes nothing.
  fileprivate func permits(_ value: JSON) -> Bool {
    if values.isEmpty || values.contains(value.spelling) { return true }
    guard let elements = value.array, !elements.isEmpty else { return false }
    return elements.allSatisfy { values.contains($0.spelling) }
  }
}

/// Goes through a configuration key by key.
private struct FindingReader {
  private let name: String
  private let unread: [ExactString: Dialect.UnreadKey]
  private let replacements: [ExactString: ExactString]
  /// The paths at which parameters are found.
  private var read: Set<ExactString>
  /// The objects some members of which are read.
  private var objects: Set<ExactString> = []
  /// The objects and lists that are read as a whole, or by the number of their members.
  private var wholes: Set<ExactString> = []
  private(set) var findings: [ConfigurationFinding] = []

  init(_ document: ConfigurationDocument, _ dialect: Dialect) {
    name = document.name
    unread = Dictionary(dialect.unread.map { ($0.key, $0) }) { _, last in last }
    replacements = Dictionary(document.replaced(in: dialect).map { ($0.key, $0.by) }) { $1 }
    let recognition = dialect.recognition
    read = Set(
      dialect.keys.flatMap(\.paths) + [recognition.key] + recognition.present
        + recognition.absent)
    for path in read.union(unread.keys) {
      let parts = path.split(separator: ".")
      for count in 1..<max(1, parts.count) {
        let around = ExactString(parts.prefix(count).map(\.text).joined(separator: "."))
        if parts[count] == "#" || Int(parts[count].text) != nil {
          wholes.insert(around)
        } else {
          objects.insert(around)
        }
      }
    }
  }

  /// Looks at the members of an object.
  mutating func read(_ json: JSON, at place: ExactString?) {
    for member in json.object ?? [] {
      let path = place.map { $0 + "." + member.key } ?? member.key
      if let by = replacements[path] {
        guard member.value != .null else { continue }
        add(.replaced, path, member.value, by.text)
      } else if read.contains(path) || wholes.contains(path) {
        continue
      } else if let known = unread[path] {
        guard !known.permits(member.value) else { continue }
        add(.unsupported, path, member.value, known.computed, known.changesWeights)
      } else if objects.contains(path) {
        // A null says nothing of what would be inside.
        read(member.value, at: path)
      } else {
        add(.unknown, path, member.value)
      }
    }
  }

  private mutating func add(
    _ kind: ConfigurationFinding.Kind, _ key: ExactString, _ value: JSON, _ computed: String = "",
    _ changesWeights: Bool = false
  ) {
    findings.append(
      ConfigurationFinding(
        kind: kind, document: name, key: key, value: value.text(), computed: computed,
        changesWeights: changesWeights))
  }
}
