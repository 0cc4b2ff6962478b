internal import TensorFormats
internal import Tensors

/// Writes files that are known as a whole: complete under their name, or not there.
public enum WholeFile {
  /// Writes a report over what an earlier run left, or into a pipe or a device.
  ///
  /// - Throws: `output` where it cannot be created, `io` where writing fails.
  public static func writeReport(_ bytes: [UInt8], to path: String) throws {
    // `/dev/stdout` is a link, and not ours to replace.
    if let stream = try OutputStream(path: path) { return try stream.write(bytes.rawSpan) }
    let output = try OutputFile(path: path, replaces: true, syncs: false)
    output.extend(to: bytes.count)
    try output.write(bytes.rawSpan, at: 0)
    try output.finishWriting()
    try OutputFile.commit([output])
  }

  /// Writes a table in the format that the extension of `path` names, re-opens it and compares.
  ///
  /// - Parameter check: Called when everything is written and nothing has a name yet.
  /// - Throws: `usage` for an extension without a format; `unsupported` naming what the format cannot
  ///   hold; `output` and `io`; what `check` throws.
  static func write(
    _ table: TensorTable, to path: String, replaces: Bool, jobs: Int, check: () throws -> Void = {}
  ) throws {
    let format = try format(of: path)
    var options = WriteOptions()
    options.fileName = path.fileName
    let plan = try Tensors.naming(file: path) { [options] in try format.plan(table, options) }
    let output = try OutputFile(path: path, replaces: replaces, syncs: true)
    let written = try WrittenFile(
      plan, of: table, in: format, to: output,
      by: PlanExecutor(jobs: jobs, takesHashes: true, progress: nil))
    try WrittenCheck(files: [written], jobs: jobs, options: ReadOptions())
      .finishAndCompare(comparing: true)
    try check()
    try OutputFile.commit([output])
  }

  /// The format that the extension of a path names.
  ///
  /// - Throws: `usage` where it names none.
  static func format(of path: String) throws -> any TensorFormat {
    guard let format = Formats.forExtension(of: path) else {
      throw IngotError(
        .usage, "the extension names no format", file: path,
        hint: "one of \(Formats.all.flatMap(\.fileExtensions).joined(separator: " "))")
    }
    return format
  }
}
