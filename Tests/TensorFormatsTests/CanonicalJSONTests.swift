import Foundation
import TensorFormats
import TestSupport
import Tensors
import Testing

struct CanonicalJSONTests {
  private func text(_ value: JSON) -> String {
    String(decoding: value.canonicalText(), as: UTF8.self)
  }

  @Test(arguments: [
    (0.0, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (-2.5, "-2.5"), (0.1, "0.1"), (0.0001, "0.0001"),
    (0.00001, "1e-05"), (0.00012345, "0.00012345"), (1.5e-7, "1.5e-07"),
    (1e15, "1000000000000000.0"),
    (1e16, "1e+16"), (9007199254740992, "9007199254740992.0"),
    (9007199254740994, "9007199254740994.0"),
    (9999999999999998, "9999999999999998.0"), (12345678901234568, "1.2345678901234568e+16"),
    (.leastNonzeroMagnitude, "5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"),
    (1e100, "1e+100"),
    (123456.789, "123456.789"), (100, "100.0"),
  ])
  func realsAreLaidOutAsPythonDoes(value: Double, expected: String) {
    #expect(text(.number(value)) == expected)
  }

  @Test(.enabled(if: Places.python != nil, "INGOT_PYTHON names no Python"))
  func randomRealsAreWrittenAsPythonWritesThem() throws {
    var random = SeededGenerator(seed: 11)
    var list = ""
    for number in 0..<40_000 {
      var value = Double(bitPattern: random.next())
      if number % 2 == 0 {
        value = Double(Int64(truncatingIfNeeded: random.next()) >> (number % 60)) / 1000
      }
      if value.isFinite { list += text(.number(value)) + "\n" }
    }
    try Places.withTemporaryFolder { folder in
      let file = folder.appending(path: "reals")
      try Data(list.utf8).write(to: file)
      let process = Process()
      process.executableURL = URL(filePath: try #require(Places.python))
      process.arguments = [
        "-c",
        "import sys; sys.exit(sum(repr(float(s)) != s for s in open(sys.argv[1]).read().split()))",
        file.path(),
      ]
      try process.run()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
    }
  }

  @Test func keysAreSortedByTheirBytes() {
    let value: JSON = [
      "b": 1.json, "a": ["é": 1.json, "z": 2.json, "\u{10000}": 3.json, "\u{FFFF}": 4.json],
    ]
    #expect(text(value) == "{\"a\":{\"z\":2,\"é\":1,\"\u{FFFF}\":4,\"\u{10000}\":3},\"b\":1}")
  }

  @Test func whatJSONLacksComesBack() throws {
    let values: [JSON] = [
      .number(.infinity), .number(-.infinity), ["$real": .string("NaN")], ["$": .null],
      ["$$": .null],
      ["$real": .number(.infinity)], ["$\u{301}": .null], ["$$\u{301}": .null],
      ["$real": 1.json, "other": 2.json], .array([.number(.infinity), [:]]),
    ]
    for value in values {
      let back = try JSONScanner.parse(value.canonicalText()).decodingReals()
      #expect(back == value, "\(text(value))")
    }
    #expect(text(.number(.nan)) == #"{"$real":"NaN"}"#)
    #expect(text(["$real": .string("NaN")]) == #"{"$$real":"NaN"}"#)
  }
}

extension Int {
  fileprivate var json: JSON { JSON(self) }
}
