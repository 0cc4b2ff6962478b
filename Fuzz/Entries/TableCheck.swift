internal import Ingot
internal import TensorFormats
internal import TestSupport

/// What must hold of every table that a reader hands out.
enum TableCheck {
  /// Tensors above this size are read at both ends only; inputs of the fuzzer are far smaller, but a fill
  /// value or deflate makes much of little.
  private static let wholeBytes = 1 << 20

  /// Reads a file and what it holds, and writes it in its own format and in ours.
  static func check(_ file: [UInt8], _ format: any TensorFormat) throws {
    let table = try format.read(input(file))
    let small = try read(table)
    guard !small.entries.isEmpty else { return }
    let manifest = try DigestManifest(of: small, jobs: 1)
    for destination in [format, NativeFormat()] {
      let plan: WritePlan
      do {
        plan = try destination.plan(small, WriteOptions())
      } catch let error as IngotError
        where error.errorClass == .unsupported || error.errorClass == .usage
      {
        continue
      }
      let written = try promised("what was read can be written") {
        try PlainExecutor.execute(plan)
      }
      let again = try promised("what was written can be read") {
        try destination.read(input(written))
      }
      let found = try promised("what was written is whole") {
        try DigestManifest(of: again, jobs: 1)
      }
      guard found == manifest else {
        throw FuzzFinding(
          "\(destination.identifier) holds\n\(found.text)instead of\n\(manifest.text)")
      }
    }
  }

  /// Reads every tensor that can be read, and returns the table of the small ones.
  private static func read(_ table: TensorTable) throws -> TensorTable {
    var small: [TensorTable.Entry] = []
    for entry in table.entries where entry.tensor.obstacle == nil {
      let source = entry.tensor.source
      if source.byteCount <= wholeBytes {
        _ = try source.everything()
        small.append(entry)
      } else {
        _ = try source.bytes(at: 0, count: 4096, "the beginning")
        _ = try source.bytes(at: source.byteCount - 4096, count: 4096, "the end")
      }
    }
    // Sixteen at most: what is wrong with a table shows in few.
    return try table.replacingEntries(small.prefix(16))
  }

  /// An input with nothing beside it.
  static func input(_ bytes: [UInt8]) -> FormatInput {
    FormatInput(path: "fuzz", source: ArraySource(bytes))
  }
}
