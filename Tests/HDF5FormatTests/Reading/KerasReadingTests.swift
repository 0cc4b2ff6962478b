import Compression
import Foundation
import TestSupport
import Tensors
import Testing

@testable import HDF5Format

/// The Keras layouts on the reading side.
@Suite struct KerasReadingTests {
  /// Builds a legacy file: layers with their attributes and datasets.
  private func legacy(
    layerNames: [HDF5Message] = [.attribute("layer_names", names: ["late", "early"])],
    late: [HDF5Message] = [.attribute("weight_names", names: ["late/kernel:0", "late/bias:0"])],
    early: [HDF5Message] = [.attribute("weight_names", names: ["w"])]
  ) -> HDF5Builder.Legacy {
    HDF5Builder.Legacy(layerNames: layerNames, late: late, early: early)
  }

  @Test func weightsComeInTheOrderOfTheNames() throws {
    let table = try HDF5Reader.read(legacy().bytes())
    #expect(table.entries.map(\.name) == ["late/late/kernel:0", "late/late/bias:0", "early/w"])
    #expect(KerasArrangement(of: table) == .legacyWeights)
  }

  @Test(.row("K7")) func numberedAttributesAreJoined() throws {
    let file = legacy(layerNames: [
      .attribute("layer_names1", names: ["early"]), .attribute("layer_names0", names: ["late"]),
    ])
    #expect(
      try HDF5Reader.read(file.bytes()).entries.map(\.name)
        == ["late/late/kernel:0", "late/late/bias:0", "early/w"])
  }

  @Test(.row("K7")) func aGapInNumberedAttributesIsMalformed() throws {
    let file = legacy(layerNames: [
      .attribute("layer_names2", names: ["early"]), .attribute("layer_names0", names: ["late"]),
    ])
    #expect(try faultClass(file.bytes()) == .malformed)
  }

  @Test(
    .row("K6"),
    arguments: [
      ["late", "absent"], ["late", ".."], ["late", "/early"], ["late", "early/w"], ["late", ""],
    ])
  func aLayerNameThatNamesNoGroupIsMalformedAndQuoted(_ names: [String]) throws {
    let error = try #require(
      try fault(legacy(layerNames: [.attribute("layer_names", names: names)]).bytes()))
    #expect(error.errorClass == .malformed)
    #expect(error.message.contains("'\(names[1])'"))
  }

  @Test(.row("K8")) func aLayerThatIsADatasetIsMalformed() throws {
    let names = HDF5Message.attribute("layer_names", names: ["late", "early/w"])
    let error = try #require(try fault(legacy(layerNames: [names]).bytes()))
    #expect(error.message == "layer_names names 'early/w', which is no group")
  }

  @Test(.row("K8")) func aWeightThatIsAGroupIsMalformed() throws {
    let names = HDF5Message.attribute("weight_names", names: ["late"])
    let error = try #require(try fault(legacy(late: [names]).bytes()))
    #expect(error.message == "weight_names of 'late' names the group 'late'")
  }

  @Test(.row("K6")) func noNameLeadsOutOfItsGroup() throws {
    var builder = HDF5Builder()
    let data = builder.object([.space([1]), .uint8, .compact([1])])
    let layer = builder.object([
      .linkInformation, .link("..", to: data), .attribute("weight_names", names: [".."]),
    ])
    let root = builder.object([
      .linkInformation, .link("layer", to: layer), .attribute("layer_names", names: ["layer"]),
    ])
    let error = try #require(try fault(builder.finished(root: root)))
    #expect(error.message == "'layer' names '..', which it does not hold")
  }

  @Test(.row("K6", "K8"), arguments: ["absent", "late/../late/kernel:0", "late", "/late/kernel:0"])
  func aWeightNameThatNamesNoDatasetIsMalformedAndQuoted(_ name: String) throws {
    let error = try #require(
      try fault(legacy(late: [.attribute("weight_names", names: [name])]).bytes()))
    #expect(error.errorClass == .malformed)
    #expect(error.message.contains("'\(name)'"))
  }

  @Test(.row("K6")) func aLayerWithoutWeightNamesIsMalformed() throws {
    #expect(try faultClass(legacy(early: []).bytes()) == .malformed)
  }

  @Test func namesThatAreNoListAreMalformed() throws {
    #expect(
      try faultClass(legacy(early: [.attribute("weight_names", text: "w")]).bytes()) == .malformed)
  }

  @Test func variablesOfKeras3AreOrderedByNumber() throws {
    var builder = HDF5Builder()
    let object = builder.object([.space([1]), .uint8, .compact([1])])
    let numbered = builder.group((0..<12).map { ("\($0)", object) })
    let mixed = builder.group([("10", object), ("9", object), ("a", object)])
    let other = builder.group([("vars", mixed)])
    let table = try HDF5Reader.read(builder.finished([("other", other), ("vars", numbered)]))
    #expect(
      table.entries.map(\.name)
        == ["other/vars/10", "other/vars/9", "other/vars/a"] + (0..<12).map { "vars/\($0)" })
    #expect(KerasArrangement(of: table) == .weights)
  }

  @Test func unmarkedOpaqueDataIsBFloat16WhereThePolicySaysSo() throws {
    func table(_ policy: String) throws -> TensorTable {
      var builder = HDF5Builder()
      let opaque = builder.object([
        .space([1]), .type([0x15, 0, 0, 0] + little(2, 4)), .compact([1, 2]),
      ])
      let configuration = #"{"config": {"layers": [{"config": {"dtype": \#(policy)}}]}}"#
      let root = builder.object([
        .linkInformation, .link("x", to: opaque),
        .attribute("model_config", text: configuration),
      ])
      return try HDF5Reader.read(builder.finished(root: root))
    }
    #expect(try table(#""bfloat16""#)["x"]?.elementType == .bfloat16)
    #expect(
      try table(#"{"class_name": "DTypePolicy", "config": {"name": "bfloat16"}}"#)["x"] != nil)
    #expect(try table(#""mixed_bfloat16""#)["x"] == nil)
    #expect(try table(#""float32""#)["x"] == nil)
    #expect(try table(#""bfloat16"]"#)["x"] == nil)
  }

  @Test(.row("K1")) func codeInAConfigurationIsNotedAndIgnored() throws {
    var builder = HDF5Builder()
    let object = builder.object([.space([1]), .uint8, .compact([1])])
    let root = builder.object([
      .linkInformation, .link("x", to: object),
      .attribute(
        "model_config", text: #"{"class_name": "Lambda", "config": {"function": ["4wEAAAA="]}}"#),
    ])
    let table = try HDF5Reader.read(builder.finished(root: root))
    #expect(table["x"] != nil)
    #expect(table.notes.contains { $0.contains("code") })
  }

  // MARK: Archives

  private static let configuration = #"{"class_name": "Sequential"}"#

  private func weights() -> [UInt8] {
    var builder = HDF5Builder()
    let data = builder.append([1, 2, 3, 4])
    let object = builder.object([.space([4]), .uint8, .contiguous(data, 4)])
    return builder.finished([("vars", builder.group([("0", object)]))])
  }

  /// A zip of stored members.
  private func archive(_ members: [(String, [UInt8])]) -> [UInt8] {
    var bytes: [UInt8] = []
    var records: [ZipMemberRecord] = []
    for (name, content) in members {
      var record = ZipMemberRecord(
        name: ExactString(name), method: .stored, headerOffset: bytes.count)
      record.crc32 = CRC32.of(content)
      record.compressedSize = content.count
      record.uncompressedSize = content.count
      bytes += record.localHeader() + content
      records.append(record)
    }
    return bytes + ZipDirectory.bytes(of: records, at: bytes.count)
  }

  private func read(archive bytes: [UInt8]) throws -> TensorTable {
    try KerasArchiveFormat().read(FormatInput(path: "m.keras", source: ArraySource(bytes)))
  }

  private func archiveFault(_ members: [(String, [UInt8])]) throws -> IngotError? {
    do {
      for entry in try read(archive: archive(members)).entries {
        _ = try entry.tensor.source.everything()
      }
      return nil
    } catch let error as IngotError { return error }
  }

  @Test(.row("K10")) func anArchiveHasTheTensorsOfItsWeightsAndItsTextsAsMetadata() throws {
    let bytes = archive([
      ("config.json", Array(Self.configuration.utf8)), ("model.weights.h5", weights()),
      ("assets/words.txt", [0x61]),
    ])
    #expect(KerasArchiveFormat().recognizes(Array(bytes.prefix(4096)), fileSize: bytes.count))
    let table = try read(archive: bytes)
    #expect(try table.content("vars/0") == [1, 2, 3, 4])
    #expect(table.metadata["config.json"] == .string(Self.configuration))
    #expect(table.others.map(\.name) == ["assets/words.txt"])
  }

  @Test func aWrongChecksumOfTheWeightsIsIntegrityBeforeDataAreHandedOut() throws {
    var bytes = archive([
      ("config.json", Array(Self.configuration.utf8)), ("model.weights.h5", weights()),
    ])
    let table = try read(archive: bytes)
    let place = try #require(
      bytes.indices.dropLast(4).first { bytes[$0..<$0 + 4].elementsEqual([1, 2, 3, 4]) })
    bytes[place] ^= 1
    let damaged = try read(archive: bytes)
    #expect(damaged.entries.count == table.entries.count)
    let error = #expect(throws: IngotError.self) { try damaged.content("vars/0") }
    #expect(error?.errorClass == .integrity)
  }

  @Test func anArchiveWithoutItsPartsIsRefused() throws {
    let configuration = ("config.json", Array(Self.configuration.utf8))
    #expect(try archiveFault([configuration])?.errorClass == .malformed)
    #expect(try archiveFault([("model.weights.h5", weights())])?.errorClass == .malformed)
    #expect(
      try archiveFault([configuration, ("model.weights.npz", [0])])?.errorClass == .unsafe)
  }

  @Test(
    .row("K3"),
    arguments: [
      #"{"a": 1, "a": 2}"#, "{",
      String(repeating: "[", count: 200) + String(repeating: "]", count: 200),
    ])
  func aConfigurationThatIsNotStrictJSONIsMalformed(_ text: String) throws {
    let error = try #require(
      try archiveFault([("config.json", Array(text.utf8)), ("model.weights.h5", weights())]))
    #expect(error.errorClass == .malformed)
    #expect(error.tensor == "config.json")
  }

  /// A text is refused by its declared size, before any of it is inflated.
  @Test func aConfigurationAboveTheBoundIsALimit() throws {
    // Too many bytes to be suspicious by their ratio, and none of them read.
    let content = [UInt8](repeating: 0, count: 400_000)
    var text = ZipMemberRecord(name: "config.json", method: .deflated, headerOffset: 0)
    text.compressedSize = content.count
    text.uncompressedSize = Limits.jsonBytes + 1
    var bytes = text.localHeader() + content
    let weights = weights()
    var member = ZipMemberRecord(
      name: "model.weights.h5", method: .stored, headerOffset: bytes.count)
    member.crc32 = CRC32.of(weights)
    member.compressedSize = weights.count
    member.uncompressedSize = weights.count
    bytes += member.localHeader() + weights
    bytes += ZipDirectory.bytes(of: [text, member], at: bytes.count)
    let error = #expect(throws: IngotError.self) { try read(archive: bytes) }
    #expect(error?.errorClass == .limit)
    #expect(error?.message == "a text of 67108865 bytes is above 67108864")
    #expect(error?.tensor == "config.json")
  }

  // MARK: Several files

  private func shard(_ group: String, _ numbers: [Int]) -> [UInt8] {
    var builder = HDF5Builder()
    let object = builder.object([.space([1]), .uint8, .compact([UInt8(numbers[0])])])
    let vars = builder.group(numbers.map { ("\($0)", object) })
    return builder.finished([(group, builder.group([("vars", vars)]))])
  }

  private func read(index: String) throws -> TensorTable {
    let files = ["a.weights.h5": shard("dense", [0]), "b.weights.h5": shard("dense", [1])]
    return try KerasShardsFormat().read(
      FormatInput(
        path: "m.weights.json", source: ArraySource(Array(index.utf8)),
        openSibling: { name in
          guard let bytes = files[name] else { throw IngotError(.unreadable, "absent") }
          return ArraySource(bytes)
        }))
  }

  @Test func anIndexJoinsItsFiles() throws {
    let index =
      #"{"metadata": {"total_size": 2.0}, "weight_map": {"/dense/vars": ["a.weights.h5", "b.weights.h5"]}}"#
    #expect(KerasShardsFormat().recognizes(Array(index.utf8), fileSize: index.utf8.count))
    let table = try read(index: index)
    #expect(table.entries.map(\.name) == ["dense/vars/0", "dense/vars/1"])
    #expect(try table.content("dense/vars/1") == [1])
  }

  @Test(
    .row("K11"),
    arguments: [
      (#"{"weight_map": {"/dense/vars": "../a.weights.h5"}}"#, ErrorClass.malformed),
      (#"{"weight_map": {"/dense/vars": "/etc/passwd"}}"#, .malformed),
      (#"{"weight_map": {"/dense/vars": ["a.weights.h5", "a.weights.h5"]}}"#, .malformed),
      (#"{"weight_map": {"/dense/vars": 3}}"#, .malformed),
      (#"{"weight_map": {"/other/vars": "a.weights.h5"}}"#, .malformed),
      (#"{"weight_map": {"/dense/vars": "a.weights.h5", "/x/vars": "b.weights.h5"}}"#, .malformed),
      (#"{"weight_map": {"/dense/vars": "absent.weights.h5"}}"#, .unreadable),
      (#"{"weight_map": {}, "weight_map": {}}"#, .malformed), (#"{"metadata": {}}"#, .malformed),
    ])
  func anIndexThatDisagreesWithItsFilesIsRefused(_ index: String, _ expected: ErrorClass) throws {
    let error = #expect(throws: IngotError.self) { try read(index: index) }
    #expect(error?.errorClass == expected)
  }

  @Test(
    .row("K11"),
    arguments: [
      "[]", "3", #"["a.weights.h5", "a.weights.h5"]"#, "[3]", #"["a.weights.h5", 3]"#,
    ])
  func aGroupThatIsNotMappedToFilesIsMalformed(_ files: String) throws {
    let error = #expect(throws: IngotError.self) {
      try read(
        index: #"{"weight_map": {"/dense/vars": ["a.weights.h5", "b.weights.h5"], "/x/vars": "#
          + files + "}}")
    }
    #expect(error?.errorClass == .malformed)
    #expect(error?.message == "JSON: '/x/vars' is not mapped to files")
  }
}

extension HDF5Builder {
  /// A legacy Keras file with the layers `late` (two weights in a group of its own name) and `early`.
  struct Legacy {
    let layerNames: [HDF5Message]
    let late: [HDF5Message]
    let early: [HDF5Message]

    func bytes() -> [UInt8] {
      var builder = HDF5Builder()
      let weights = (0..<3).map { index in
        builder.object([.space([1]), .uint8, .compact([UInt8(index)])])
      }
      let inner = builder.group([("bias:0", weights[1]), ("kernel:0", weights[0])])
      let lateGroup = builder.object([.linkInformation, .link("late", to: inner)] + late)
      let earlyGroup = builder.object([.linkInformation, .link("w", to: weights[2])] + early)
      let root = builder.object(
        [.linkInformation, .link("early", to: earlyGroup), .link("late", to: lateGroup)]
          + layerNames)
      return builder.finished(root: root)
    }
  }
}
