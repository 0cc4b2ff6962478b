public import Tensors

/// The index of Keras 3 weights that are spread over several files (`model.weights.json`).
///
/// ```
/// {"metadata": {"total_size": 24.0}, "weight_map": {"/layers/dense/vars": ["model_00000.weights.h5", …], …}}
/// ```
///
/// The map names groups of variables, each with the file or the files that hold them; the variables
/// themselves keep the names that they have in one file. Files are plain names beside the index.
/// `total_size` counts gigabytes or bytes depending on the version: nothing rests on it.
public struct KerasShardsFormat: TensorFormat {
  /// The format has no settings.
  public init() {}

  /// The name that `--from` takes.
  public var identifier: String { "keras-shards" }
  /// One line for `ingot formats`.
  public var summary: String { "Keras 3 weights in several files, by their index" }
  /// `.weights.json`.
  public var fileExtensions: [String] { [".weights.json"] }

  /// A JSON object that maps names to `.weights.h5` files.
  public func recognizes(_ beginning: [UInt8], fileSize: Int) -> Bool {
    ShardIndex.recognizes(beginning, ending: ".weights.h5")
  }

  /// Reads the index and the structure of every file.
  public func read(_ input: FormatInput) throws -> TensorTable {
    let groups = try Self.groups(input)
    guard let openSibling = input.openSibling else {
      throw IngotError(.unsupported, "an index needs the folder that its files lie in")
    }
    let folder = String(input.path.dropLast(input.fileName.count))
    var files: [ExactString: GroupedTable] = [:]
    var table = TensorTable()
    var hasCode = false
    for fileName in groups.flatMap(\.files) where files[fileName] == nil {
      let path = folder + fileName.text
      let shard = try naming(file: path) {
        try HDF5Reader.read(
          FormatInput(
            path: path, source: try openSibling(fileName.text), options: input.options))
      }
      files[fileName] = GroupedTable(shard)
      for (key, value) in shard.metadata.sorted where table.metadata[key] == nil {
        table.metadata[key] = value
      }
      for note in shard.notes where note != KerasConfiguration.codeNote || !hasCode {
        hasCode = hasCode || note == KerasConfiguration.codeNote
        table.notes.append("\(fileName.escapedForDisplay()): \(note)")
      }
      table.others += shard.others
    }
    var faults: [String] = []
    for group in groups {
      for fileName in group.files {
        guard let found = files[fileName]?.take(group.path) else {
          faults.append(
            "'\(group.path.escapedForDisplay())' is not in \(fileName.escapedForDisplay())")
          continue
        }
        for entry in found { try table.append(entry.name, entry.tensor) }
      }
    }
    for (fileName, file) in files.sorted(by: { $0.key < $1.key }) {
      for path in file.rest {
        faults.append(
          "\(fileName.escapedForDisplay()) holds '\(path.escapedForDisplay())', which the index does not place there"
        )
      }
    }
    guard faults.isEmpty else {
      let shown = faults.prefix(20).joined(separator: "; ")
      let more = faults.count > 20 ? "; and \(faults.count - 20) more" : ""
      throw IngotError(.malformed, "index and files disagree: \(shown)\(more)", offset: 0)
    }
    return table
  }

  /// Not one file.
  ///
  /// - Throws: `usage`: without a size there is nothing to spread.
  public func plan(_ table: TensorTable, _ options: WriteOptions) throws -> WritePlan {
    throw IngotError(
      .usage, "a Keras index stands for several files",
      hint: "give --max-shard-size, or convert to OUT.weights.h5 with --layout keras")
  }

  /// A group of variables and the files that hold them.
  private struct Group {
    let path: ExactString
    let files: [ExactString]
  }

  private static func groups(_ input: FormatInput) throws -> [Group] {
    var groups: [Group] = []
    try ShardIndex.read(input.source, metadata: { _ = try $0.value() }) { scanner, path in
      let at = scanner.offset
      let value = try scanner.value()
      let files = (value.array ?? [value]).compactMap(\.string)
      guard files.count == value.array?.count ?? 1, !files.isEmpty,
        Set(files).count == files.count, let name = normalized(path)
      else {
        throw scanner.failure("'\(path.escapedForDisplay())' is not mapped to files", at: at)
      }
      for file in files { try ShardIndex.check(file, at: at) }
      groups.append(Group(path: name, files: files))
    }
    return groups
  }

  /// The path of a group without the leading slash; nil for none.
  private static func normalized(_ path: ExactString) -> ExactString? {
    let name = path.removingPrefix("/") ?? path
    return name.isEmpty ? nil : name
  }
}

/// The tensors of a file by the group that they lie in.
private final class GroupedTable {
  private var groups: [ExactString: [TensorTable.Entry]] = [:]

  init(_ table: TensorTable) {
    for entry in table.entries {
      groups[entry.name.splitAtLast("/")?.before ?? "", default: []].append(entry)
    }
  }

  /// Hands out the tensors of a group, once.
  func take(_ path: ExactString) -> [TensorTable.Entry]? { groups.removeValue(forKey: path) }

  /// The groups that nobody took.
  var rest: [ExactString] { groups.keys.sorted() }
}
