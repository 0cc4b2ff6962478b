package import Tensors

/// An architecture with its configuration: every size and every weight is known.
public struct Model: Sendable {
  /// The description.
  public let architecture: Architecture
  /// What was given, without defaults.
  public let configuration: Configuration
  /// The values of the parameters.
  public let environment: Environment
  /// The weights in the order of their first use; tied ones come where they are used again.
  public let weights: [ModelWeight]

  /// Puts the values into the description.
  ///
  /// - Throws: `usage` for a value that is missing; `malformed` for one of the wrong kind or out of
  ///   bounds, and where a requirement between values does not hold.
  public init(_ architecture: Architecture, _ configuration: Configuration) throws {
    self.architecture = architecture
    self.configuration = configuration
    // Walks ask for the same few values over and over.
    let pairs = architecture.parameters.compactMap { parameter in
      (try? configuration.entry(parameter.name, of: architecture)).map {
        (parameter.name, $0.value)
      }
    }
    let values = Dictionary(pairs) { first, _ in first }
    environment = Environment { name in
      if let value = values[name] { return value }
      return try configuration.entry(name, of: architecture).value
    }
    for parameter in architecture.parameters {
      guard let entry = configuration[parameter.name] else { continue }
      try parameter.check(entry)
    }
    for requirement in architecture.requirements {
      // What nothing gives is asked for where it is needed.
      let isKnown = requirement.condition.names.allSatisfy { name in
        (try? configuration.entry(name, of: architecture)) != nil
      }
      guard isKnown else { continue }
      guard try environment.holds(requirement.condition) else {
        throw IngotError(.malformed, "\(architecture.name): \(requirement.message)")
      }
    }
    var collector = WeightCollector(environment)
    try collector.collect(architecture.steps)
    weights = collector.weights
  }

  /// The same model for a pass that is given these inputs: what reads others that may be left out is.
  ///
  /// - Throws: `malformed` where a requirement does not hold then.
  package func given(_ inputs: some Sequence<ExactString>) throws -> Model {
    let names = Set(inputs)
    let flags = architecture.inputs.filter { !names.contains(ExactString($0.name)) }
      .compactMap(\.flag)
    var configuration = configuration
    for flag in flags where try environment.holds(Expression(.name(flag), text: flag)) {
      configuration[flag] = .init(.flag(false), source: "an input that is not given")
    }
    return configuration == self.configuration ? self : try Model(architecture, configuration)
  }

  /// Where walks through the whole description begin.
  public var scope: Scope { Scope(environment) }

  /// Every parameter with its value and source, in the description's order.
  ///
  /// What nothing gives is left out: a model can be built where no weight needs it.
  public var values: [(name: String, entry: Configuration.Entry)] {
    architecture.parameters.compactMap { parameter in
      (try? configuration.entry(parameter.name, of: architecture)).map { (parameter.name, $0) }
    }
  }
}

extension Parameter {
  /// The largest count that any parameter may have; a billion of anything is a mistake.
  static let largestCount = 1_000_000_000

  /// Checks a value's kind and bounds.
  ///
  /// - Throws: `malformed` with what is expected and what was found.
  package func check(_ entry: Configuration.Entry) throws {
    func failure(_ expected: String) -> IngotError {
      IngotError(
        .malformed,
        "'\(name)' (\(entry.source)): expected \(expected), found \(entry.value.description.escapedForDisplay())"
      )
    }
    switch (kind, entry.value) {
    case (.count, .integer(let count)):
      guard count >= minimum else { throw failure("\(minimum) or more") }
      guard count <= Self.largestCount else { throw failure("at most \(Self.largestCount)") }
    case (.real, .real(let value)):
      guard value.isFinite else { throw failure("a finite number") }
    case (.real, .integer), (.flag, .flag): break
    case (.word, .word(let word)):
      guard words.contains(word) else { throw failure("one of \(words.joined(separator: ", "))") }
    case (.counts, .integers(let counts)):
      guard counts.allSatisfy({ (minimum...Self.largestCount).contains($0) }) else {
        throw failure("counts from \(minimum)")
      }
    case (.count, _): throw failure("a whole number")
    case (.real, _): throw failure("a number")
    case (.flag, _): throw failure("true or false")
    case (.word, _): throw failure("one of \(words.joined(separator: ", "))")
    case (.counts, _): throw failure("a list of whole numbers")
    }
  }
}
