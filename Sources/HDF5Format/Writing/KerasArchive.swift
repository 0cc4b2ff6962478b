internal import Compression
internal import Tensors

/// Keras 3's `.keras`: a zip archive of stored members, `metadata.json`, `config.json` and
/// `model.weights.h5` in Keras 3's layout.
///
/// The two texts are the table's metadata of these names. Keras builds the model from `config.json`, so
/// that it cannot be missing; it does not read `metadata.json`.
enum KerasArchive {
  private static let configuration: ExactString = "config.json"
  private static let textMembers: [ExactString] = ["metadata.json", configuration]
  private static let weightsMember: ExactString = "model.weights.h5"
  /// The largest that zip's extra field for alignment can bring about.
  private static let largestAlignment = 1 << 15

  static func plan(_ table: TensorTable, _ options: WriteOptions) throws -> WritePlan {
    var obstacles = Obstacles()
    if table.metadata[configuration] == nil {
      obstacles.add("a model without its configuration: the metadata lacks '\(configuration)'")
    }
    var weights = table
    for name in textMembers { weights.metadata[name] = nil }
    var tree = FileTree(weights, obstacles: &obstacles)

    var records: [ZipMemberRecord] = []
    var beginning: [UInt8] = []
    for name in textMembers {
      guard let value = table.metadata[name] else { continue }
      let text = Array(value.string?.utf8 ?? value.text().utf8)
      var record = ZipMemberRecord(name: name, method: .stored, headerOffset: beginning.count)
      record.fill(crc32: CRC32.of(text), size: text.count)
      beginning += record.localHeader() + text
      records.append(record)
    }
    var options = options
    options.alignment = min(options.alignment ?? FileImage.usualAlignment, largestAlignment)
    let record = ZipMemberRecord(
      name: weightsMember, method: .stored, headerOffset: beginning.count,
      alignment: options.alignment ?? 1)
    beginning += record.localHeader()

    let image = try KerasWeightsLayout.image(
      weights, &tree, &obstacles, options, base: beginning.count)
    var plan = WritePlan()
    plan.parts = [.bytes(beginning)] + image.parts
    plan.droppedMetadata = tree.droppedMetadata
    if image.needsFinish { plan.finish.append(image.finish) }
    let (base, texts) = (beginning.count, records)
    plan.finish.append { try close($0.file, texts: texts, weights: record, weightsOffset: base) }
    return plan
  }

  /// Fills in the size and the CRC-32 of the weights, as they are by now, and appends the directory.
  private static func close(
    _ file: any ByteSource, texts: [ZipMemberRecord], weights: ZipMemberRecord, weightsOffset: Int
  ) throws -> [WritePlan.Patch] {
    var weights = weights
    let end = file.byteCount
    weights.fill(crc32: try crc32(of: file, from: weightsOffset), size: end - weightsOffset)
    return [
      .init(offset: weights.headerOffset, bytes: weights.localHeader()),
      .init(offset: end, bytes: ZipDirectory.bytes(of: texts + [weights], at: end)),
    ]
  }

  private static func crc32(of file: any ByteSource, from start: Int) throws -> UInt32 {
    var crc: UInt32 = 0
    var buffer = [UInt8](repeating: 0, count: min(1 << 20, file.byteCount - start))
    var offset = start
    while offset < file.byteCount {
      let count = min(buffer.count, file.byteCount - offset)
      try buffer.withMutableBytes { bytes in
        try bytes.withRange(0..<count) { part in
          try file.read(into: &part, at: offset)
          crc = CRC32.update(crc, part.bytes)
        }
      }
      offset += count
    }
    return crc
  }
}

extension ZipMemberRecord {
  fileprivate mutating func fill(crc32: UInt32, size: Int) {
    self.crc32 = crc32
    compressedSize = size
    uncompressedSize = size
  }
}
