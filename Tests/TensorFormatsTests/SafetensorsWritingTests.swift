import Foundation
import TensorFormats
import TestSupport
import Tensors
import Testing

struct SafetensorsWritingTests {
  private let format = SafetensorsFormat()

  private func table(_ tensors: [(String, ElementType, [Int])]) throws -> TensorTable {
    var table = TensorTable()
    for (index, (name, type, shape)) in tensors.enumerated() {
      let count = try Shape(shape).byteCount(of: type)
      try table.append(
        name, Tensor(type, shape, (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + index) }))
    }
    return table
  }

  @Test func filesOfTheReferenceLibraryComeOutByteForByte() throws {
    let folder = Places.fixture("safetensors")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
      // Several metadata keys are in random order in the library's own files.
      $0.hasSuffix(".safetensors") && !$0.hasPrefix("hand-") && $0 != "metadata-many.safetensors"
    }
    #expect(files.count >= 14)
    for file in files {
      let bytes = try fileBytes(folder + "/" + file)
      #expect(try format.write(format.read(bytes: bytes)) == bytes, "\(file)")
    }
  }

  @Test func everyElementTypeGoesThere() throws {
    let types = ElementType.allCases.filter { $0.spelling(in: .safetensors) != nil }
    let original = try table(types.map { ($0.name, $0, [4, 3, 2]) })
    let back = try format.read(bytes: try format.write(original))
    #expect(try back.manifest() == original.manifest())
  }

  @Test func whatTheFormatLacksIsRefusedWithAllOffenders() throws {
    let table = try table([
      ("a", .complex128, [2]), ("ok", .float32, [2]), ("b", .complex128, []),
      ("__metadata__", .float32, [1]),
    ])
    let error = #expect(throws: IngotError.self) { try format.plan(table, WriteOptions()) }
    #expect(error?.errorClass == .unsupported)
    for name in ["'a'", "'b'", "'__metadata__'", "complex128"] {
      #expect(error?.message.contains(name) == true)
    }
    #expect(error?.message.contains("'ok'") == false)
  }

  @Test func typesByAlignmentThenNamesGiveTheOrder() throws {
    let table = try table([
      ("z", .bool, [1]), ("y", .float32, [1]), ("b", .int64, [1]), ("a", .float32, [1]),
      ("c", .uint64, [1]), ("é", .float32, [1]), ("Z", .float32, [1]),
    ])
    let back = try format.read(bytes: try format.write(table))
    #expect(back.entries.map(\.name) == ["c", "b", "Z", "a", "y", "é", "z"])
  }

  @Test func dataBeginAtAMultipleOfEight() throws {
    for length in 1...9 {
      let bytes = try format.write(
        try table([(String(repeating: "n", count: length), .float64, [3])]))
      #expect((bytes.count - 24) % 8 == 0)
      #expect(try format.read(bytes: bytes).entries.count == 1)
    }
  }

  @Test func typedMetadataComesBack() throws {
    var table = try table([("w", .float32, [1])])
    table.metadata["text"] = .string("3")
    table.metadata["json text"] = .string("[1]")
    table.metadata["epoch"] = .integer(3)
    table.metadata["rate"] = .number(1)
    table.metadata["best"] = .number(-.infinity)
    table.metadata["worst"] = .number(.infinity)
    table.metadata["largest"] = .unsigned(.max)
    table.metadata["nothing"] = .null
    table.metadata["mark"] = ["$real": .string("NaN")]
    table.metadata["nested"] = ["a": .array([.boolean(true), .null, .number(0.1)]), "b": [:]]
    let bytes = try format.write(table)
    let back = try format.read(bytes: bytes)
    #expect(back.metadata == table.metadata)
    #expect(back.notes.isEmpty)
    #expect(try format.write(back) == bytes)
  }

  @Test func otherProgramsSeeStrings() throws {
    var table = try table([])
    table.metadata["epoch"] = .integer(3)
    table.metadata["name"] = .string("x")
    let bytes = try format.write(table)
    #expect(
      String(decoding: bytes[8...], as: UTF8.self).trimmingCharacters(in: .whitespaces)
        == #"{"__metadata__":{"epoch":"3","ingot.metadata_types":"[\"epoch\"]","name":"x"}}"#)
  }

  @Test(arguments: [
    "nonsense", "3", "{}", #"["absent"]"#, #"["a"]"#, #"["ingot.metadata_types"]"#, "[1]",
  ])
  func aReservedKeyThatSaysNothingLeavesStrings(types: String) throws {
    let header = JSON.object([
      .init(
        "__metadata__",
        ["a": .string("no json"), "ingot.metadata_types": .string(types)])
    ])
    let table = try format.read(bytes: safetensors(header.text()))
    #expect(table.metadata["a"] == .string("no json"))
    #expect(table.metadata["ingot.metadata_types"] == .string(types))
    #expect(table.notes.count == 1)
    let plan = try format.plan(table, WriteOptions())
    #expect(plan.droppedMetadata == ["ingot.metadata_types"])
  }

  /// The library's own bytes for every type that it takes, in every order.
  @Test(.enabled(if: Places.python != nil, "INGOT_PYTHON names no Python with safetensors"))
  func theLibraryWritesTheSameBytes() throws {
    let types = ElementType.allCases.filter { $0 != .complex128 && $0.layout.addressesElements }
    var original = try table(
      types.enumerated().flatMap { index, type in
        [("z\(index % 3)\(type.name)", type, [3, 2]), ("a\(type.name)", type, [5])]
      })
    original.metadata["format"] = .string("pt \"quoted\" größe \u{1}")
    let bytes = try format.write(original)
    let script = """
      import ctypes, json, struct, sys
      from safetensors import TensorSpec, serialize
      data = open(sys.argv[1], "rb").read()
      n = struct.unpack("<Q", data[:8])[0]
      header = json.loads(data[8:8 + n])
      metadata = header.pop("__metadata__")
      names = {"F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu",
               "F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz", "BOOL": "bool",
               "BF16": "bfloat16", "C64": "complex64"}
      specs, buffers = {}, []
      for name, entry in reversed(header.items()):
          kind, content = entry["dtype"], data[8 + n:][slice(*entry["data_offsets"])]
          buffers.append(ctypes.create_string_buffer(content, len(content)))
          specs[name] = TensorSpec(
              dtype=names.get(kind) or {"F": "float", "I": "int", "U": "uint"}[kind[0]] + kind[1:],
              shape=entry["shape"], data_ptr=ctypes.addressof(buffers[-1]), data_len=len(content))
      again = bytes(serialize(specs, metadata))
      sys.exit(0 if again == data else "the library writes other bytes: %r" % again[:600])
      """
    try Places.withTemporaryFolder { folder in
      let file = folder.appending(path: "ours.safetensors")
      try Data(bytes).write(to: file)
      let process = Process()
      process.executableURL = URL(filePath: try #require(Places.python))
      process.arguments = ["-c", script, file.path()]
      let errors = Pipe()
      process.standardError = errors
      try process.run()
      let text = String(
        decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 0, "\(text)")
    }
  }
}
