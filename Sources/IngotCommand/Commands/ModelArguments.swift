internal import ArgumentParser
internal import Ingot

/// What a user says about the model that a checkpoint holds.
struct ModelArguments: ParsableArguments {
  @Option(
    name: .long,
    help:
      "The architecture, or a JSON file that describes one; told from the file where not given.",
    // Only a shell that asks pays for the descriptions.
    completion: .custom { _, _, _ in Architecture.all.map(\.name) })
  var architecture: String?

  @Option(
    name: .long, help: "The model's configuration (config.json of any ecosystem).",
    completion: .file(extensions: ["json"]))
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "A value of the configuration, before all others: heads=12. Repeatable.",
      valueName: "name=value"))
  var settings: [SettingArgument] = []

  @Flag(
    name: .long,
    help:
      "Fail where a key of the configuration is not known and, for convert, where anything would be dropped."
  )
  var strict = false

  /// Whether nothing is said.
  var isEmpty: Bool { architecture == nil && config == nil && settings.isEmpty }

  /// The options for the library.
  var options: ModelOptions {
    get throws {
      var options = ModelOptions()
      options.architecture = try architecture.map(Architecture.resolve)
      options.configuration = config
      options.settings = settings.map { ($0.name, $0.value) }
      options.isStrict = strict
      return options
    }
  }
}

/// `heads=12`.
struct SettingArgument: ExpressibleByArgument {
  let name: String
  let value: String

  init?(argument: String) {
    guard let equals = argument.firstIndex(of: "="), equals > argument.startIndex else {
      return nil
    }
    name = String(argument[..<equals])
    value = String(argument[argument.index(after: equals)...])
  }
}
