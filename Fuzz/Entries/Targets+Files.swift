internal import Compression
internal import Crypto
internal import HDF5Format
internal import Ingot
internal import TensorFormats
internal import TestSupport

/// Whole files, one target a format.
extension FuzzTarget {
  static let files: [FuzzTarget] = [
    .file("npy", NPYFormat(), [".npy"]),
    .file("npz", NPZFormat(), [".npz"]),
    .file("safetensors", SafetensorsFormat(), [".safetensors"]),
    .file("hdf5-chunks", HDF5FileFormat(), [".h5"]) { name in
      ["index-", "filter", "layouts", "fill-", "dtypes"].contains(where: name.contains)
    },
    .file("keras-layout", HDF5FileFormat(), [".h5"]) { $0.contains("keras") },
    .file("keras", KerasArchiveFormat(), [".keras"], largest: 64 << 10),
    .file("native", NativeFormat(), [".ingot"]),
    .index(
      "safetensors-index", SafetensorsIndexFormat(), "safetensors/sharded.safetensors.index.json"),
    .index("keras-index", KerasShardsFormat(), "keras/keras3-sharded.weights.json"),
    FuzzTarget("golden", seeds: GoldenCheck.seeds) { bytes in
      try ChecksumRepair.run(bytes) { try GoldenCheck.run($0) }
    },
  ]

  private static func file(
    _ name: String, _ format: any TensorFormat, _ endings: [String], largest: Int = 16 << 10,
    where isWanted: @escaping @Sendable (_ name: String) -> Bool = { _ in true }
  ) -> FuzzTarget {
    FuzzTarget(
      name,
      seeds: { try FuzzSeed.fixtures(endings, largest: largest).filter { isWanted($0.name) } }
    ) { bytes in
      try ChecksumRepair.run(bytes) { try TableCheck.check($0, format) }
    }
  }

  /// An index among the files of a fixture.
  private static func index(
    _ name: String, _ format: any TensorFormat, _ fixture: String
  ) -> FuzzTarget {
    let path = Places.fixture(fixture)
    return FuzzTarget(
      name, seeds: { [FuzzSeed(name: "index.json", bytes: try FuzzSeed.content(of: path))] }
    ) { bytes in
      let folder = path.prefix(through: path.lastIndex(of: "/") ?? path.startIndex)
      let input = FormatInput(
        path: path, source: ArraySource(bytes),
        openSibling: { name in
          guard name.hasPrefix("sharded-") || name.hasPrefix("keras3-sharded_") else {
            throw IngotError(.malformed, "no such file")
          }
          do {
            return try InputFile(path: folder + name)
          } catch let error as IngotError where error.errorClass == .unreadable {
            // To the fuzzer a file that is not there is a fault of the index.
            throw IngotError(.malformed, error.message, file: error.file)
          }
        })
      _ = try DigestManifest(of: try format.read(input), jobs: 1)
    }
  }
}

/// Parts of files that checksums or compression would keep from the fuzzer.
extension FuzzTarget {
  static let layers: [FuzzTarget] = [
    FuzzTarget("zip", seeds: { try FuzzSeed.fixtures([".npz", ".keras"]) }) { bytes in
      try ChecksumRepair.run(bytes) { bytes in
        let archive = try ZipArchive(ArraySource(bytes))
        for member in try archive.members() { try archive.verify(member) }
      }
    },
    FuzzTarget("hdf5-structure", seeds: { try FuzzSeed.fixtures([".h5"]) }) { bytes in
      try ChecksumRepair.run(bytes) { _ = try HDF5FileFormat().read(TableCheck.input($0)) }
    },
    FuzzTarget("npy-header", seeds: { try NPYHeaderFuzzing.seeds() }) {
      try TableCheck.check(NPYHeaderFuzzing.file($0), NPYFormat())
    },
    FuzzTarget("native-index", seeds: { try NativeIndexFuzzing.seeds() }) {
      try TableCheck.check(NativeIndexFuzzing.file($0), NativeFormat())
    },
    FuzzTarget("deflate", seeds: { DeflateFuzzing.seeds() }) { try DeflateFuzzing.check($0) },
  ]
}

/// The text of an `.npy` header: a byte for the version, one for how much data follows, the text.
private enum NPYHeaderFuzzing {
  static func file(_ input: [UInt8]) -> [UInt8] {
    let text = Array(input.dropFirst(2))
    var writer = ByteWriter()
    writer.append(contentsOf: [0x93] + Array("NUMPY".utf8))
    writer.append(contentsOf: [input.first == 3 ? 3 : 2, 0])
    writer.append(UInt32(text.count))
    writer.append(contentsOf: text)
    let dataBytes = Int(input.dropFirst().first ?? 0)
    writer.append(contentsOf: [UInt8](repeating: 0, count: dataBytes))
    return writer.bytes
  }

