import Foundation
import TestSupport
import Tensors
import Testing

@testable import Ingot

/// Two checkpoints of one model compute the same, whatever format, names and types they have.
@Suite struct PairVerificationTests {
  private static let gpt2 = fixture("gpt2")

  private static func fixture(_ folder: String) -> ModelFixture? {
    ModelFixture.all.first { $0.folder == folder }
  }

  /// Fixtures that are sound; the bare backbone of ALBERT's folder is not.
  static let sound = ModelFixture.all.filter { fixture in
    (try? Validation(fixture.source()))?.isValid ?? false
  }

  /// Two readings of the fixture's file, the second with `change` applied to its tensors.
  private func verify(
    _ fixture: ModelFixture?, seed: UInt64 = 0, sequence: Int? = nil, tolerance: Double? = nil,
    _ change: (inout [String: Tensor]) throws -> Void = { _ in }
  ) throws -> VerificationReport {
    let fixture = try #require(fixture)
    var checkpoint = try Checkpoint(path: fixture.weights)
    var tensors = Dictionary(
      uniqueKeysWithValues: checkpoint.table.entries.map { ($0.name.text, $0.tensor) })
    try change(&tensors)
    checkpoint.table = try checkpoint.table.replacingEntries(
      tensors.sorted { $0.key < $1.key }.map { .init(name: ExactString($0.key), tensor: $0.value) })
    var verification = try PairVerification(
      checkpoint, against: Checkpoint(path: fixture.weights), fixture.options)
    verification.seed = seed
    verification.sequence = sequence
    verification.relativeTolerance = tolerance
    verification.absoluteTolerance = tolerance
    return try verification.report()
  }

  // MARK: What agrees

  @Test(arguments: sound)
  func `a checkpoint agrees with itself in every state`(_ fixture: ModelFixture) throws {
    let report = try verify(fixture)
    #expect(report.isOK)
    #expect(report.states.allSatisfy { $0.maxAbsolute == 0 })
    #expect(report.states.count > 10)
    #expect(report.goldenPrecision == .float64)
    let inputs = try #require(report.seededInputs)
    #expect(inputs.shapes.allSatisfy { $0.shape.dimensions.first == 3 })
  }

  @Test func `most fixtures are sound`() { #expect(Self.sound.count >= 50, "\(Self.sound.count)") }

  /// nanoGPT's fixture has another activation: its configuration contradicts its twin's.
  @Test(
    arguments: ConversionTwinTests.twins.filter {
      !($0.from.folder + $0.to.folder).contains("nano")
    }
  )
  func `the same weights in another ecosystem agree, the one configured by the other`(
    _ twins: ConversionTwinTests.Twins
  ) throws {
    var options = twins.from.options
    // Neither folder alone says what GGUF's metadata does.
    options.configuration = options.configuration ?? twins.to.options.configuration
    let verification = try PairVerification(
      Checkpoint(path: twins.from.weights), against: Checkpoint(path: twins.to.weights), options)
    let report = try verification.report()
    #expect(report.isOK, "\(report.firstDivergence?.name ?? "") \(report.faults.lines)")
    #expect(report.goldenPrecision == .float64)
  }

  @Test(arguments: sound, [ElementType.float16, .bfloat16, .float64])
  func `a copy in another type agrees to that type's precision`(
    _ fixture: ModelFixture, type: ElementType
  ) throws {
    let report = try verify(fixture) { tensors in
      for (name, tensor) in tensors where tensor.elementType == .float32 {
        tensors[name] = try tensor.cast(to: type)
      }
    }
    #expect(
      report.isOK, "\(report.firstDivergence?.name ?? "") \(report.firstDivergence?.worst ?? 0)")
    #expect(report.goldenPrecision == (type == .float64 ? .float32 : type))
    #expect(report.goldenPrecisionSource.hasSuffix("is stored as \(type.name) and as float32"))
  }

  // MARK: What does not

  @Test func `a weight that differs in its last digits is found where the types are the same`()
    throws
  {
    let report = try verify(Self.gpt2) { tensors in
      let name = "transformer.h.1.attn.c_proj.weight"
      var elements = try #require(tensors[name]).doubles().map { Float($0) }
      elements[11] = elements[11].nextUp
      tensors[name] = try Tensor(elements, shape: [20, 20])
    }
    #expect(!report.isOK)
    #expect(report.firstDivergence?.name == "trace/layers.1.attention.output")
    #expect(report.firstDivergence?.component == .attention)
  }

