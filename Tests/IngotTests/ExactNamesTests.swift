import Foundation
import HDF5Format
import TensorFormats
import TestSupport
import Tensors
import Testing

@testable import Ingot

/// Names that Unicode takes for equal and that differ in their bytes are different names, in every
/// container and to every command. (Files of NumPy, h5py and safetensors with such names are among the
/// fixtures.)
@Suite struct ExactNamesTests {
  /// Two spellings of one letter, and a sign beside the letter that it stands for.
  static let names: [ExactString] = ["\u{E9}", "e\u{301}", "K", "\u{212A}"]

  static let formats = ["safetensors", "npz", "h5", "ingot"]

  private static func table(_ paths: (ExactString) -> ExactString = { $0 }) throws -> TensorTable {
    var table = TensorTable()
    for (number, name) in names.enumerated() {
      try table.append(paths(name), Tensor(.uint8, [2], [UInt8(number), 7]))
    }
    return table
  }

  private static func options(_ change: (inout ConvertOptions) -> Void = { _ in }) -> ConvertOptions
  {
    var options = ConvertOptions()
    options.syncsResult = false
    change(&options)
    return options
  }

  private static func write(
    _ table: TensorTable, to path: String, _ format: any TensorFormat,
    _ arrangement: WriteOptions.Arrangement = .plain
  ) throws {
    var options = WriteOptions()
    options.fileName = URL(filePath: path).lastPathComponent
    options.arrangement = arrangement
    try Data(PlainExecutor.execute(format.plan(table, options))).write(to: URL(filePath: path))
  }

  private func bytes(_ names: [ExactString]) -> Set<[UInt8]> { Set(names.map { Array($0.utf8) }) }

  private func expectAll(
    _ path: String, _ source: Comment, _ paths: (ExactString) -> ExactString = { $0 }
  ) throws {
    let checkpoint = try Checkpoint(path: path)
    let items = try Inspection(checkpoint).items.map(\.name)
    #expect(bytes(items) == bytes(Self.names.map(paths)), source)
    for (number, name) in Self.names.enumerated() {
      let tensor = try #require(checkpoint.table[paths(name)], source)
      #expect(try tensor.source.everything() == [UInt8(number), 7], source)
    }
    let lines = try Fingerprinting(checkpoint).manifest().lines.map(\.name)
    #expect(lines == Self.names.map(paths).sorted(), source)
  }

  @Test(arguments: formats)
  func everyContainerHoldsThemAndGivesThemToEveryOther(_ format: String) throws {
    try Places.withTemporaryFolder { folder in
      let there = folder.appending(path: "there.\(format)").filePath
      var table = try Self.table()
      for (number, name) in Self.names.enumerated() {
        table.metadata["@\(name)" as ExactString] = JSON(number)
      }
      try Self.write(table, to: there, #require(Formats.forExtension(of: there)))
      try expectAll(there, "\(format)")
      #expect(try Checkpoint(path: there).table.metadata == table.metadata, "\(format)")
      for other in Self.formats {
        let here = folder.appending(path: "here.\(other)").filePath
        let back = folder.appending(path: "back.\(format)").filePath
        _ = try Conversion(source: there, destination: here, options: Self.options()).run()
        try expectAll(here, "\(format) to \(other)")
        _ = try Conversion(
          source: here, destination: back, options: Self.options { $0.replacesDestination = true }
        ).run()
        try expectAll(back, "\(format) to \(other) and back")
        let difference = try Comparing(Checkpoint(path: there), Checkpoint(path: back)).difference()
        #expect(difference.isEmpty && difference.compared == 4, "\(format) to \(other)")
        try FileManager.default.removeItem(atPath: here)
      }
    }
  }

  @Test(arguments: formats)
  func aliasesAreThoseOfTheirOwnName(_ format: String) throws {
    guard format != "safetensors" else { return }
    var table = TensorTable()
    let (a, b) = (ArraySource([1, 2]), ArraySource([3, 4]))
    for (name, source, storage) in [
      ("e\u{301}", a, "one"), ("x", a, "one"), ("\u{E9}", b, "other"), ("y", b, "other"),
    ] as [(ExactString, ArraySource, ExactString)] {
      try table.append(
        name,
        Tensor(
          elementType: .bfloat16, shape: Shape([1]), source: source,
          storage: StorageIdentity(storage)))
    }
    let targets = table.aliasTargets()
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: "tied.\(format)").filePath
      try Self.write(table, to: path, #require(Formats.forExtension(of: path)))
      let found = try Checkpoint(path: path).table
      #expect(found.entries.count == 4)
      for (index, target) in targets.enumerated() {
        let entry = table.entries[index]
        let tensor = try #require(found[entry.name])
        #expect(try tensor.source.everything() == entry.tensor.source.everything())
        guard let target else { continue }
        #expect(tensor.storage != nil)
        #expect(tensor.storage == found[table.entries[target].name]?.storage)
      }
      #expect(found["e\u{301}"]?.storage != found["\u{E9}"]?.storage)
    }
  }

