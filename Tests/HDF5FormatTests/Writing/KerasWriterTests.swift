import Compression
@testable import HDF5Format
import TestSupport
import Tensors
import Testing

@Suite struct LegacyKerasLayoutTests {
  private let kernel = Result { try Tensor.random(.float32, [2, 3]) }

  /// Two layers with a weight each and one without, as a whole model.
  private func model(_ change: (inout TensorTable) throws -> Void = { _ in }) throws -> TensorTable
  {
    var table = try TensorTable(
      [
        ("model_weights/b/b/kernel:0", kernel.get()), ("model_weights/a/a/kernel:0", kernel.get()),
        ("optimizer_weights/adam/m:0", kernel.get()),
      ],
      metadata: [
        "@model_config": "{}", "@keras_version": "2.15.0",
        "model_weights@layer_names": ["b", "drop", "a"],
        "model_weights/b@weight_names": ["b/kernel:0"],
        "model_weights/a@weight_names": ["a/kernel:0"],
        "model_weights/drop@weight_names": [],
        "optimizer_weights@weight_names": ["adam/m:0"],
      ])
    try change(&table)
    return table
  }

  private func refusal(_ table: TensorTable) -> IngotError? {
    #expect(throws: IngotError.self) { try HDF5Writer.plan(table, kerasOptions("model.h5")) }
  }

  @Test func aModelOfKerasIsWritten() throws {
    let plan = try HDF5Writer.plan(model(), kerasOptions("model.h5"))
    #expect(plan.droppedMetadata.isEmpty)
    #expect(try PlainExecutor.execute(plan).firstRange(of: Array("layer_names".utf8)) != nil)
  }

  @Test func theOrderOfLayersIsNotMadeUp() throws {
    let error = refusal(try model { $0.metadata["model_weights@layer_names"] = nil })
    #expect(error?.errorClass == .unsupported)
    #expect(error?.message.contains("model_weights@layer_names") == true)
  }

  @Test func theOrderOfWeightsIsNotMadeUp() throws {
    let error = refusal(try model { $0.metadata["model_weights/a@weight_names"] = nil })
    #expect(error?.errorClass == .unsupported)
    #expect(error?.message.contains("'model_weights/a' (the metadata lacks") == true)
  }

  @Test func aTensorThatNoListNamesIsRefused() throws {
    let error = refusal(
      try model {
        try $0.append("model_weights/a/a/bias:0", kernel.get())
        try $0.append("elsewhere", kernel.get())
      })
    #expect(error?.errorClass == .unsupported)
    for name in ["model_weights/a/a/bias:0", "elsewhere"] {
      #expect(error?.message.contains("'\(name)'") == true)
    }
  }

  @Test func aListedWeightThatIsNoTensorIsRefused() throws {
    let table = try model()
    let error = refusal(try table.replacingEntries(table.entries.dropFirst()))
    #expect(error?.errorClass == .unsupported)
    #expect(error?.message.contains("'model_weights/b/b/kernel:0'") == true)
  }

  @Test func anOptimizerThatWasLeftOutIsDroppedByName() throws {
    let table = try model()
    let plan = try HDF5Writer.plan(
      table.replacingEntries(table.entries.dropLast()), kerasOptions("model.h5"))
    #expect(plan.droppedMetadata == ["optimizer_weights@weight_names"])
  }

  /// 901 names of 132 bytes gave Keras 451 + 450; 34 of 1988 gave 17 + 17 (fixtures/keras).
  @Test(arguments: [
    (901, 132, [451, 450]), (34, 1988, [17, 17]), (3, 10, [3]), (0, 0, [0]), (1, 64_512, [1]),
    (64_512, 1, [64_512]), (64_513, 1, [32_257, 32_256]), (10, 30_000, [2, 2, 2, 2, 2]),
  ])
  func listsAreCutAsKerasCutsThem(count: Int, width: Int, expected: [Int]) {
    let name = ExactString(String(repeating: "x", count: width))
    let names = Array(repeating: name, count: count)
    #expect(LegacyKerasLayout.parts(of: names).map(\.count) == expected)
  }

  @Test func aListInPartsIsJoinedAndCutAnew() throws {
    let table = try model {
      $0.metadata["model_weights@layer_names"] = nil
      $0.metadata["model_weights@layer_names0"] = ["b", "drop"]
      $0.metadata["model_weights@layer_names1"] = ["a"]
    }
    let file = try written(table, kerasOptions("model.h5"))
    #expect(try file == written(model(), kerasOptions("model.h5")))
  }
}

@Suite struct KerasWeightsLayoutTests {
  private let table = Result {
    try TensorTable(
      [
        ("layers/dense/vars/0", .random(.bfloat16, [4, 3])),
        ("layers/dense/vars/1", .random(.float32, [3])),
      ],
      metadata: ["vars@name": "model", "layers/dense/vars/1@dtype": "bfloat16"])
  }

  @Test func namesThatKerasDoesNotLookForAreRefused() throws {
    let one = try Tensor.random(.int8, [1])
    let error = #expect(throws: IngotError.self) {
      try written(
        TensorTable([("layers/dense/vars/0", one), ("vars", one), ("layers/dense/kernel", one)]),
        kerasOptions("model.weights.h5"))
    }
    #expect(error?.errorClass == .unsupported)
    for name in ["vars", "layers/dense/kernel"] {
      #expect(error?.message.contains("'\(name)' (Keras 3") == true)
    }
  }

  /// A mark that is no longer true, after a cast, would make Keras misread the bytes.
  @Test func onlyBFloat16IsMarked() throws {
    let file = try written(table.get(), kerasOptions("model.weights.h5"))
    #expect(file.ranges(of: Array("dtype\0".utf8)).count == 1)
  }

  @Test func anArchiveHoldsTheConfigurationAndTheWeights() throws {
    for compression in [WriteOptions.Compression.none, .gzip(level: nil)] {
      var table = try self.table.get()
      try table.append("layers/dense/vars/2", .random(.float32, [64, 64]))
      table.metadata["config.json"] = #"{"class_name": "Sequential"}"#
      table.metadata["metadata.json"] = ["keras_version": "3.15.1"]
      var options = WriteOptions()
      options.compression = compression
      let plan = try KerasArchiveFormat().plan(table, options)
      #expect(plan.droppedMetadata.isEmpty)
      let archive = try ZipArchive(ArraySource(PlainExecutor.execute(plan)))
      let members = try archive.members()
      #expect(
        members.map(\.entry.name) == ["metadata.json", "config.json", "model.weights.h5"])
      let contents = try members.map { try archive.content(of: $0).everything() }
      #expect(contents.map(CRC32.of) == members.map(\.entry.crc32))
      #expect(String(decoding: contents[0], as: UTF8.self) == #"{"keras_version":"3.15.1"}"#)
      #expect(String(decoding: contents[1], as: UTF8.self) == #"{"class_name": "Sequential"}"#)
      #expect(members[2].dataOffset % 64 == 0)
      // The member is the file that stands alone.
      for name in ["config.json", "metadata.json"] { table.metadata[name] = nil }
      var alone = kerasOptions("model.weights.h5")
      alone.compression = compression
      #expect(try contents[2] == written(table, alone))
    }
  }

  @Test func anArchiveNeedsAConfiguration() throws {
    let error = #expect(throws: IngotError.self) {
      try KerasArchiveFormat().plan(table.get(), WriteOptions())
    }
    #expect(error?.errorClass == .unsupported)
    #expect(error?.message.contains("config.json") == true)
  }
}
