import Compression
import Foundation
import TestSupport
import Tensors

/// Chunks of datasets, and the filters that they went through.
extension HDF5Cases {
  /// A dataset `x` of six bytes in chunks of two; nil leaves a chunk out.
  static func chunked(
    _ chunks: [[UInt8]?] = [[1, 2], [3, 4], [5, 6]],
    filters: [(number: Int, parameters: [Int])] = [], masks: [Int: UInt32] = [:],
    sizes: [Int: Int] = [:], offsets: [Int: Int] = [:], addresses: [Int: Int] = [:],
    extents: [Int] = [2], elementSize: Int = 1, fill: UInt8? = nil
  ) -> [UInt8] {
    var builder = HDF5Builder()
    var records: [(offset: [Int], address: Int, size: Int, mask: UInt32)] = []
    for (index, chunk) in chunks.enumerated() {
      guard let chunk else { continue }
      let address = builder.append(chunk)
      records.append(
        (
          offset: [offsets[index] ?? 2 * index], address: addresses[index] ?? address,
          size: sizes[index] ?? chunk.count, mask: masks[index] ?? 0
        ))
    }
    let tree = builder.chunkTree(rank: 1, records)
    var messages: [HDF5Message] = [
      .space([6]), .uint8, .chunked(extents, elementSize: elementSize, tree: tree),
    ]
    if !filters.isEmpty { messages.append(.filters(filters)) }
    if let fill { messages.append(.fill([fill])) }
    let object = builder.object(messages)
    return builder.finished([("x", object)])
  }

  static let six = PlainTensor("x", "uint8", [6], [1, 2, 3, 4, 5, 6])

  static let chunks = [
    refused("H26", "chunks of no extent", says: ["byte"], chunked(extents: [0])),
    refused("H26", "chunks of another rank", says: ["byte"], chunked(extents: [2, 2])),
    refused(
      "H26", "a chunk above 4 GiB", says: ["byte"],
      chunked(extents: [0xFFFF_FFFF], elementSize: 2)),
    refused(
      "H26", "a chunk above the bound", .limit, says: ["tensor 'x'", "--max-chunk"],
      headerIsSound: true, chunked(extents: [(64 << 20) + 2])),
    refused(
      "H27", "a tree that leads to itself", says: ["tensor 'x'", "byte"], headerIsSound: true,
      {
        var builder = HDF5Builder()
        let address = builder.append([])
        let tree = builder.chunkTree(
          rank: 1, [(offset: [0], address: address, size: 1, mask: 0)], level: 1)
        let object = builder.object([
          .space([6]), .uint8, .chunked([2], elementSize: 1, tree: tree),
        ])
        return builder.finished([("x", object)])
      }()),
    refused(
      "H27", "no tree where one should be", says: ["tensor 'x'", "byte"], headerIsSound: true,
      dataset(.space([6]), .uint8, .chunked([2], elementSize: 1, tree: 48))),
    refused(
      "H27", "a tree past the file", says: ["tensor 'x'", "byte"], headerIsSound: true,
      dataset(.space([6]), .uint8, .chunked([2], elementSize: 1, tree: 1 << 40))),
    refused(
      "H27", "a chunk outside the shape", says: ["tensor 'x'", "byte"], headerIsSound: true,
      chunked(offsets: [2: 6])),
    refused(
      "H27", "a chunk between two places", says: ["tensor 'x'", "byte"], headerIsSound: true,
      chunked(offsets: [1: 3])),
    refused(
      "H27", "a chunk twice", says: ["tensor 'x'", "byte"], headerIsSound: true,
      chunked(offsets: [1: 0])),
    refused(
      "H27", "a chunk past the file", says: ["tensor 'x'", "byte"], headerIsSound: true,
      chunked(addresses: [1: 1 << 40])),
    refused(
      "H27", "two chunks over the same bytes", says: ["tensor 'x'", "byte"], headerIsSound: true,
      chunked(addresses: [1: 48])),
    read(
      "H27", "a chunk that was never written",
      [PlainTensor("x", "uint8", [6], [1, 2, 9, 9, 5, 6])],
      chunked([[1, 2], nil, [5, 6]], fill: 9)),
    refused(
      "H28", "a chunk of no bytes", says: ["tensor 'x'", "byte"], headerIsSound: true,
      chunked(sizes: [0: 0])),
    refused(
      "H28", "a chunk of a byte too many", says: ["tensor 'x'", "byte"], headerIsSound: true,
      chunked(sizes: [0: 3])),
    refused(
      "H28", "a chunk that inflates to more", says: ["tensor 'x'", "byte"], headerIsSound: true,
      chunked(
        [Deflate.zlibStream([1, 2, 3], level: 6), nil, nil], filters: [(1, [6])])),
  ]

  static func checked(_ a: UInt8, _ b: UInt8, isSound: Bool = true) -> [UInt8] {
    // Two bytes and their Fletcher-32, as libhdf5 stores it.
    [a, b, b, isSound ? a : a ^ 1, b, a]
  }

  static let filters =
    [
      read(
        "H29", "deflate", [six],
        chunked(
          [[1, 2], [3, 4], [5, 6]].map { Deflate.zlibStream($0, level: 6) }, filters: [(1, [6])])),
      read(
        "H29", "Fletcher-32", [six],
        chunked([checked(1, 2), checked(3, 4), checked(5, 6)], filters: [(3, [])])),
      refused(
        "H32", "a wrong Fletcher-32", .integrity, says: ["tensor 'x'", "byte"], headerIsSound: true,
        chunked(
          [checked(1, 2), checked(3, 4, isSound: false), checked(5, 6)], filters: [(3, [])])),
      read(
        "H33", "a chunk that skips its filter", [six],
        chunked(
          [[1, 2], Deflate.zlibStream([3, 4], level: 6), [5, 6]], filters: [(1, [6])],
          masks: [0: 1, 2: 1])),
      refused(
        "H31", "nine filters", says: ["byte"],
        chunked(filters: [(number: Int, parameters: [Int])](repeating: (1, [6]), count: 9))),
      refused(
        "H31", "parameters past the message", says: ["byte"],
        dataset(
          .space([6]), .uint8, .chunked([2], elementSize: 1, tree: nil),
          HDF5Message(11, [2, 1] + little(1, 2) + little(0, 2) + little(200, 2) + little(6, 4)))),
    ]
    + [(4, "szip"), (5, "nbit"), (6, "scale-offset"), (32_001, "32001"), (777, "777")].map {
      number, word in
      refused(
        "H30", "filter \(number)", .unsupported, says: ["tensor 'x'", word], headerIsSound: true,
        chunked(filters: [(number, [1])]))
    }
}
