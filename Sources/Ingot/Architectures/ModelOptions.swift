/// What a user says about the model that a checkpoint holds.
public struct ModelOptions: Sendable {
  /// The architecture; nil tells it from configuration, names and shapes.
  public var architecture: Architecture?
  /// The path of a configuration.
  public var configuration: String?
  /// Values of parameters as they were typed, the later before the earlier.
  public var settings: [(parameter: String, text: String)] = []

  /// Whether a key of a configuration that is not known is an error.
  public var isStrict = false

  /// Everything is told from the checkpoint.
  public init() {}

  /// The architectures that come into question.
  var candidates: [Architecture] { architecture.map { [$0] } ?? Architecture.all }

  /// The settings as values of an architecture's parameters.
  ///
  /// - Throws: `usage` for a parameter that it does not have or a value that is none of it.
  func settings(for architecture: Architecture) throws -> Configuration {
    var configuration = Configuration()
    for (name, text) in settings {
      guard let parameter = architecture[parameter: name] else {
        throw IngotError(
          .usage, "--set: '\(name.escapedForDisplay())' is no parameter of \(architecture.name)",
          hint: NearestNames.hint(
            ExactString(name), among: architecture.parameters.map { ExactString($0.name) })
            ?? "it has \(architecture.parameters.map(\.name).joined(separator: ", "))")
      }
      guard let value = parameter.value(text) else {
        throw IngotError(
          .usage,
          "--set: '\(text.escapedForDisplay())' is no value of '\(name)' (\(parameter.kind))")
      }
      let entry = Configuration.Entry(value, source: "--set")
      do {
        try parameter.check(entry)
      } catch var error as IngotError {
        error.errorClass = .usage
        throw error
      }
      configuration[name] = entry
    }
    return configuration
  }
}
