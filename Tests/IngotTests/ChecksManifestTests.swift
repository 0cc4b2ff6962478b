import Foundation
import TestSupport
import Tensors
import Testing

@testable import Ingot

/// A manifest's checks are all made, and what is wrong with the manifest itself is told with its place.
@Suite struct ChecksManifestTests {
  /// Writes a manifest into a folder with one model and makes its checks.
  private func report(_ text: String, in folder: URL) throws -> ChecksReport {
    let path = folder.appending(path: "checks.yaml").filePath
    try Data(text.utf8).write(to: URL(filePath: path))
    return ManifestVerification(try ChecksManifest(contentsOf: path)).report()
  }

  /// A folder with `models/gpt2`, `models/llama` and GPT-2's golden.
  private func withModels<Result>(_ body: (URL) throws -> Result) throws -> Result {
    try Places.withTemporaryFolder { folder in
      let models = folder.appending(path: "models")
      try FileManager.default.createDirectory(at: models, withIntermediateDirectories: false)
      for name in ["gpt2", "llama"] {
        try FileManager.default.copyItem(
          atPath: Places.fixture("models/\(name)"), toPath: models.appending(path: name).filePath)
        try FileManager.default.moveItem(
          at: models.appending(path: "\(name)/golden.npz"),
          to: folder.appending(path: "\(name).npz"))
      }
      return try body(folder)
    }
  }

  /// The outcomes, with the folder's path left out.
  private func lines(_ report: ChecksReport, in folder: URL) -> [String] {
    report.checks.map { check in
      let word =
        switch check.outcome {
        case .passed: "passed"
        case .failed: "failed"
        case .refused(let error): error.errorClass.rawValue
        }
      return "\(check.path) \(check.name): \(word): \(check.summary)"
        .replacing(folder.filePath, with: "")
    }
  }