  @Test(arguments: ["m.safetensors", "m.weights.json"])
  func shardsAndTheirIndexHoldThem(_ name: String) throws {
    let isKeras = name.hasSuffix(".json")
    let paths: (ExactString) -> ExactString = { isKeras ? "layers/\($0)/vars/0" : $0 }
    try Places.withTemporaryFolder { folder in
      let source = folder.appending(path: "source.ingot").filePath
      try Self.write(Self.table(paths), to: source, NativeFormat())
      let sets = folder.appending(path: name).filePath
      let report = try Conversion(
        source: source, destination: sets, options: Self.options { $0.maximumShardBytes = 2 }
      ).run()
      let index = try #require(report.destinationFiles.last)
      #expect(report.destinationFiles.count == 5)
      try expectAll(index, "\(name)", paths)
    }
  }

  @Test func filesOfAShardSetAreToldApartByTheirBytes() throws {
    try Places.withTemporaryFolder { folder in
      var map: [JSON.Member] = []
      for (number, name) in Self.names.enumerated() {
        var table = TensorTable()
        try table.append("w\(number)", Tensor(.uint8, [1], [UInt8(number)]))
        let file = "\(name).safetensors"
        try Self.write(table, to: folder.appending(path: file).filePath, SafetensorsFormat())
        map.append(.init("w\(number)", .string(file)))
      }
      let index: JSON = ["metadata": [:], "weight_map": .object(map)]
      let path = folder.appending(path: "m.safetensors.index.json").filePath
      try Data(index.bytes()).write(to: URL(filePath: path))
      let table = try Checkpoint(path: path).table
      for number in Self.names.indices {
        #expect(try table["w\(number)" as ExactString]?.source.everything() == [UInt8(number)])
      }
    }
  }

  @Test func theLayoutsOfKerasHoldThem() throws {
    try Places.withTemporaryFolder { folder in
      // By number, in groups of such names.
      let numbered: (ExactString) -> ExactString = { "layers/\($0)/vars/0" }
      let weights = folder.appending(path: "m.weights.h5").filePath
      try Self.write(Self.table(numbered), to: weights, HDF5FileFormat(), .keras)
      try expectAll(weights, "Keras 3", numbered)
      let archive = folder.appending(path: "m.keras").filePath
      var table = try Self.table(numbered)
      table.metadata["config.json"] = .string("{}")
      table.metadata["metadata.json"] = .string("{}")
      try Self.write(table, to: archive, KerasArchiveFormat())
      try expectAll(archive, ".keras", numbered)
      // By lists of names, whose order decides.
      let listed: (ExactString) -> ExactString = { "\($0)/\($0)/kernel:0" }
      var legacy = try Self.table(listed)
      legacy.metadata["@layer_names"] = .array(Self.names.map(JSON.string))
      for name in Self.names {
        legacy.metadata["\(name)@weight_names"] = .array([.string("\(name)/kernel:0")])
      }
      let path = folder.appending(path: "legacy.h5").filePath
      try Self.write(legacy, to: path, HDF5FileFormat(), .keras)
      try expectAll(path, "legacy", listed)
      #expect(try Checkpoint(path: path).table.entries.map(\.name) == Self.names.map(listed))
    }
  }

