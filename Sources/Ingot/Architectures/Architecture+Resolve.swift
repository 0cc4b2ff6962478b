extension Architecture {
  /// The architecture that a user's word means: a built-in name.
  ///
  /// - Throws: `unsupported` for an unknown name, with the nearest.
  public static func resolve(_ text: String) throws -> Architecture {
    if let architecture = named(text) { return architecture }
    throw IngotError(
      .unsupported, "unknown architecture '\(text.escapedForDisplay())'",
      hint: NearestNames.hint(text, among: all.map(\.name))
        ?? "'ingot architectures' lists what is known")
  }
}
