import TestSupport
import Tensors
import Testing

/// What no table holds.
@Suite struct TensorTableTests {
  private static func tensor() throws -> Tensor { try Tensor(.uint8, [1], [7]) }

  @Test func namesOccurOnce() throws {
    var table = TensorTable()
    try table.append("a", Self.tensor())
    #expect(
      refusal { try table.append("a", Self.tensor()) } == "malformed: the name occurs twice")
  }

  @Test func aNameAboveTheBound() throws {
    var table = TensorTable()
    try table.append(String(repeating: "n", count: 65_535), Self.tensor())
    #expect(
      refusal { try table.append(String(repeating: "n", count: 65_536), Self.tensor()) }
        == "limit: a name of 65536 bytes is above 65535")
  }

  @Test func aTensorAboveAMillion() throws {
    var table = TensorTable()
    let tensor = try Self.tensor()
    for number in 0..<1_000_000 { try table.append(String(number), tensor) }
    #expect(
      refusal { try table.append("last", tensor) } == "limit: more than 1000000 tensors")
  }

  @Test(arguments: [(-1, 1), (0, -1), (0, 5), (4, 1), (5, 0), (.max, .max)])
  func aPartThatLeavesItsSource(offset: Int, count: Int) {
    let source = ArraySource([1, 2, 3, 4])
    #expect(
      refusal { _ = try SourceRange(source, offset: offset, byteCount: count) }
        == "malformed: bytes \(offset)..<\(offset &+ count) lie outside the file of 4 bytes")
    #expect(
      refusal { _ = try source.bytes(at: offset, count: count, "it") }
        == "malformed: it needs bytes \(offset)..<\(offset &+ count), the file ends at 4")
  }
}
