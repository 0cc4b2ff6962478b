/// A table spread over several files and the index that names them.
public struct ShardSet: Sendable {
  /// The files in order: name and content.
  public var files: [(name: ExactString, table: TensorTable)]
  /// The format of the files.
  public var fileFormat: any TensorFormat
  /// The name of the index.
  public var indexName: String
  /// The index.
  public var index: [UInt8]

  /// A set of files under an index.
  public init(
    files: [(name: ExactString, table: TensorTable)], fileFormat: any TensorFormat,
    indexName: String,
    index: [UInt8]
  ) {
    self.files = files
    self.fileFormat = fileFormat
    self.indexName = indexName
    self.index = index
  }
}

/// A format whose checkpoints may be spread over several files.
public protocol ShardedFormat: TensorFormat {
  /// The format of the index, which opens the whole set.
  var indexFormat: any TensorFormat { get }
  /// Spreads `table` over files of at most `maximumBytes` of tensor data each (a larger tensor has a
  /// file of its own), named after `fileName`.
  ///
  /// - Throws: what the format cannot hold.
  func shards(of table: TensorTable, maximumBytes: Int, fileName: String) throws -> ShardSet
}

extension TensorTable {
  /// The positions of the entries of each shard, in the table's order.
  ///
  /// A shard is closed where the next tensor would take it above `maximumBytes` of tensor data; a tensor
  /// larger than that has a shard of its own.
  package func partition(maximumBytes: Int) -> [[Int]] {
    var shards: [[Int]] = []
    var room = 0
    for (index, entry) in entries.enumerated() {
      let size = entry.tensor.byteCount
      if shards.isEmpty || size > room {
        shards.append([])
        room = max(0, maximumBytes)
      }
      shards[shards.count - 1].append(index)
      room -= min(size, room)
    }
    return shards
  }
}
