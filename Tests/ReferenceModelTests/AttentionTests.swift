import Tensors
import TestSupport
import Testing

@testable import Architectures
@testable import ReferenceModel

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Attention against its formula, spelled out.
@Suite struct AttentionTests {
  /// softmax(scale·q·kᵀ + …)·v for one query and head, everything spelled out.
  private func attention(
    _ q: [Double], _ k: [[Double]], _ v: [[Double]], _ seen: [Bool],
    _ adjust: (Double, Int) -> Double
  ) -> [Double] {
    let scores = k.enumerated().map { j, key in
      adjust(zip(q, key).reduce(0) { $0 + $1.0 * $1.1 }, j)
    }
    let weights = zip(scores, seen).map { $1 ? exp($0) : 0 }
    let sum = weights.reduce(0, +)
    return v[0].indices.map { c in
      sum == 0 ? 0 : zip(weights, v).reduce(0) { $0 + $1.0 * $1.1[c] } / sum
    }
  }

  struct AttentionCase: Sendable, CustomTestStringConvertible {
    var heads = 4
    var keyHeads = 4
    var size = 3
    var valueSize = 3
    var batch = 2
    var queries = 7
    var keys = 7
    var isCausal = false
    var window = 0
    var softCap = 0.0
    var scale: Double?
    var alibi = false
    var hasMask = false
    var testDescription: String {
      "\(heads)/\(keyHeads)×\(size)→\(valueSize), \(queries)×\(keys), causal \(isCausal), window \(window), cap \(softCap), alibi \(alibi), mask \(hasMask)"
    }
  }

  @Test(arguments: [
    AttentionCase(), AttentionCase(keyHeads: 2, isCausal: true),
    AttentionCase(heads: 6, keyHeads: 1, size: 5, valueSize: 2, hasMask: true),
    AttentionCase(queries: 5, keys: 9, hasMask: true), AttentionCase(isCausal: true, window: 3),
    AttentionCase(softCap: 0.7, scale: 0.9), AttentionCase(isCausal: true, alibi: true),
    AttentionCase(heads: 6, keyHeads: 6, isCausal: true, alibi: true, hasMask: true),
    AttentionCase(batch: 1, queries: 150, keys: 150, isCausal: true, window: 70, hasMask: true),
    AttentionCase(batch: 1, queries: 130, keys: 130, isCausal: true),
  ])
  func `attention is its formula`(it: AttentionCase) throws {
    var random = SeededGenerator(seed: 7)
    let q = [Double].random(it.batch * it.queries * it.heads * it.size, &random)
    let k = [Double].random(it.batch * it.keys * it.keyHeads * it.size, &random)
    let v = [Double].random(it.batch * it.keys * it.keyHeads * it.valueSize, &random)
    let mask = (0..<it.batch * it.keys).map { _ in
      it.hasMask ? Int.random(in: 0...1, using: &random) : 1
    }
    let operation = Operation.Attention(
      query: "q", key: "k", value: "v", heads: .init(integerLiteral: it.heads),
      keyHeads: .init(integerLiteral: it.keyHeads), isCausal: .init(booleanLiteral: it.isCausal),
      mask: "k_mask", window: .init(integerLiteral: it.window),
      scale: it.scale.map { .init(floatLiteral: $0) }, softCap: .init(floatLiteral: it.softCap),
      alibi: .init(booleanLiteral: it.alibi), output: "y")
    // Keys of another length come from another side, as an encoder's do.
    let other = it.keys == it.queries ? "" : "decoder_"
    var renamed = operation
    renamed.query = other + "q"
    let model = SmallModel.operation(
      .attention(renamed),
      features: [
        other + "q": it.heads * it.size, "k": it.keyHeads * it.size,
        "v": it.keyHeads * it.valueSize,
      ], masks: ["k_mask"])
    let inputs: [ExactString: Tensor] = [
      ExactString(other + "q"): try .doubles([it.batch, it.queries, it.heads * it.size], q),
      "k": try .doubles([it.batch, it.keys, it.keyHeads * it.size], k),
      "v": try .doubles([it.batch, it.keys, it.keyHeads * it.valueSize], v),
      "k_mask": try .integers([it.batch, it.keys], mask),
    ]
    var expected: [Double] = []
    for row in 0..<it.batch {
      for query in 0..<it.queries {
        for head in 0..<it.heads {
          let keyHead = head * it.keyHeads / it.heads
          let start = ((row * it.queries + query) * it.heads + head) * it.size
          let own = Array(q[start..<start + it.size])
          let keys = (0..<it.keys).map { key -> [Double] in
            let at = ((row * it.keys + key) * it.keyHeads + keyHead) * it.size
            return Array(k[at..<at + it.size])
          }
          let values = (0..<it.keys).map { key -> [Double] in
            let at = ((row * it.keys + key) * it.keyHeads + keyHead) * it.valueSize
            return Array(v[at..<at + it.valueSize])
          }
          let seen = (0..<it.keys).map { key in
            mask[row * it.keys + key] == 1 && (!it.isCausal || key <= query)
              && (it.window == 0 || key > query - it.window)
          }
          let slope = AttentionTestSlopes.slopes(it.heads)[head]
          expected += attention(own, keys, values, seen) { score, key in
            var score = score * (it.scale ?? 1 / Double(it.size).squareRoot())
            if it.softCap > 0 { score = it.softCap * tanh(score / it.softCap) }
            return it.alibi ? score + slope * Double(key - query) : score
          }
        }
      }
    }
    let found = try #require(try model.outputs(inputs)["y"])
    #expect(found.shape == [it.batch, it.queries, it.heads * it.valueSize])
    #expect(found.doubles.maxRelative(to: expected) < 1e-14)
    let single = try #require(try model.outputs(inputs, .float32)["y"])
    #expect(single.doubles.maxRelative(to: expected) < 1e-5)
  }

  @Test func `a query that sees no key has attention 0`() throws {
    let model = SmallModel.operation(
      .attention(
        .init(
          query: "q", key: "q", value: "q", heads: 1, keyHeads: 1, isCausal: true, mask: "mask",
          output: "y")), features: ["q": 2], masks: ["mask"])
    let y = try model.outputs([
      "q": .doubles([1, 3, 2], [1, 2, 3, 4, 5, 6]), "mask": .integers([1, 3], [0, 1, 1]),
    ])["y"]
    #expect(y?.doubles.prefix(4) == [0, 0, 3, 4])
  }

}

enum AttentionTestSlopes {
  /// The published slopes: 1/2, 1/4 … 1/256 for 8 heads; others by the paper's own rule.
  static func slopes(_ heads: Int) -> [Double] {
    switch heads {
    case 1: [pow(2, -8)]
    case 2: [pow(2, -4), pow(2, -8)]
    case 4: [pow(2, -2), pow(2, -4), pow(2, -6), pow(2, -8)]
    case 6: [pow(2, -2), pow(2, -4), pow(2, -6), pow(2, -8), pow(2, -1), pow(2, -3)]
    default: []
    }
  }
}
