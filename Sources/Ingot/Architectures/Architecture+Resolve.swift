internal import Tensors

extension Architecture {
  /// The architecture that a user's word means: a built-in name, or the path of a description in JSON,
  /// which ends in `.json` or has a slash.
  ///
  /// - Throws: `unsupported` for an unknown name, with the nearest; what opening and reading the file
  ///   throws.
  public static func resolve(_ text: String) throws -> Architecture {
    if let architecture = named(text) { return architecture }
    guard text.hasSuffix(".json") || text.contains("/") else {
      throw IngotError(
        .unsupported, "unknown architecture '\(text.escapedForDisplay())'",
        hint: NearestNames.hint(ExactString(text), among: all.map { ExactString($0.name) })
          ?? "'ingot architectures' lists what is known; a file ends in .json or has a slash")
    }
    return try Tensors.naming(file: text) {
      let file = try InputFile(path: text)
      guard file.byteCount <= longestText else {
        throw IngotError(.limit, "a description above \(longestText) bytes")
      }
      return try Architecture(
        parsing: file.bytes(at: 0, count: file.byteCount, "the description"))
    }
  }

  /// The list that `ingot architectures --json` prints (`schemas/architectures.schema.json`).
  public static var listJSON: JSON {
    [
      "architectures": .array(
        all.map { architecture in
          [
            "name": .string(architecture.name), "summary": .string(architecture.summary),
            "conventions": .array(architecture.conventions.map { .string($0.name) }),
            "configurations": .array(architecture.dialects.map { .string($0.name) }),
          ]
        })
    ]
  }
}
