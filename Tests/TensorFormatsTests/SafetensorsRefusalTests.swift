import TensorFormats
import TestSupport
import Tensors
import Testing

/// The words of the refusals of safetensors files: each check, met alone.
@Suite struct SafetensorsRefusalTests {
  /// The refusal of a file of one tensor with 8 bytes.
  private static func refused(
    dtype: String = "\"F32\"", shape: String = "[2]", offsets: String = "[0,8]", dataCount: Int = 8
  ) -> String? {
    let header = "{\"t\":{\"dtype\":\(dtype),\"shape\":\(shape),\"data_offsets\":\(offsets)}}"
    let bytes = safetensors(header, [UInt8](repeating: 0, count: dataCount))
    return refusal { _ = try SafetensorsFormat().read(bytes: bytes) }
  }

  @Test(
    arguments: [
      ("[8,0]", "malformed: JSON: data_offsets is not a begin and an end: [8, 0]"),
      ("[0]", "malformed: JSON: data_offsets is not a begin and an end: [0]"),
      ("[0,8,8]", "malformed: data_offsets has more than two numbers"),
      ("[0,7]", "malformed: shape 2 of float32 needs 8 bytes, the file declares 7"),
      ("[1,9]", "malformed: 1 bytes between it and the header belong to no tensor"),
    ])
  func offsets(_ offsets: String, words: String) {
    #expect(Self.refused(offsets: offsets) == words)
  }

  @Test func dataThatEndBeforeTheTensor() {
    #expect(
      Self.refused(dataCount: 7) == "malformed: its data end at byte 62 + 8, the file at 69")
    #expect(Self.refused(dataCount: 9) == "malformed: 1 bytes follow the last tensor")
  }

  @Test func aRankAboveTheBound() {
    func shape(_ rank: Int) -> String {
      "[2" + String(repeating: ",1", count: rank - 1) + "]"
    }
    #expect(Self.refused(shape: shape(64)) == nil)
    #expect(Self.refused(shape: shape(65)) == "limit: the rank is above 64")
  }

  @Test func aHeaderThatNoFileHolds() throws {
    var table = TensorTable()
    table.metadata["long"] = .string(String(repeating: "a", count: 100_000_000))
    let refused = refusal { _ = try SafetensorsFormat().plan(table, WriteOptions()) }
    #expect(
      refused?.hasPrefix("unsupported: safetensors cannot hold a header of 1000000") == true)
  }

  @Test func anIndexAboveTheBoundIsRefusedUnread() {
    let refused = refusal {
      try ShardIndex.read(
        UnreadSource(byteCount: (64 << 20) + 1), metadata: { _ in }, place: { _, _ in })
    }
    #expect(refused == "limit: an index of 67108865 bytes is above 67108864")
  }
}
