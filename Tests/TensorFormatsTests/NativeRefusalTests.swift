import TestSupport
import Tensors
import Testing

@testable import TensorFormats

/// The words of the refusals of `.ingot` files: each check, met alone.
@Suite struct NativeRefusalTests {
  private static func refused(_ edit: NativeIndexTests.Edit) throws -> String? {
    let file = try NativeIndexTests.apply(edit)
    return refusal {
      for entry in try NativeFormat().read(bytes: file).entries {
        _ = try entry.tensor.source.everything()
      }
    }
  }

  @Test(
    arguments: [
      (
        #""shape":[2,3]"#, #""shape":[2,4]"#,
        "malformed: shape 2×4 of float32 needs 32 bytes, the index declares 24"
      ),
      (
        #""offset":192"#, #""offset":128"#,
        "malformed: it begins at byte 128, the place for it is 192"
      ),
      (
        #""bytes":3,"dtype":"float6_e2m3fn","name":"packed","offset":256"#,
        #""bytes":99,"dtype":"float6_e2m3fn","name":"packed","offset":256"#,
        "malformed: shape 4 of float6_e2m3fn needs 3 bytes, the index declares 99"
      ),
      (#""sha256":"e3"#, #""sha256":"e4"#, "integrity: its SHA-256 is not that of no bytes"),
      (
        #""sha256":"e3"#, #""sha256":"E3"#,
        "malformed: its sha256 is not 64 lower-case hexadecimal digits"
      ),
      (#""bytes":24"#, #""bytes": 24"#, "malformed: the index is not in canonical form"),
      (#""dtype":"int64""#, #""dtype": "int64""#, "malformed: the index is not in canonical form"),
      (
        #""bytes":24,"#, #""bytes":24,"chunks":[24],"#,
        "malformed: lists chunks although none is compressed"
      ),
      (
        #""alias_of":"tok_embeddings.weight""#, #""alias_of":"absent""#,
        "malformed: is an alias of 'absent', which is no earlier tensor with bytes of its own"
      ),
    ])
  func rulesOfTheIndex(from: String, to: String, words: String) throws {
    #expect(try Self.refused(.init(from, to)) == words)
  }

  /// A tensor of 400 bytes more than there are before the index; and one byte of padding too many.
  @Test func tensorsEndWhereTheIndexBegins() throws {
    var table = TensorTable()
    try table.append("t", Tensor(.uint8, [4], [1, 2, 3, 4]))
    let parts = NativeParts(try NativeFormat().write(table))
    func refused(_ change: (inout NativeParts) -> Void) -> String? {
      var changed = parts
      change(&changed)
      return refusal { _ = try NativeFormat().read(bytes: changed.file) }
    }
    #expect(
      refused {
        $0.text = $0.text.replacing("\"bytes\":4", with: "\"bytes\":404").replacing(
          "[4]", with: "[404]")
      } == "malformed: it ends at byte 468, the index begins at 128")
    #expect(
      refused { $0.data += [0] } == "malformed: the index begins at byte 129, its place is 128")
  }

  @Test func anIndexInsideTheHeader() throws {
    var file = try NativeFormat().write(NativeSamples.table())
    file.replaceSubrange(16..<24, with: ZipBuilder.little(63, 8))
    file.replaceSubrange(24..<32, with: ZipBuilder.little(file.count - 63 - 16, 8))
    #expect(
      refusal { _ = try NativeFormat().read(bytes: file) }
        == "malformed: the index begins at byte 63, inside the header")
  }

  @Test func aTextThatEndsWhereANumberIsDue() {
    let refused = refusal { _ = try NativeIndex(parsing: Array("{\"alignment\":".utf8), base: 64) }
    #expect(refused == "malformed: the index is not in canonical form")
  }

  @Test func chunksThatCannotBe() {
    let size = NativeChunks.length
    func refused(_ chunks: [Int], of byteCount: Int) -> String? {
      refusal { try NativeChunks.check(chunks, byteCount: byteCount) }
    }
    #expect(refused([size, 8], of: size + 9) == nil)
    #expect(refused([size / 200 + 1], of: size) == nil)
    #expect(
      refused([size], of: size + 9)
        == "malformed: 1048585 bytes are 2 chunks, the index lists 1")
    func words(_ stored: Int, _ size: Int = NativeChunks.length) -> String {
      "malformed: chunk 0 of \(size) bytes cannot be stored in \(stored)"
    }
    // More than it is, less than a 200th, and no more than the checksum.
    #expect(refused([size + 1], of: size) == words(size + 1))
    #expect(refused([size / 200], of: size) == words(size / 200))
    #expect(refused([4], of: 9) == words(4, 9))
    #expect(
      refused([size, 9], of: size + 9) == "malformed: lists chunks although none is compressed")
  }

  @Test func anIndexThatNoFileHolds() throws {
    var table = TensorTable()
    table.metadata["long"] = .string(String(repeating: "a", count: 256 << 20))
    let refused = refusal { _ = try NativeFormat().write(table) }
    #expect(
      refused?.hasPrefix("unsupported: the native format cannot hold an index of 2684") == true)
  }
}
