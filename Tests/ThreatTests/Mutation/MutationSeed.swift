import Foundation
import Ingot
import TestSupport
import Tensors
import Testing

/// A sound file that mutants are made of, and how they are read.
struct MutationSeed: Sendable, CustomTestStringConvertible {
  let name: String
  /// Whether every single change must be noticed.
  var detectsEverything = false
  /// The ending by which the reference library's reader knows its files; nil where it has none.
  var ending: String?
  let bytes: @Sendable () throws -> [UInt8]
  /// Reads everything that a file holds into the lines of a manifest.
  let lines: @Sendable ([UInt8]) throws -> [String]

  var testDescription: String { name }

  // MARK: Kinds of seeds

  /// A file of a format, alone.
  static func file(
    _ name: String, _ format: String, ending: String?, detectsEverything: Bool = false,
    _ bytes: @escaping @Sendable () throws -> [UInt8]
  ) -> MutationSeed {
    MutationSeed(
      name: name, detectsEverything: detectsEverything, ending: ending, bytes: bytes
    ) { try Self.lines(of: $0, format) }
  }

  /// A file under `fixtures/`.
  static func fixture(_ path: String, _ format: String) -> MutationSeed {
    let ending = String(path[(path.firstIndex(of: ".") ?? path.endIndex)...])
    return file(path, format, ending: ending) {
      Array(try Data(contentsOf: URL(filePath: Places.fixture(path))))
    }
  }

  /// An index under `fixtures/`, which is mutated, and the files beside it, which are not.
  static func index(_ path: String, _ format: String) -> MutationSeed {
    let url = URL(filePath: Places.fixture(path))
    return MutationSeed(
      name: path, bytes: { Array(try Data(contentsOf: url)) },
      lines: { bytes in
        try Self.lines(of: bytes, format) { name in
          guard !name.contains("/"), name != "..", name != "." else {
            throw IngotError(.malformed, "is not beside the index")
          }
          return try InputFile(path: url.deletingLastPathComponent().appending(path: name).filePath)
        }
      })
  }

  /// What our own writer makes of a small table.
  static func native(compressed: Bool) -> MutationSeed {
    file(
      compressed ? "native, compressed" : "native", "ingot", ending: nil, detectsEverything: true
    ) {
      var table = TensorTable()
      var generator = SeededGenerator(seed: 3)
      try table.append("a", Tensor(.float32, [3, 5], (0..<60).map { UInt8($0) }))
      try table.append(
        "b", Tensor(.int16, [7], (0..<14).map { _ in UInt8.random(in: 0...255, using: &generator) })
      )
      table.metadata["note"] = .string("kept")
      var options = WriteOptions()
      if compressed { options.compression = .gzip(level: nil) }
      return try PlainExecutor.execute(Formats.named("ingot").plan(table, options))
    }
  }

  /// A golden, which is read as one.
  static let golden = MutationSeed(
    name: "golden",
    bytes: {
      Array(
        try Data(contentsOf: URL(filePath: Places.fixture("demo/tiny-transformer.golden.npz"))))
    },
    lines: { bytes in
      try Places.withTemporaryFolder { folder in
        let path = folder.appending(path: "golden.npz").filePath
        try Data(bytes).write(to: URL(filePath: path))
        let golden = try Golden(path: path)
        for tensor in Array(golden.inputs.values) + Array(golden.states.values) {
          _ = try tensor.source.everything()
        }
        return golden.states.keys.sorted().map(\.text)
      }
    })

  // MARK: Reading

  /// The lines of the manifest of a file, all of its tensors read.
  private static func lines(
    of bytes: [UInt8], _ format: String,
    openSibling: (@Sendable (String) throws -> any ByteSource)? = nil
  ) throws -> [String] {
    let table = try Formats.named(format).read(
      FormatInput(path: "mutant", source: ArraySource(bytes), openSibling: openSibling))
    let tensors = try table.entries.compactMap { entry -> PlainTensor? in
      guard entry.tensor.obstacle == nil else { return nil }
      // What is larger was declared, not stored.
      guard entry.tensor.byteCount <= 16 << 20 else { return nil }
      return PlainTensor(
        entry.name.text, entry.tensor.elementType.name, entry.tensor.shape.dimensions,
        try entry.tensor.source.everything())
    }
    return PlainTensor.manifest(tensors).split(separator: "\n").map(String.init)
  }
}

extension MutationSeed {
  /// Small files, of which every mutant is tried.
  static let small: [MutationSeed] = [
    fixture("npy/fortran-2d.npy", "npy"), fixture("npz/zip-no-zip64.npz", "npz"),
    fixture("npz/savez-compressed.npz", "npz"),
    fixture("npz/zip-data-descriptor-zip64.npz", "npz"),
    fixture("safetensors/metadata.safetensors", "safetensors"),
    fixture("safetensors/dtypes.safetensors", "safetensors"),
    fixture("hdf5/hard-links_v0.h5", "hdf5"), fixture("hdf5/tree_latest.h5", "hdf5"),
    fixture("hdf5/index-single_latest.h5", "hdf5"),
    file("Keras 2 layout", "hdf5", ending: ".h5") { KerasSeeds.legacy },
    file("Keras 3 layout", "hdf5", ending: ".weights.h5") { KerasSeeds.weights },
    file("Keras archive", "keras", ending: ".keras") { KerasSeeds.archive },
    index("safetensors/sharded.safetensors.index.json", "safetensors-index"),
    index("keras/keras3-sharded.weights.json", "keras-shards"), native(compressed: false),
    native(compressed: true),
  ]

  /// Larger ones, for random mutants only.
  static let larger: [MutationSeed] = [
    fixture("hdf5/filters_latest.h5", "hdf5"), fixture("hdf5/attributes_latest.h5", "hdf5"),
    fixture("hdf5/attributes_v0.h5", "hdf5"), fixture("hdf5/index-btree2_latest.h5", "hdf5"),
    fixture("hdf5/fill-values_v0.h5", "hdf5"),
    fixture("keras/keras2-small-weights.h5", "hdf5"),
    fixture("keras/keras3-optimizer.weights.h5", "hdf5"),
    fixture("keras/keras3-bfloat16.keras", "keras"), golden,
  ]
}

/// Keras files of a few hundred bytes, built structure by structure.
enum KerasSeeds {
  static let legacy: [UInt8] = {
    var builder = HDF5Builder()
    let data = builder.append(eight)
    let kernel = builder.object([.space([2]), .float32, .contiguous(data, 8)])
    let group = builder.object([
      .linkInformation, .link("kernel:0", to: kernel),
      .attribute("weight_names", names: ["kernel:0"]),
    ])
    return builder.finished(
      root: builder.object([
        .linkInformation, .link("dense", to: group), .attribute("layer_names", names: ["dense"]),
        .attribute("keras_version", text: "2.15.0"),
      ]))
  }()

  static let weights: [UInt8] = {
    var builder = HDF5Builder()
    let data = builder.append(eight)
    let kernel = builder.object([.space([2]), .float32, .contiguous(data, 8)])
    let bias = builder.object([.space([2]), .uint8, .compact([7, 8])])
    let variables = builder.group([("0", kernel), ("1", bias)])
    let dense = builder.group([("vars", variables)])
    return builder.finished([("layers", builder.group([("dense", dense)]))])
  }()

  static let archive = ZipBuilder([
    ZipBuilder.Member("config.json", Array(#"{"class_name":"Sequential"}"#.utf8)),
    ZipBuilder.Member("model.weights.h5", weights),
  ]).build()
}
