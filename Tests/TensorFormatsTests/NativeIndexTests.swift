import Foundation
import TensorFormats
import TestSupport
import Tensors
import Testing

/// An index with the right digest that breaks the format's rules (rows I-5 to I-8).
struct NativeIndexTests {
  /// What to replace in the index, and the class of the refusal; nil where it is none.
  struct Edit: Sendable, CustomTestStringConvertible {
    let from: String
    let to: String
    let expected: ErrorClass?
    var testDescription: String { "\(from) → \(to)" }

    init(_ from: String, _ to: String, _ expected: ErrorClass? = .malformed) {
      self.from = from
      self.to = to
      self.expected = expected
    }
  }

  static let edits = [
    // Harmless, so that the edits prove something.
    Edit(#""epoch":3"#, #""epoch":4"#, nil),
    Edit(#""name":"step""#, #""name":"stop""#, nil),
    Edit(#""$real":{"$$real":"NaN"}"#, #""$real":{"$real":"NaN"}"#, nil),
    // Other texts of the same index.
    Edit("{\"alignment\"", " {\"alignment\""),
    Edit("]}", "]}\n"),
    Edit(#""epoch":3"#, #""epoch": 3"#),
    Edit(#""alignment":64,"metadata""#, #""metadata""#),
    Edit(#","provenance":null"#, ""),
    Edit(#""provenance":null"#, #""provenance":null,"provenance":null"#),
    Edit(#""epoch":3"#, #""epoch":3.0e0"#),
    Edit(#""epoch":3"#, #""epoch":3e0"#),
    Edit(#""epoch":3"#, #""epoch":-0"#),
    Edit(#""epoch":3"#, #""epoch":-0.0"#, nil),
    Edit(#""epoch":3"#, #""epoch":1e16"#),
    Edit(#""epoch":3"#, #""epoch":1e+16"#, nil),
    Edit(#""epoch":3"#, #""epoch":1e400"#),
    Edit(#""epoch":3"#, #""epoch":NaN"#),
    Edit(#""epoch":3"#, #""epoch":18446744073709551616"#),
    Edit(#""epoch":3"#, #""epoch":18446744073709551615"#, nil),
    Edit(#""epoch":3"#, #""epoch":-9223372036854775808"#, nil),
    Edit(#""epoch":3"#, #""epoch":-9223372036854775809"#),
    Edit(#""epoch":3"#, #""epoch":3,"epoch":3"#),
    Edit(#""epoch":3"#, #""epoch":"\u0041""#),
    Edit(#""epoch":3"#, #""epoch":"\/""#),
    Edit(#""epoch":3"#, #""epoch":"\u001f""#, nil),
    Edit(#""epoch":3"#, #""epoch":"\u001F""#),
    Edit(#""epoch":3"#, #""epoch":"\ud800""#),
    Edit(#"{"$real":"NaN"}"#, #"{"$real":"nan"}"#),
    Edit(#"{"$real":"NaN"}"#, #"{"$other":1}"#),
    Edit(#"{"$real":"NaN"}"#, #"{"$real":[]}"#),
    Edit(#""a":"x","b":"#, #""b":"x","a":"#),
    Edit(#""alignment":64"#, #""alignment":63"#),
    Edit(#""alignment":64"#, #""alignment":32"#),
    Edit(#""alignment":64"#, #""alignment":128"#),
    Edit(#""alignment":64"#, #""alignment":64.0"#),
    Edit(#""alignment":64"#, #""alignment":true"#),
    Edit(#""alignment":64"#, #""alignment":9223372036854775807"#),
    Edit(#""alignment":64"#, #""aaa":1,"alignment":64"#),
    // Tensors.
    Edit(#""name":"step""#, #""name":"empty""#),
    Edit(#""name":"step""#, #""name":"tok_embeddings.weight""#),
    Edit(#""name":"step""#, #""name":1"#),
    Edit(#""dtype":"int64""#, #""dtype":"uint64""#, nil),
    Edit(#""dtype":"int64""#, #""dtype":"float64""#, nil),
    Edit(#""dtype":"int64""#, #""dtype":"int32""#),
    Edit(#""dtype":"int64""#, #""dtype":"q9_0""#, .unsupported),
    Edit(#""dtype":"int64""#, #""dtype":"Int64""#, .unsupported),
    Edit(#""shape":[2,3]"#, #""shape":[3,2]"#, nil),
    Edit(#""shape":[2,3]"#, #""shape":[2,4]"#),
    Edit(#""shape":[2,3]"#, #""shape":[-2,-3]"#),
    Edit(#""shape":[2,3]"#, #""shape":[2.0,3]"#),
    Edit(#""shape":[2,3]"#, #""shape":6"#),
    Edit(#""shape":[0,4]"#, #""shape":[9223372036854775807,4,0]"#),
    Edit(#""shape":[0,4]"#, #""shape":[0]"#, nil),
    Edit(#""shape":[4]"#, #""shape":[3]"#),
    Edit(#""bytes":24"#, #""bytes":20"#),
    Edit(#""bytes":24"#, #""bytes":88"#),
    Edit(#""bytes":24"#, #""bytes":-24"#),
    Edit(#""offset":64"#, #""offset":128"#),
    Edit(#""offset":64"#, #""offset":0"#),
    Edit(#""offset":192"#, #""offset":128"#),
    Edit(#""offset":192"#, #""offset":9223372036854775807"#),
    Edit(#""offset":192"#, #""offset":18446744073709551615"#),
    Edit(#""sha256":"e3"#, #""sha256":"e4"#, .integrity),
    Edit(#""sha256":"e3"#, #""sha256":"E3"#),
    Edit(#""sha256":"e3"#, #""sha256":""#),
    Edit(#""sha256":"e3"#, #""sha256":"g3"#),
    Edit(#""bytes":24,"#, ""),
    Edit(#""bytes":24,"#, #""bytes":24,"chunks":[24],"#),
    Edit(#""bytes":24,"#, #""bytes":24,"chunks":[],"#),
    Edit(#""bytes":24,"#, #""bytes":24,"chunks":[23],"#),
    // Aliases.
    Edit(#""alias_of":"tok_embeddings.weight""#, #""alias_of":"step""#, nil),
    Edit(#""alias_of":"tok_embeddings.weight""#, #""alias_of":"absent""#),
    Edit(#""alias_of":"tok_embeddings.weight""#, #""alias_of":"output.weight""#),
    Edit(#""alias_of":"tok_embeddings.weight""#, #""alias_of":1"#),
    Edit(#""alias_of":"tok_embeddings.weight","#, #""alias_of":"step","bytes":8,"#),
    Edit(
      #"{"alias_of":"tok_embeddings.weight","name":"output.weight"}"#,
      #"{"alias_of":"step","name":"a"},{"alias_of":"a","name":"b"}"#),
    Edit(
      #""tensors":["#, #""tensors":[{"alias_of":"step","name":"early"},"#),
    Edit(#","name":"output.weight"}"#, "}"),
    Edit(#"{"alias_of":"tok_embeddings.weight","name":"output.weight"}"#, "null"),
    Edit(#",{"alias_of":"tok_embeddings.weight","name":"output.weight"}"#, "", nil),
  ]

  static func apply(_ edit: Edit) throws -> [UInt8] {
    var parts = NativeParts(try NativeFormat().write(NativeSamples.table()))
    let text = parts.text
    let range = try #require(text.range(of: edit.from), "\(edit.from) is not in \(text)")
    parts.text = text.replacingCharacters(in: range, with: edit.to)
    return parts.file
  }

  @Test(.row("I-5", "I-6"), arguments: edits)
  func rulesOfTheIndexHold(edit: Edit) throws {
    #expect(try nativeVerdict(Self.apply(edit)) == edit.expected)
  }

  @Test(arguments: [0, 32, 96]) func anAlignmentIsAPowerOfTwo(alignment: Int) throws {
    let file = try Self.apply(Edit(#""alignment":64"#, #""alignment":\#(alignment)"#))
    let error = #expect(throws: IngotError.self) { try NativeFormat().read(bytes: file) }
    let text = "the alignment \(alignment) is not a power of two from 64 to "
    #expect(error?.message.hasPrefix(text) == true)
  }

  @Test(.row("I-8")) func swappedTensorsAreFoundThroughTheIndex() throws {
    // The digests of two tensors swapped with their data: every tensor is sound, the index is not.
    var table = TensorTable()
    try table.append("a", Tensor(.int8, [64], [UInt8](repeating: 1, count: 64)))
    try table.append("b", Tensor(.int8, [64], [UInt8](repeating: 2, count: 64)))
    let parts = NativeParts(try NativeFormat().write(table))
    var file = parts.file
    file.replaceSubrange(64..<192, with: parts.data[64..<128] + parts.data[0..<64])
    func digest(_ name: String) throws -> String {
      let range = try #require(parts.text.range(of: "\"name\":\"\(name)\""))
      let start = try #require(
        parts.text.range(of: "\"sha256\":\"", range: range.upperBound..<parts.text.endIndex))
      return String(parts.text[start.upperBound...].prefix(64))
    }
    let (a, b) = (try digest("a"), try digest("b"))
    let swapped = parts.text.replacingOccurrences(of: a, with: "*")
      .replacingOccurrences(of: b, with: a).replacingOccurrences(of: "*", with: b)
    file.replaceSubrange(192..<192 + parts.index.count, with: swapped.utf8)
    #expect(try nativeVerdict(file) == .integrity)
  }

  @Test(.row("I-7")) func chunksThatLieAreRefused() throws {
    let parts = NativeParts(
      try NativeFormat().write(NativeSamples.compressible(), NativeSamples.compressed))
    let list = try #require(parts.text.range(of: #"\[\d+\]"#, options: .regularExpression))
    let size = try #require(Int(parts.text[list].dropFirst().dropLast()))
    func verdict(_ chunks: String, _ change: (inout NativeParts) -> Void = { _ in }) throws
      -> ErrorClass?
    {
      var changed = parts
      changed.text = parts.text.replacingCharacters(in: list, with: chunks)
      change(&changed)
      return try nativeVerdict(changed.file)
    }
    #expect(try verdict("[\(size)]") == nil)
    for lie in [
      "[\(size - 1)]", "[\(size + 1)]", "[\(size),1]", "[]", "[4]", "[11]", "[2400]", "[2401]",
      "[-1]", "[9223372036854775807]",
    ] {
      #expect(try verdict(lie) == .malformed || verdict(lie) == .integrity, "\(lie)")
    }
    // A stream that expands to more, or to less, than the chunk.
    for shape in [[601], [599]] {
      let dimension = shape[0]
      #expect(
        try verdict("[\(size)]") {
          $0.text = $0.text.replacingOccurrences(of: "[600]", with: "[\(dimension)]")
            .replacingOccurrences(of: "\"bytes\":2400", with: "\"bytes\":\(dimension * 4)")
        } == .malformed)
    }
    // The feature bit belongs to the chunks.
    #expect(try verdict("[\(size)]") { $0.features = 0 } == .malformed)
  }
}