  @Test func `a mistake in a half-precision copy is not taken for rounding`() throws {
    let report = try verify(Self.gpt2) { tensors in
      for (name, tensor) in tensors { tensors[name] = try tensor.cast(to: .float16) }
      let name = "transformer.h.1.attn.c_proj.weight"
      tensors[name] = try #require(tensors[name]).transposed([1, 0])
    }
    #expect(!report.isOK)
    #expect(report.firstDivergence?.name == "trace/layers.1.attention.output")
  }

  @Test func `positions are compared as far as the longest sequence reaches`() throws {
    func report(sequence: Int?) throws -> VerificationReport {
      try verify(Self.gpt2, sequence: sequence) { tensors in
        let name = "transformer.wpe.weight"
        var elements = try #require(tensors[name]).doubles().map { Float($0) }
        // The row of the fifth position.
        elements[4 * 20] += 1
        tensors[name] = try Tensor(elements, shape: [23, 20])
      }
    }
    #expect(try report(sequence: 4).isOK)
    for sequence in [5, nil] {
      let report = try report(sequence: sequence)
      #expect(report.firstDivergence?.name == "trace/embedding.positions")
    }
  }

  @Test func `tolerances can be given`() throws {
    func report(_ tolerance: Double?) throws -> VerificationReport {
      try verify(Self.gpt2, tolerance: tolerance) { tensors in
        let name = "transformer.ln_f.bias"
        tensors[name] = try Tensor(
          try #require(tensors[name]).doubles().map { Float($0 + 1e-3) }, shape: [20])
      }
    }
    #expect(try !report(nil).isOK)
    #expect(try report(0.1).isOK)
    #expect(try !report(1e-6).isOK)
  }

  @Test func `a NaN weight fails on the first side and is refused on the second`() throws {
    func broken(_ tensors: inout [String: Tensor]) throws {
      tensors["transformer.ln_f.bias"] = try Tensor(
        [Float](repeating: .nan, count: 20), shape: [20])
    }
    let report = try verify(Self.gpt2) { try broken(&$0) }
    #expect(!report.isOK)
    #expect(report.faults.lines == ["not finite: transformer.ln_f.bias: 20 NaN, 0 infinite"])
    let path = try #require(Self.gpt2).weights
    var other = try Checkpoint(path: path)
    other.table = try other.table.replacingEntries(
      other.table.entries.map { entry in
        guard entry.name == "transformer.ln_f.bias" else { return entry }
        return .init(
          name: entry.name, tensor: try Tensor([Float](repeating: .nan, count: 20), shape: [20]))
      })
    let verification = try PairVerification(Checkpoint(path: path), against: other)
    let error = #expect(throws: IngotError.self) { try verification.report() }
    #expect(error?.errorClass == .malformed)
    #expect(
      error?.message
        == "cannot be compared with, it is unsound: not finite: transformer.ln_f.bias: 20 NaN, 0 infinite"
    )
  }

  // MARK: Inputs

