/// Computes and checks a checkpoint's digest: `ingot digest`.
public struct Fingerprinting: Sendable {
  private let checkpoint: Checkpoint
  /// The tensors to hash.
  public var selection = Selection()
  /// The number of threads; nil takes one per processor.
  public var jobs: Int?

  /// Prepares to hash `checkpoint`.
  public init(_ checkpoint: Checkpoint) { self.checkpoint = checkpoint }

  /// Hashes every selected tensor.
  ///
  /// - Throws: `unsupported` for a tensor that cannot be read; `changed` where the file changed.
  public func manifest() throws -> DigestManifest {
    let table = try selection.apply(to: checkpoint.table)
    try checkpoint.checkReadable(table)
    let manifest = try checkpoint.naming { try DigestManifest(of: table, jobs: jobs) }
    try checkpoint.checkUnchanged()
    return manifest
  }

  /// A manifest that an earlier run printed into a file.
  ///
  /// - Throws: `unreadable` where there is none, `malformed` where it is no manifest.
  public static func recordedManifest(
    path: String
  ) throws -> (manifest: DigestManifest, total: String?) {
    let file = try InputFile(path: path)
    return try Tensors.naming(file: path) {
      guard file.byteCount <= Limits.manifestBytes else {
        throw IngotError(.limit, "a manifest above \(Limits.manifestBytes) bytes")
      }
      let bytes = try file.bytes(at: 0, count: file.byteCount, "the manifest")
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw IngotError(.malformed, "the manifest is not UTF-8")
      }
      return try DigestManifest.parse(text)
    }
  }

  /// How `manifest` differs from a recorded one; recorded names that are not selected do not count.
  public func difference(
    of manifest: DigestManifest, from recorded: (manifest: DigestManifest, total: String?)
  ) -> DigestManifest.Difference {
    var difference = manifest.difference(from: recorded.manifest, total: recorded.total)
    difference.missing.removeAll { !selection.selects($0) }
    return difference
  }
}

extension DigestManifest {
  /// The report that `--json` prints (`schemas/digest.schema.json`).
  public func json(_ difference: Difference?) -> JSON {
    var members: [JSON.Member] = [
      .init(
        "manifest",
        .array(
          lines.map {
            [
              "sha256": .string($0.sha256), "dtype": .string($0.elementType),
              "shape": JSON($0.shape), "name": .string($0.name),
            ]
          })), .init("total", .string(total)),
    ]
    if let difference {
      members.append(
        .init(
          "check",
          [
            "ok": .boolean(difference.isEmpty),
            "changed": .array(difference.changed.map(JSON.string)),
            "missing": .array(difference.missing.map(JSON.string)),
            "added": .array(difference.added.map(JSON.string)),
            "total_differs": .boolean(difference.totalDiffers),
          ]))
    }
    return .object(members)
  }
}
