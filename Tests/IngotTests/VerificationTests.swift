import Foundation
import Ingot
import Tensors
import TestSupport
import Testing

/// Good checkpoints pass with their goldens, and every mistake is found at the part that makes it.
@Suite struct VerificationTests {
  /// Fixtures with a golden beside them.
  private static let fixtures = ModelFixture.all.filter {
    FileManager.default.fileExists(atPath: golden($0.folder))
  }

  private static func golden(_ folder: String) -> String {
    Places.fixture("models/\(folder)/golden.npz")
  }

  private static let gpt2 = ModelFixture(
    folder: "gpt2", architecture: "gpt2", convention: "huggingface", parameters: 11488)
  private static let transformer = ModelFixture(
    folder: "transformer-torch", architecture: "transformer", convention: "torch", parameters: 0)
  private static let t5 = ModelFixture(
    folder: "t5-v1_1", architecture: "t5", convention: "huggingface", parameters: 0)
  private static let tutorial = ModelFixture(
    folder: "transformer-tutorial-pre-norm", architecture: "transformer", convention: "tutorial",
    parameters: 0)
  private static let nanoGPT = ModelFixture(
    folder: "gpt2-nanogpt", architecture: "gpt2", convention: "nanogpt", parameters: 11488)

  @Test(arguments: fixtures)
  func `a good checkpoint passes with its golden`(_ fixture: ModelFixture) throws {
    var verification = Verification(
      try fixture.source(), try Golden(path: Self.golden(fixture.folder)))
    if ["transformer-tutorial", "transformer-tutorial-biased"].contains(fixture.folder) {
      // Their library rounds the table of sinusoids to float32, whatever the rest is computed in.
      verification.relativeTolerance = 1e-6
      verification.absoluteTolerance = 1e-6
    }
    let report = try verification.report()
    #expect(report.isOK, "\(report.firstDivergence?.name ?? "") \(report.faults.lines)")
    #expect(
      report.states.count + report.notCompared.count == verification.golden.states.count)
    #expect(report.notCompared.isEmpty, "\(report.notCompared)")
    #expect(report.suspects.isEmpty)
    #expect(report.outputs.count > 0)
    #expect(report.goldenPrecision == .float64)
    #expect(report.firstDivergence == nil)
    #expect(report.outputs.allSatisfy { $0.maxRelative <= 1e-7 && $0.argmaxAgreement ?? 1 == 1 })
  }

  @Test(arguments: fixtures)
  func `single precision passes with the tolerance of single precision`(
    _ fixture: ModelFixture
  ) throws {
    var verification = Verification(
      try fixture.source(), try Golden(path: Self.golden(fixture.folder)))
    verification.precision = .float32
    let report = try verification.report()
    #expect(
      report.isOK, "\(report.firstDivergence?.name ?? "") \(report.firstDivergence?.worst ?? 0)")
  }

  @Test(arguments: fixtures, [ElementType.float32, .bfloat16, .float16])
  func `a golden that was rounded passes with its own tolerance`(
    _ fixture: ModelFixture, type: ElementType
  ) throws {
    let golden = try Golden(
      try Checkpoint.changed(Self.golden(fixture.folder)) { tensors in
        for (name, tensor) in tensors where !name.hasPrefix("input/") {
          tensors[name] = try tensor.cast(to: type)
        }
      })
    let report = try Verification(fixture.source(), golden).report()
    #expect(report.isOK, "\(report.firstDivergence?.name ?? "")")
    #expect(report.tolerance.precision == type)
  }

  /// Goldens that the library computed in a narrower type from the start: `narrow/gpt2-float32.npz`.
  private static let narrow = try? FileManager.default.contentsOfDirectory(
    atPath: Places.fixture("models/narrow")
  ).sorted()

  @Test(arguments: narrow ?? [])
  func `a golden that was computed in a narrower type passes with its own tolerance`(
    name: String
  ) throws {
    let type = name.hasSuffix("-bfloat16.npz") ? ElementType.bfloat16 : .float32
    let fixture = try ModelFixture.named(String(name.dropLast("-.npz".count + type.name.count)))
    let golden = try Golden(path: Places.fixture("models/narrow/\(name)"))
    let report = try Verification(fixture.source(), golden).report()
    #expect(report.isOK, "\(report.firstDivergence?.name ?? "")")
    #expect(report.goldenPrecision == type)
    #expect(report.states.count == golden.states.count)
    // The tolerance still tells a matrix that is another.
    let others = try fixture.changed { tensors in
      let name = try #require(
        tensors.keys.sorted().last { tensors[$0]?.shape.rank == 2 && $0.contains("weight") })
      tensors[name] = try #require(tensors[name]).mapped { -$0 }
    }
    #expect(try !Verification(others, golden).report().isOK)
  }

  // MARK: Faults

  /// Verifies a checkpoint whose tensors were changed, by the fixture's configuration.
  private func verify(
    _ fixture: ModelFixture, golden: String? = nil, settings: [(String, String)] = [],
    _ change: (inout [String: Tensor]) throws -> Void = { _ in }
  ) throws -> VerificationReport {
    try Verification(
      fixture.changed(settings: settings, change), Golden(path: golden ?? fixture.golden)
    ).report()
  }

  private func replacing(
    _ tensor: Tensor, at index: Int, with value: Float
  ) throws -> Tensor {
    var bytes = try tensor.source.bytes(at: 0, count: tensor.byteCount, "a tensor")
    for byte in 0..<4 {
      bytes[index * 4 + byte] = UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32(byte)))
    }
    return try Tensor(
      elementType: tensor.elementType, shape: tensor.shape, source: ArraySource(bytes))
  }

  @Test func `a NaN weight fails, also where no input touches it`() throws {
    for (name, isSeen) in [
      ("transformer.h.1.mlp.c_fc.weight", true), ("transformer.wpe.weight", false),
    ] {
      let report = try verify(Self.gpt2) { tensors in
        let tensor = try #require(tensors[name])
        let last = tensor.shape.elementCount - 1
        tensors[name] = try replacing(tensor, at: last, with: .nan)
      }
      #expect(!report.isOK)
      #expect(report.faults.notFinite.map(\.name) == [name])
      #expect(report.faults.notFinite.map(\.nan) == [1])
      #expect((report.firstDivergence != nil) == isSeen)
      if isSeen {
        #expect(report.firstDivergence?.name == "trace/layers.1.feed_forward")
        #expect(report.firstDivergence?.notFinite ?? 0 > 0)
      }
    }
  }

  @Test func `a missing, a superfluous and a misshapen tensor fail`() throws {
    let missing = try verify(Self.gpt2) { $0["transformer.h.1.ln_1.bias"] = nil }
    #expect(!missing.isOK)
    #expect(missing.faults.missing == ["transformer.h.1.ln_1.bias"])
    #expect(missing.states.isEmpty)
    let unexpected = try verify(Self.gpt2) {
      $0["transformer.extra"] = $0["transformer.wpe.weight"]
    }
    #expect(!unexpected.isOK)
    #expect(unexpected.faults.unexpected == ["transformer.extra"])
    #expect(unexpected.firstDivergence == nil)
    let mismatched = try verify(Self.gpt2) {
      $0["transformer.h.1.ln_1.bias"] = try #require($0["transformer.h.1.ln_1.bias"])
        .sliced(axis: 0, range: 0..<19)
    }
    #expect(!mismatched.isOK)
    #expect(mismatched.faults.mismatched.count == 1)
  }

  @Test func `heads that do not divide are refused`() throws {
    #expect {
      try verify(Self.gpt2, settings: [("heads", "3")])
    } throws: { ($0 as? IngotError)?.errorClass == .malformed }
  }

  // MARK: Goldens

  /// The message of the refusal of a golden that `change` made from GPT-2's.
  private func refusal(
    _ change: (inout [String: Tensor]) throws -> Void
  ) throws -> String {
    do {
      let golden = try Golden(try Checkpoint.changed(Self.golden("gpt2"), change))
      _ = try Verification(Self.gpt2.source(), golden).report()
      return "accepted"
    } catch let error as IngotError {
      #expect(error.errorClass == .malformed)
      #expect(error.file == Self.golden("gpt2"))
      return [error.tensor.map { "'\($0)'" }, error.message].compactMap { $0 }
        .joined(separator: ": ")
    }
  }

  private func ids(_ shape: [Int], _ values: [UInt8]) throws -> Tensor {
    try Tensor(elementType: .uint8, shape: Shape(shape), source: ArraySource(values))
  }

  @Test func `a golden that does not fit is refused by name`() throws {
    #expect(try refusal { _ in } == "accepted")
    #expect(
      try refusal { $0["input/input_ids"] = nil }.contains("the input 'input_ids' is missing"))
    #expect(
      try refusal { $0["input/tokens"] = $0["input/input_ids"] }
        .contains("'tokens' is no input of gpt2"))
    #expect(
      try refusal { $0["logits"] = $0["output/logits"] } == "'logits': is no part of a golden")
    #expect(
      try refusal { $0["output/pooler_output"] = $0["output/logits"] }
        == "'output/pooler_output': gpt2 has no such state")
    #expect(
      try refusal { $0["hidden/1"] = $0["output/logits"] }
        == "'hidden/1': the golden has shape 2×7×61, the model gives 2×7×20")
    #expect(
      try refusal { $0["hidden/1"] = $0["input/input_ids"] }
        == "'hidden/1': expected real numbers, found int64")
    #expect(
      try refusal {
        $0["input/input_ids"] = try ids([2, 7], [61] + [UInt8](repeating: 1, count: 13))
      }.contains("61 at [0, 0] is not from 0 to 60"))
    #expect(
      try refusal {
        $0 = $0.filter { $0.key == "output/logits" }
        $0["input/input_ids"] = try ids([1, 24], [UInt8](repeating: 1, count: 24))
      }.contains("24 positions are above the 23"))
    #expect(try refusal { $0["input/labels"] = nil }.contains("'output/loss'"))
    #expect(try refusal { $0 = $0.filter { $0.key.hasPrefix("input/") } }.contains("no output/"))
    #expect(try refusal { $0 = $0.filter { $0.key.hasPrefix("output/") } }.contains("no input/"))
  }

  @Test func `a finer state that the model does not make is told and not compared`() throws {
    let golden = try Golden(
      try Checkpoint.changed(Self.golden("gpt2")) {
        $0["trace/layers.9.attention"] = $0["hidden/0"]
      })
    let report = try Verification(Self.gpt2.source(), golden).report()
    #expect(report.isOK)
    #expect(report.notCompared == ["trace/layers.9.attention"])
  }

  @Test func `a recorder need not know what a part is called here`() throws {
    // Of a mixture of experts it says "feed_forward"; of the one stack that a model has, nothing.
    for (folder, theirs, ours) in [
      ("mixtral", "trace/layers.1.feed_forward", "trace/layers.1.experts"),
      ("t5-encoder", "trace/layers.1.attention", "trace/encoder.layers.1.attention"),
    ] {
      let fixture = try ModelFixture.named(folder)
      let report = try Verification(fixture.source(), Golden(path: fixture.golden)).report()
      #expect(report.isOK)
      #expect(
        report.states.contains { $0.name == theirs && $0.layer?.hasSuffix("layers.1") == true })
      // Where both are there, each is compared under its own name, or not at all.
      let both = try Golden(
        Checkpoint.changed(fixture.golden) { $0[ours] = $0[theirs] })
      let second = try Verification(fixture.source(), both).report()
      #expect(second.isOK)
      #expect(second.notCompared == [theirs])
      #expect(second.states.contains { $0.name == ours })
    }
    // One of two stacks, which the name does not tell, is none.
    let fixture = try ModelFixture.named("t5")
    let golden = try Golden(
      Checkpoint.changed(fixture.golden) {
        $0["trace/layers.0.attention"] = $0["trace/encoder.layers.0.attention"]
      })
    let report = try Verification(fixture.source(), golden).report()
    #expect(report.notCompared == ["trace/layers.0.attention"])
  }

  @Test func `the golden of another model of the same sizes fails`() throws {
    let report = try verify(
      Self.nanoGPT,
      golden: Self.golden("gpt2-bare").replacingOccurrences(
        of: "gpt2-bare", with: "gpt2"))
    #expect(!report.isOK)
    #expect(report.firstDivergence?.component == .feedForward)
  }

  @Test func `a golden's NaN does not pass, hidden positions do not count`() throws {
    let name = "output/last_hidden_state"
    let fixture = ModelFixture(
      folder: "gpt2-bare", architecture: "gpt2", convention: "huggingface", parameters: 0)
    let mask = try #require(try Golden(path: Self.golden(fixture.folder)).inputs["attention_mask"])
    let visible = try mask.source.bytes(at: 0, count: mask.byteCount, "a mask")
      .enumerated().filter { $0.offset % 8 == 0 }.map { $0.element != 0 }
    let positions = try [
      #require(visible.firstIndex(of: false)), #require(visible.firstIndex(of: true)),
    ]
    for position in positions {
      let golden = try Golden(
        try Checkpoint.changed(Self.golden(fixture.folder)) { tensors in
          let tensor = try #require(tensors[name])
          var bytes = try tensor.source.bytes(at: 0, count: tensor.byteCount, "a state")
          for byte in 0..<8 {
            bytes[position * 20 * 8 + byte] = UInt8(
              truncatingIfNeeded: Double.nan.bitPattern >> (8 * UInt64(byte)))
          }
          tensors[name] = try Tensor(
            elementType: .float64, shape: tensor.shape, source: ArraySource(bytes))
        })
      let report = try Verification(fixture.source(), golden).report()
      #expect(report.isOK == !visible[position])
      #expect((report.firstDivergence?.notFinite ?? 0) == (visible[position] ? 1 : 0))
    }
  }

  @Test func `a golden's precision is told by its type and by its values`() throws {
    func precision(_ stored: ElementType, rounded: ElementType) throws -> ElementType {
      try Golden(
        try Checkpoint.changed(Self.golden("gpt2")) { tensors in
          for (name, tensor) in tensors where !name.hasPrefix("input/") {
            tensors[name] = try tensor.cast(to: rounded).cast(to: stored)
          }
        }
      ).precision
    }
    #expect(try precision(.float64, rounded: .float64) == .float64)
    #expect(try precision(.float32, rounded: .float32) == .float32)
    #expect(try precision(.float64, rounded: .float32) == .float32)
    #expect(try precision(.float32, rounded: .bfloat16) == .bfloat16)
    #expect(try precision(.bfloat16, rounded: .bfloat16) == .bfloat16)
    #expect(try precision(.float32, rounded: .float16) == .float16)
  }

  // MARK: Goldens of our own

  @Test func `our golden of a model verifies the files that are made from it`() throws {
    try Places.withTemporaryFolder { folder in
      let golden = folder.appending(path: "golden.npz").filePath
      let record = try GoldenRecording(
        Self.gpt2.source(), inputs: Checkpoint(path: Self.golden("gpt2"))
      ).write(to: golden)
      #expect(record.ambiguous == [])
      #expect(record.states.contains("trace/layers.2.attention.query"))
      #expect(record.states.contains("output/loss"))
      for (names, file) in [
        ("keras_hub", "model.weights.h5"), ("nanogpt", "model.npz"), ("gguf", "model.ingot"),
      ] {
        let path = folder.appending(path: names).filePath
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        var options = ConvertOptions()
        options.names = names
        options.jobs = 2
        _ = try Conversion(
          source: Self.gpt2.weights, destination: path + "/" + file, options: options
        ).run()
        let config = Places.fixture("models/gpt2/config.json")
        var modelOptions = ModelOptions()
        modelOptions.configuration = config
        let report = try Verification(
          ModelSource(Checkpoint(path: path + "/" + file), modelOptions), Golden(path: golden)
        ).report()
        #expect(report.isOK, "\(names) \(report.firstDivergence?.name ?? "")")
        #expect(report.states.count == record.states.count)
        #expect(report.outputs.allSatisfy { $0.maxAbsolute == 0 })
      }
    }
  }

  @Test func `a golden that exists stays unless told otherwise`() throws {
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: "golden.safetensors").filePath
      try Data("mine".utf8).write(to: URL(filePath: path))
      var recording = GoldenRecording(
        try Self.gpt2.source(), inputs: try Checkpoint(path: Self.golden("gpt2")))
      recording.precision = .float32
      #expect {
        try recording.write(to: path)
      } throws: { ($0 as? IngotError)?.errorClass == .output }
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
      _ = try recording.write(to: path, replacing: true)
      let report = try Verification(Self.gpt2.source(), Golden(path: path)).report()
      #expect(report.goldenPrecision == .float32)
      #expect(report.isOK)
    }
  }
}
