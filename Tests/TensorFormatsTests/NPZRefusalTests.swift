import TestSupport
import Tensors
import Testing

@testable import TensorFormats

/// The words of the refusals of the sidecar of an `.npz`.
@Suite struct NPZRefusalTests {
  private static func npy(_ descr: String, _ data: [UInt8]) -> [UInt8] {
    NPYHeader.bytes(descr: descr, shape: [1]) + data
  }

  /// The refusal of two equal members of two bytes, `a` and `b`, and `rest` of the sidecar.
  private static func refused(_ rest: String) -> String? {
    let sidecar = "{\"format\":\"ingot-npz\",\"version\":1,\(rest)}"
    let archive = ZipBuilder([
      ZipBuilder.Member("a.npy", npy("<u2", [1, 2])),
      ZipBuilder.Member("b.npy", npy("<u2", [1, 2])),
      ZipBuilder.Member("__ingot__.json", Array(sidecar.utf8)),
    ])
    return refusal { _ = try NPZFormat().read(bytes: archive.build()) }
  }

  @Test(
    arguments: [
      "{\"dtype\":\"bfloat16\",\"shape\":[\"x\"]}", "{\"dtype\":\"bfloat16\",\"shape\":[1.5]}",
      "{\"dtype\":\"bfloat16\",\"shape\":1}", "{\"dtype\":\"uint16\",\"shape\":[1]}",
      "{\"dtype\":\"bfloat16\",\"shape\":[1],\"more\":0}", "{\"dtype\":\"bfloat16\"}",
    ])
  func aTensorThatIsNotDescribed(_ entry: String) {
    #expect(
      Self.refused("\"tensors\":{\"a\":\(entry)}")
        == "malformed: tensor 'a' needs a shape and a dtype that NumPy lacks, found \(entry)")
  }

  @Test func anAliasOfAnotherElementType() {
    let tensors = "\"tensors\":{\"a\":{\"dtype\":\"bfloat16\",\"shape\":[1]}}"
    #expect(
      Self.refused("\"aliases\":{\"b\":\"a\"},\(tensors)")
        == "malformed: __ingot__.json calls this tensor 'a', but they differ")
  }

  @Test func aSidecarAboveTheBoundIsRefusedUnread() {
    #expect(
      refusal { _ = try NPZSidecar(UnreadSource(byteCount: (64 << 20) + 1)) }
        == "limit: 67108865 bytes of JSON are above 67108864")
  }
}