  @Test func namesOfEqualBytesAreRefusedStill() throws {
    var table = try Self.table()
    for name in Self.names {
      let error = #expect(throws: IngotError.self) {
        try table.append(name, Tensor(.uint8, [1], [0]))
      }
      #expect(error?.message == "the name occurs twice" && error?.tensor == name)
    }
    let header =
      "{\"\u{E9}\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
      + "\"\u{E9}\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}"
    var file = ByteWriter()
    file.append(header.utf8.count, width: 8)
    file.append(header)
    file.append(contentsOf: [0, 1])
    let error = #expect(throws: IngotError.self) {
      try SafetensorsFormat().read(
        FormatInput(path: "x", source: ArraySource(file.bytes)))
    }
    #expect(error?.message == "the name occurs twice")
  }

  @Test func globsAndRulesTakeTheExactOne() throws {
    let table = try Self.table()
    for name in Self.names {
      #expect(try Selection(include: [name]).apply(to: table).entries.map(\.name) == [name])
      let others = try Selection(exclude: [name]).apply(to: table).entries.map(\.name)
      #expect(others == Self.names.filter { $0 != name })
      for pattern in ["\(name)", "[\(name)]", "(?:\(name))"] as [ExactString]
      // A class holds scalars: of the two that make one letter it takes either.
      where !pattern.hasPrefix("[") || name.text.unicodeScalars.count == 1 {
        let rules = try RulesFile(
          parsing: Array("rename: [{from: '\(pattern)', to: 'new'}]".utf8), path: "rules.yaml")
        let found = try rules.apply(to: table).table.entries.map(\.name)
        #expect(found == Self.names.map { $0 == name ? "new" : $0 }, "\(pattern)")
      }
    }
    let rules = try RulesFile(
      parsing: Array("rename: [{from: '(e.)', to: '$1\u{301}$$\u{301}'}]".utf8), path: "rules.yaml")
    #expect(
      try rules.apply(to: table).table.entries.map(\.name)
        == ["\u{E9}", "e\u{301}\u{301}$\u{301}", "K", "\u{212A}"])
  }

  @Test func digestAndDiffNameTheRightOne() throws {
    let recorded = try DigestManifest.parse(DigestManifest(of: Self.table()).textWithTotal)
    for (number, name) in Self.names.enumerated() {
      var changed = TensorTable()
      for (other, entry) in try Self.table().entries.enumerated() {
        guard other != number else {
          try changed.append(name, Tensor(.uint8, [2], [9, 9]))
          continue
        }
        try changed.append(entry.name, entry.tensor)
      }
      let check = try DigestManifest(of: changed).difference(
        from: recorded.manifest, total: recorded.total)
      #expect(check.changed == [name] && check.missing == [] && check.added == [])
      let difference = try Difference(Self.table(), changed)
      #expect(difference.different.map(\.name) == [name] && difference.compared == 4)
      let without = try Self.table().replacingEntries(
        Self.table().entries.filter { $0.name != name })
      let missing = try Difference(Self.table(), without)
      #expect(missing.onlyInFirst == [name] && missing.onlyInSecond == [] && missing.compared == 3)
      let gone = try DigestManifest(of: without).difference(from: recorded.manifest, total: nil)
      #expect(gone.missing == [name] && gone.added == [])
    }
  }

  @Test func keysAndWordsOfConfigurationsAreExact() throws {
    let config = "{\"model_type\": \"gpt2\", \"K\": 1, \"\u{212A}\": 2}"
    let json = try JSONScanner.parse(Array(config.utf8))
    #expect(json["K" as ExactString]?.integer == 1 && json["\u{212A}" as ExactString]?.integer == 2)
    // Neither key nor word is that of an architecture.
    for text in [
      "{\"model_type\": \"gpt2\u{301}\"}", "{\"architectures\": [\"GPT2LMHead\u{301}Model\"]}",
    ] {
      let document = try ConfigurationDocument(JSONScanner.parse(Array(text.utf8)), name: "c")
      #expect(throws: IngotError.self) {
        try ModelReading.candidates(Architecture.all, [document])
      }
    }
  }

  @Test func goldensTellTheirInputsApart() throws {
    try Places.withTemporaryFolder { folder in
      var table = TensorTable()
      for name in Self.names { try table.append("input/\(name)", Tensor(.uint8, [1], [0])) }
      for name in Self.names {
        try table.append("trace/\(name)", Tensor(.float32, [1], [0, 0, 128, 63]))
      }
      let path = folder.appending(path: "golden.npz").filePath
      try Self.write(table, to: path, NPZFormat())
      let golden = try Golden(path: path)
      #expect(golden.inputs.count == 4 && golden.states.count == 4)
    }
  }

  @Test func theCommandListsBothAndPutsNoTwoIntoOneLine() throws {
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: "m.safetensors").filePath
      try Self.write(Self.table { "layers.0.\($0)" }, to: path, SafetensorsFormat())
      let run = try CommandRun.ingot("inspect", path)
      #expect(run.status == 0)
      for name in Self.names {
        let count = run.output.split(separator: "\n").count { line in
          ExactString(line).contains("layers.0.\(name) ")
        }
        #expect(count == 1, "\(name)")
      }
    }
  }
}