  @Test func `every kind of check passes where it holds`() throws {
    try withModels { folder in
      let manifest = try Fingerprinting(
        Checkpoint(path: folder.appending(path: "models/gpt2").filePath)
      ).manifest()
      try Data(manifest.text.utf8).write(to: folder.appending(path: "gpt2.digest"))
      let report = try report(
        """
        checks:
          - path: models/gpt2
            golden: gpt2.npz
            against: [models/gpt2, models/gpt2/model.safetensors]
            digest: gpt2.digest
            parameters: 11488
            finite: true
            fits: true
          - path: models/gpt2
            digest: '\(manifest.total)'
            finite: false
        """, in: folder)
      #expect(report.isOK)
      #expect(report.exitStatus == 0)
      let lines = lines(report, in: folder)
      #expect(lines.count == 8)
      #expect(
        lines[0].hasPrefix("models/gpt2 golden gpt2.npz: passed: 18 states, the worst at 0.0"))
      #expect(
        lines[1]
          == "models/gpt2 against models/gpt2: passed: 41 states, the worst at 0.0 of the tolerance"
      )
      #expect(
        Array(lines[3...]) == [
          "models/gpt2 digest gpt2.digest: passed: \(manifest.total)",
          "models/gpt2 parameters: passed: 11488",
          "models/gpt2 finite: passed: neither NaN nor infinities",
          "models/gpt2 fits: passed: gpt2, 11488 parameters",
          "models/gpt2 digest: passed: \(manifest.total)",
        ])
      #expect(report.checks.map { $0.verification != nil }.prefix(4) == [true, true, true, false])
    }
  }

  @Test func `every check is made, whatever comes of the others`() throws {
    try withModels { folder in
      let zeros = String(repeating: "0", count: 64)
      let other = try Fingerprinting(
        Checkpoint(path: folder.appending(path: "models/llama").filePath)
      ).manifest()
      try Data(other.text.utf8).write(to: folder.appending(path: "llama.digest"))
      let report = try report(
        """
        checks:
          - path: models/gpt2
            golden: [gpt2.npz, llama.npz, absent.npz]
            set: {norm_epsilon: 1e-3}
            parameters: 7
            digest: '\(zeros)'
          - path: models/absent
            finite: true
            fits: true
          - path: models/*.h5
            finite: true
          - path: models/llama
            digest: models/llama/config.json
            architecture: gpt-2
            fits: true
          - path: models/gpt2
            digest: llama.digest
            against: models/llama
        """, in: folder)
      #expect(!report.isOK)
      #expect(report.failures == 4)
      // The first that could not be made decides.
      #expect(report.exitStatus == 65)
      let total = try Fingerprinting(
        Checkpoint(path: folder.appending(path: "models/gpt2").filePath)
      ).manifest().total
      let lines = lines(report, in: folder)
      let beginnings = [
        "models/gpt2 golden gpt2.npz: failed: first divergence: trace/layers.0.attention_norm (layers.0, norms): ",
        "models/gpt2 golden llama.npz: malformed: llama.npz: ",
        "models/gpt2 golden absent.npz: unreadable: absent.npz: No such file or directory",
        "models/gpt2 digest: failed: expected \(zeros), found \(total)",
        "models/gpt2 parameters: failed: expected 7, found 11488",
        "models/absent finite: unreadable: models/absent: No such file or directory",
        "models/absent fits: unreadable: models/absent: No such file or directory",
        "models/*.h5 finite: unreadable: models/*.h5: matches no file",
        "models/llama digest models/llama/config.json: malformed: models/llama/config.json: line 1 of the manifest does not begin with a SHA-256 and two spaces",
        "models/llama fits: unsupported: unknown architecture 'gpt-2'",
        "models/gpt2 against models/llama: malformed: models/gpt2/model.safetensors: the configurations contradict each other: ",
        "models/gpt2 digest llama.digest: failed: missing: lm_head.weight; ",
      ]
      #expect(lines.count == beginnings.count)
      for (line, beginning) in zip(lines, beginnings) { #expect(line.hasPrefix(beginning)) }
      #expect(lines.last?.hasSuffix(" more") == true)
    }
  }

  @Test func `broken weights fail the checks that see them`() throws {
    try withModels { folder in
      let path = folder.appending(path: "models/broken.npz").filePath
      let model = try Checkpoint(path: folder.appending(path: "models/gpt2").filePath)
      var table = try model.table.replacingEntries(
        model.table.entries.filter { !$0.name.contains("h.2.ln_1") }.map { entry in
          guard entry.name == "transformer.ln_f.bias" else { return entry }
          return .init(
            name: entry.name,
            tensor: try Tensor([Float.nan] + [Float](repeating: .infinity, count: 19), shape: [20]))
        })
      try table.append("extra", Tensor([Float(1)], shape: [1]))
      try WholeFile.write(table, to: path, replaces: false, jobs: 1)
      let report = try report(
        """
        checks:
          - path: models/b*.npz
            config: models/gpt2/config.json
            finite: true
            fits: true
            parameters: 11488
            golden: gpt2.npz
        """, in: folder)
      #expect(report.exitStatus == 1)
      #expect(
        lines(report, in: folder) == [
          "models/broken.npz golden gpt2.npz: failed: missing: transformer.h.2.ln_1.weight and 3 more",
          "models/broken.npz parameters: failed: expected 11488, found 11449",
          "models/broken.npz finite: failed: not finite: transformer.ln_f.bias: 1 NaN, 19 infinite",
          "models/broken.npz fits: failed: missing: transformer.h.2.ln_1.weight; missing: transformer.h.2.ln_1.bias; unexpected: extra",
        ])
    }
  }

  @Test func `globs are sorted, and the folder's own name is none`() throws {
    try Places.withTemporaryFolder { outer in
      let folder = outer.appending(path: "[a]*?")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
      for name in ["b", "a", "[c]", ".hidden"] {
        try FileManager.default.copyItem(
          atPath: Places.fixture("npy/dtype-float32.npy"),
          toPath: folder.appending(path: "\(name).npy").filePath)
      }
      let report = try report(
        "checks: [{path: ['*.npy', '\\[c].npy', b.npy], finite: true}]", in: folder)
      #expect(
        report.checks.map { $0.path.replacing(folder.filePath + "/", with: "") }
          == ["[c].npy", "a.npy", "b.npy", "[c].npy", "b.npy"])
    }
  }

  @Test func `a checkpoint of no known architecture has digests, counts and finite values`() throws
  {
    try Places.withTemporaryFolder { folder in
      var table = TensorTable()
      try table.append("one", Tensor([Float(1), 2, 3, 4, 5, 6], shape: [2, 3]))
      try table.append("mask", Tensor([Int64(1), 0], shape: [2]))
      try WholeFile.write(
        table, to: folder.appending(path: "a.npz").filePath, replaces: false, jobs: 1)
      let report = try report(
        "checks: [{path: a.npz, finite: true, parameters: 8, fits: true}]", in: folder)
      #expect(report.checks.map(\.isOK) == [true, true, false])
      #expect(report.exitStatus == 69)
    }
  }

  // MARK: Refusals

  @Test(arguments: [
    ("", "line 1, column 1: the file is empty"),
    ("[]", "line 1, column 1: expected a mapping, found a list"),
    ("tests: []", "line 1, column 1: a manifest has no key 'tests'"),
    ("{}", "line 1, column 1: a manifest needs the key 'checks'"),
    ("checks: []", "line 1, column 9: expected at least one check, found a list"),
    ("checks: 7", "line 1, column 9: expected a list of checks, found 7"),
    ("checks: [7]", "line 1, column 10: expected a mapping, found 7"),
    ("checks: [{finite: true}]", "line 1, column 10: a check needs the key 'path'"),
    ("checks: [{path: a}]", "line 1, column 10: nothing to check"),
    ("checks: [{path: a, finite: false}]", "line 1, column 10: nothing to check"),
    (
      "checks: [{path: [], finite: true}]",
      "line 1, column 17: expected a path or glob, found a list"
    ),
    ("checks: [{path: 7, finite: true}]", "line 1, column 17: expected a path or glob, found 7"),
    ("checks:\n  - path: a\n    goldens: b", "line 3, column 5: a check has no key 'goldens'"),
    (
      "checks: [{path: a, finite: yes}]",
      "line 1, column 28: expected whether all must be finite, found yes"
    ),
    (
      "checks: [{path: a, parameters: many}]",
      "line 1, column 32: expected the number of parameters, found the text 'many'"
    ),
    (
      "checks: [{path: a, parameters: 0}]",
      "line 1, column 32: expected the number of parameters, found 0"
    ),
    (
      "checks: [{path: a, finite: true, rtol: 1e-3}]",
      "line 1, column 40: 'rtol' is for golden and against, which is not here"
    ),
    (
      "checks: [{path: a, golden: b, seed: 1}]",
      "line 1, column 37: 'seed' is for against, which is not here"
    ),
    (
      "checks: [{path: a, golden: b, rtol: -1e-3}]",
      "line 1, column 37: expected a tolerance of 0 or more, found -1e-3"
    ),
    (
      "checks: [{path: a, golden: b, atol: small}]",
      "line 1, column 37: expected a tolerance, found the text 'small'"
    ),
    (
      "checks: [{path: a, golden: b, atol: .inf}]",
      "line 1, column 37: expected a tolerance, found .inf"
    ),
    (
      "checks: [{path: a, golden: b, precision: float16}]",
      "line 1, column 42: expected float64 or float32, found the text 'float16'"
    ),
    (
      "checks: [{path: a, against: b, seed: -1}]",
      "line 1, column 38: expected a seed of 0 or more, found -1"
    ),
    (
      "checks: [{path: a, against: b, sequence: 0}]",
      "line 1, column 42: expected a length of 1 or more, found 0"
    ),
    (
      "checks: [{path: a, finite: true, set: [heads]}]",
      "line 1, column 39: expected a mapping of the configuration's values, found a list"
    ),
    (
      "checks: [{path: a, finite: true, set: {heads: [1]}}]",
      "line 1, column 47: expected a value, found a list"
    ),
    ("checks: [{path: &a b, finite: true}]", "line 1, column 17: anchors (&) are refused"),
  ])
  func `what is wrong with a manifest is told with its place`(text: String, message: String) throws
  {
    try Places.withTemporaryFolder { folder in
      let error = #expect(throws: IngotError.self) { try report(text, in: folder) }
      #expect(error?.errorClass == .malformed)
      #expect(error?.message == message)
      #expect(error?.file == folder.appending(path: "checks.yaml").filePath)
    }
  }
}
