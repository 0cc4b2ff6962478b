import TestSupport
import Tensors

/// Tables for the tests of the writer.
enum Samples {
  static let writableTypes: [ElementType] = [
    .float64, .float32, .float16, .bfloat16, .float8E5M2, .float8E4M3FN, .float8E4M3FNUZ,
    .float8E5M2FNUZ, .float8E8M0FNU, .int8, .int16, .int32, .int64, .uint8,
    .uint16, .uint32, .uint64, .bool, .complex64, .complex128,
  ]

  /// Every element type and rank, aliases, names that sort oddly, every kind of attribute.
  static func everything() throws -> TensorTable {
    var entries: [(String, Tensor)] = []
    for (index, type) in writableTypes.enumerated() {
      let seed = UInt64(index)
      entries.append(("types/\(type.name)", try .random(type, [3, 5], seed: seed)))
      entries.append(("scalars/\(type.name)", try .random(type, [], seed: seed)))
      entries.append(("empty/\(type.name)", try .random(type, [2, 0, 3])))
      entries.append(("large/\(type.name)", try .random(type, [97, 61], seed: seed)))
    }
    entries += [
      ("rank 32", try .random(.int8, Array(repeating: 1, count: 30) + [2, 3])),
      ("tied/first", try .random(.float32, [40, 30], storage: "tied")),
      ("a/second", try .random(.float32, [40, 30], storage: "tied")),
      ("ünïcode/名前:0", try .random(.float32, [1])),
      ("a.b", try .random(.float32, [1])), ("a b", try .random(.float32, [1])),
      ("a/b", try .random(.float32, [1])), ("..", try .random(.float32, [1])),
    ]
    return try TensorTable(
      entries,
      metadata: [
        "@text": "ünïcode 名前", "@empty text": "", "@integer": -5, "@largest": .unsigned(.max),
        "@real": 2.5, "@whole real": .number(3), "@true": true, "@false": false, "@empty": [],
        "@long text": .string(String(repeating: "config ", count: 40_000)),
        "@texts": ["a", "", "ccc"], "@integers": [1, -2, 3], "@reals": [1.5, .number(2)],
        "@booleans": [true, false, true], "@large": [1, .unsigned(.max)],
        "@matrix": [[1, 2, 3], [4, 5, 6]], "@matrix of texts": [["a"], ["b"]],
        "@many texts": .array((0..<5000).map { .string("name \($0)") }),
        "types@on a group": "yes", "types/float32@on a dataset": [1, 2],
        "a/second@on an alias": "yes", "group/without/tensors@weight_names": [],
        "types@ünïcode": 1,
      ])
  }

  /// Groups with these numbers of members.
  static func groups(_ counts: [Int]) throws -> TensorTable {
    try TensorTable(
      counts.flatMap { count in
        try (0..<count).map { ("\(count) members/dense_\($0)", try Tensor(.int8, [1], [1])) }
      })
  }
}
