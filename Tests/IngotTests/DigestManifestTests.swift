import TestSupport
import Tensors
import Testing

@testable import Ingot

/// The manifest's text is fixed: other tools reproduce it.
@Suite struct DigestManifestTests {
  private func table() throws -> TensorTable {
    var table = TensorTable()
    try table.append("z", Tensor(.uint8, [2], [1, 2]))
    try table.append("a/\"quoted\"\n", Tensor(.float32, [], [0, 0, 128, 63]))
    try table.append("ä", Tensor(.int16, [0, 3], []))
    return table
  }

  @Test func linesAreSortedByTheBytesOfTheNames() throws {
    let manifest = try DigestManifest(of: table())
    // The hashes are hashlib's, of the bytes 0000803f, 0102 and of nothing.
    #expect(
      manifest.text == """
        e00e5eb9444182f352323374ef4e08ebcb784725fdd4fd612d7730540b3e0c8c  float32  []  \
        "a/\\"quoted\\"\\n"
        a12871fee210fb8619291eaea194581cbd2531e4b23759d225f6806923f63222  uint8  [2]  "z"
        e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  int16  [0,3]  "ä"

        """)
  }

  @Test func aManifestReadsBackAsItself() throws {
    let manifest = try DigestManifest(of: table())
    let (parsed, total) = try DigestManifest.parse(manifest.textWithTotal)
    #expect(parsed == manifest)
    #expect(total == manifest.total)
    #expect(manifest.difference(from: parsed, total: total).isEmpty)
    #expect(try DigestManifest.parse(manifest.text).total == nil)
  }

  @Test func whatChangedIsNamed() throws {
    let recorded = try DigestManifest(of: table())
    var changed = TensorTable()
    try changed.append("z", Tensor(.uint8, [2], [1, 3]))
    try changed.append("ä", Tensor(.int16, [3, 0], []))
    try changed.append("new", Tensor(.uint8, [1], [0]))
    let difference = try DigestManifest(of: changed).difference(
      from: recorded, total: String(repeating: "0", count: 64))
    #expect(difference.changed == ["z", "ä"])
    #expect(difference.missing == ["a/\"quoted\"\n"])
    #expect(difference.added == ["new"])
    #expect(difference.totalDiffers)
  }

  @Test(arguments: [
    "no manifest", "00  float32  [1]  \"a\"",
    String(repeating: "0", count: 64) + "  float32  [1]",
    String(repeating: "0", count: 64) + "  float32  [x]  \"a\"",
    String(repeating: "0", count: 64) + " float32 [1] \"a\"",
    String(repeating: "0", count: 64) + "  total\n" + String(repeating: "0", count: 64) + "  total",
  ])
  func whatIsNoManifestIsRefused(text: String) throws {
    let error = #expect(throws: IngotError.self) { try DigestManifest.parse(text) }
    #expect(error?.errorClass == .malformed)
    #expect(error?.message.hasPrefix("line ") == true)
  }

  @Test(arguments: [
    (String(repeating: "G", count: 64) + "  uint8 [2] \"z\"", "does not begin with a SHA-256"),
    (String(repeating: "A", count: 64) + "  uint8 [2] \"z\"", "does not begin with a SHA-256"),
    (String(repeating: "0", count: 64), "does not begin with a SHA-256"),
    (String(repeating: "0", count: 64) + "  uint8 [2, 1.5] \"z\"", "has no readable shape"),
    (String(repeating: "0", count: 64) + "  uint8 [\"2\"] \"z\"", "has no readable shape"),
  ])
  func whatIsWrongWithALineIsSaid(text: String, words: String) throws {
    let error = #expect(throws: IngotError.self) { try DigestManifest.parse(text) }
    #expect(error?.message.contains(words) == true, "\(String(describing: error))")
  }

  @Test func aNameOccursOnce() {
    let line = String(repeating: "0", count: 64) + "  uint8  [2]  \"z\"\n"
    #expect(
      refusal { _ = try DigestManifest.parse(line + line) }
        == "malformed: line 2 of the manifest names 'z' a second time")
  }
}