  @Test func `inputs are those of their seed`() throws {
    let model = try #require(Self.fixture("bart")).source().model
    func inputs(_ seed: UInt64) throws -> [ExactString: [Double]] {
      try SeededInputs(model, seed: seed, sequence: 8).tensors.mapValues { try $0.doubles() }
    }
    let first = try inputs(3)
    #expect(
      first.keys.sorted() == [
        "attention_mask", "decoder_attention_mask", "decoder_input_ids", "input_ids",
      ])
    #expect(try inputs(3) == first)
    #expect(try inputs(4)["input_ids"] != first["input_ids"])
    let row = [1.0, 1, 1, 1, 1, 1, 1, 1]
    let half = [1.0, 1, 1, 1, 0, 0, 0, 0]
    #expect(first["attention_mask"] == row + half + [1, 0, 0, 0, 0, 0, 0, 0])
    #expect(
      first["decoder_attention_mask"]
        == [1, 0, 0, 0, 0, 0] + [1, 1, 1, 0, 0, 0] + [1, 1, 1, 1, 1, 1])
    #expect(first["decoder_input_ids"]?.count == 3 * 6)
    let pictures = try SeededInputs(
      try #require(Self.fixture("vit")).source().model, seed: 0, sequence: nil)
    #expect(pictures.shapes.map(\.name) == ["pixel_values"])
    #expect(pictures.shapes.map(\.shape.dimensions) == [[3, 3, 8, 12]])
    let pixels = try #require(pictures.tensors["pixel_values"]).doubles()
    #expect(pixels.allSatisfy { abs($0) <= 1.7321 })
    #expect(Set(pixels).count == pixels.count)
  }

  // MARK: Contradictions

  private func message(
    _ folder: String, _ other: String, sequence: Int? = nil
  ) throws -> (ErrorClass, String)? {
    let (one, two) = (try #require(Self.fixture(folder)), try #require(Self.fixture(other)))
    do {
      var verification = try PairVerification(
        Checkpoint(path: one.weights), against: Checkpoint(path: two.weights),
        one.options)
      verification.sequence = sequence
      _ = try verification.report()
      return nil
    } catch let error as IngotError {
      return (error.errorClass, error.message.replacing(Places.fixture("models/"), with: ""))
    }
  }

  @Test(arguments: [
    (
      "gpt2", "llama",
      "the configurations contradict each other: config.json is of gpt2, config.json of llama/model.safetensors of llama"
    ),
    (
      "llama-tied", "llama",
      "the configurations contradict each other: 'key_heads' is 1 (config.json: num_key_value_heads) and 2 (config.json of llama/model.safetensors: num_key_value_heads)"
    ),
    (
      "gpt2-nanogpt", "gpt2",
      "the configurations contradict each other: 'activation' is gelu (native.json: activation) and gelu_tanh (config.json of gpt2/model.safetensors: activation_function)"
    ),
  ])
  func `two models are not compared`(folder: String, other: String, expected: String) throws {
    let (errorClass, text) = try #require(try message(folder, other))
    #expect(errorClass == .malformed)
    #expect(text == expected)
  }

  @Test func `sizes that only the shapes tell are compared too`() throws {
    let path = try #require(Self.gpt2).weights
    try Places.withTemporaryFolder { folder in
      // Neither copy lies beside a configuration.
      let small = folder.appending(path: "small.safetensors").filePath
      let whole = folder.appending(path: "whole.safetensors").filePath
      var options = ConvertOptions()
      options.selection = Selection(exclude: ["*.h.2.*"])
      _ = try Conversion(source: path, destination: small, options: options).run()
      _ = try Conversion(source: path, destination: whole, options: ConvertOptions()).run()
      var model = ModelOptions()
      model.settings = [("heads", "5")]
      let (one, other, heads) = (try Checkpoint(path: small), try Checkpoint(path: whole), model)
      let error = #expect(throws: IngotError.self) {
        try PairVerification(one, against: other, heads)
      }
      #expect(error?.errorClass == .malformed)
      #expect(
        error?.message
          == "'layers' is 2 (inferred from 'transformer.h.1.ln_1.weight'), in \(whole) it is 3 (inferred from 'transformer.h.2.ln_1.weight'): they cannot be compared"
      )
    }
  }

  @Test func `a sequence has no more positions than the model`() throws {
    let (errorClass, text) = try #require(try message("gpt2", "gpt2", sequence: 24))
    #expect(errorClass == .malformed)
    #expect(text.contains("24 positions are above the 23"))
  }

  @Test func `types from which no tolerance follows want one that is given`() throws {
    let path = try #require(Self.gpt2).weights
    var narrow = try Checkpoint(path: path)
    narrow.table = try narrow.table.replacingEntries(
      narrow.table.entries.map {
        .init(name: $0.name, tensor: try $0.tensor.cast(to: .float8E4M3FN))
      })
    var verification = try PairVerification(narrow, against: Checkpoint(path: path))
    let untold = verification
    let error = #expect(throws: IngotError.self) { try untold.report() }
    #expect(error?.errorClass == .usage)
    #expect(
      error?.message
        == "'embedding.positions.weight' is stored as float8_e4m3fn and as float32, from which no tolerance follows"
    )
    verification.relativeTolerance = 0.5
    verification.absoluteTolerance = 10
    #expect(try verification.report().isOK)
  }
}