  static func seeds() throws -> [FuzzSeed] {
    try FuzzSeed.fixtures([".npy"]).compactMap { seed in
      let text = seed.bytes.dropFirst(10).prefix { $0 != UInt8(ascii: "\n") }
      guard let dataBytes = UInt8(exactly: max(0, seed.bytes.count - 11 - text.count)) else {
        return nil
      }
      return FuzzSeed(name: seed.name, bytes: [seed.bytes[6], dataBytes] + text)
    }
  }
}

/// The index of a native file: a byte for how many blocks of 64 zeros are its data, the index.
///
/// Header, digest and end are made to fit.
private enum NativeIndexFuzzing {
  static func file(_ input: [UInt8]) -> [UInt8] {
    let dataBytes = 64 * Int(input.first ?? 0)
    let index = Array(input.dropFirst())
    let offset = 64 + dataBytes
    var writer = ByteWriter()
    writer.append(contentsOf: NativeFormat.magic)
    writer.append(UInt32(1))
    writer.append(UInt32(0))
    writer.append(offset, width: 8)
    writer.append(index.count, width: 8)
    writer.append(contentsOf: Array(SHA256.hash(data: index)))
    writer.append(contentsOf: [UInt8](repeating: 0, count: dataBytes))
    writer.append(contentsOf: index)
    writer.append(offset + index.count + 16, width: 8)
    writer.append(contentsOf: Array("INGOTEND".utf8))
    return writer.bytes
  }

  static func seeds() throws -> [FuzzSeed] {
    let fixtures = try FuzzSeed.fixtures([".ingot"]).map { try index(of: $0) }
    // Tensors of zeros have the digests that the index says whatever becomes of the rest of it.
    var table = TensorTable()
    table.metadata["note"] = ["kept": .array([.null, .number(0.5), .boolean(true)])]
    let shared = try Tensor(
      elementType: .float32, shape: Shape([2, 3]),
      source: ArraySource([UInt8](repeating: 0, count: 24)), storage: StorageIdentity("shared"))
    try table.append("a", shared)
    try table.append("b", Tensor(.int64, [], [UInt8](repeating: 0, count: 8)))
    try table.append("c", shared)
    try table.append("d", Tensor(.float16, [0, 4], []))
    let file = try PlainExecutor.execute(NativeFormat().plan(table, WriteOptions()))
    return fixtures + [try index(of: FuzzSeed(name: "zeros", bytes: file))]
  }

  private static func index(of file: FuzzSeed) throws -> FuzzSeed {
    var reader = ByteReader(file.bytes)
    try reader.skip(16, "the magic bytes")
    let offset = try reader.integer(width: 8, "the index's offset")
    let count = try reader.integer(width: 8, "the index's length")
    return FuzzSeed(
      name: file.name,
      bytes: [UInt8(clamping: offset / 64 - 1)] + file.bytes[offset..<offset + count])
  }
}

/// Deflate streams: both containers, and every input once more as what is compressed.
private enum DeflateFuzzing {
  private static let limit = 1 << 20

  static func check(_ input: [UInt8]) throws {
    let text = Array(input.dropFirst())
    let level = Int(input.first ?? 0) % 10
    let compressed = Deflate.zlibStream(text, level: level == 0 ? nil : level)
    let back = try promised("what was compressed expands") {
      try Inflate.inflate(compressed, container: .zlib, limit: text.count)
    }
    guard back == text else { throw FuzzFinding("deflate at \(level) gives something else back") }
    try ChecksumRepair.run(text) { text in
      let container: Inflate.Container = input.first.map { $0 & 1 == 1 } ?? true ? .zlib : .raw
      let expanded = try Inflate.inflate(text, container: container, limit: limit)
      guard expanded.count <= limit else { throw FuzzFinding("the limit was passed") }
      // One byte less than there is must be too little.
      guard !expanded.isEmpty else { return }
      do {
        _ = try Inflate.inflate(text, container: container, limit: expanded.count - 1)
        throw FuzzFinding("a limit below the size was not kept")
      } catch is IngotError {}
    }
  }

  static func seeds() -> [FuzzSeed] {
    let texts = ["", "a", "abcabcabcabcabc", String(repeating: "weights ", count: 200)]
    return texts.enumerated().map { number, text in
      FuzzSeed(
        name: "stream-\(number)", bytes: [1] + Deflate.zlibStream(Array(text.utf8), level: 6))
    }
  }
}
