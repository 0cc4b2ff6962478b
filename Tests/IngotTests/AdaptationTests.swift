import Foundation
import Ingot
import Tensors
import TestSupport
import Testing

/// Models whose ecosystems leave another choice: what cannot go along is left out only where no result
/// hangs on it, and said.
@Suite struct AdaptationTests {
  private func fixture(_ folder: String) throws -> ModelFixture {
    try #require(ModelFixture.all.first { $0.folder == folder })
  }

  private func converted<Result>(
    _ folder: String, to convention: String, excluding names: [String] = [],
    _ body: (ConversionReport, String) throws -> Result
  ) throws -> Result {
    try Places.withTemporaryFolder { place in
      let fixture = try fixture(folder)
      var options = ConvertOptions()
      options.names = convention
      options.model = fixture.options
      options.selection = Selection(exclude: names.map { ExactString($0) })
      options.syncsResult = false
      let isHDF5 = convention == "keras_hub"
      options.writing.arrangement = isHDF5 ? .keras : .plain
      let path = place.appending(path: isHDF5 ? "model.weights.h5" : "model.safetensors").filePath
      let report = try Conversion(
        source: fixture.weights, destination: path, options: options
      ).run()
      return try body(report, path)
    }
  }

  private static let offPadding =
    "no token but padding reads them; it counts positions over padding too, which moves a text behind padding"
  private static let onPadding =
    "no token but padding reads them; it counts positions over visible tokens"

  @Test(arguments: [
    (
      "roberta-zero-types", "roberta-keras-hub", "layers/roberta_backbone/",
      [
        "keras_hub of roberta: the first 2 of 23 rows of 'roberta.embeddings.position_embeddings.weight' are left out: "
          + offPadding,
        "keras_hub of roberta: 'roberta.embeddings.token_type_embeddings.weight' is all zero and left out: it adds no type to tokens",
      ]
    ),
    (
      "bart-equal", "bart-keras-hub", "layers/bart_backbone/",
      [
        "keras_hub of bart: the first 2 of 25 rows of 'model.encoder.embed_positions.weight' are left out: nothing reads them",
        "keras_hub of bart: the first 2 of 25 rows of 'model.decoder.embed_positions.weight' are left out: nothing reads them",
        "keras_hub of bart: 'final_logits_bias' is all zero and left out: it adds nothing to the logits",
      ]
    ),
    (
      "opt", "opt-keras-hub", "",
      [
        "keras_hub of opt: the first 2 of 25 rows of 'model.decoder.embed_positions.weight' are left out: "
          + offPadding
      ]
    ),
  ])
  func `Keras Hub is given what its own converter gives it`(
    _ folder: String, _ twin: String, _ prefix: String, _ notes: [String]
  ) throws {
    try converted(folder, to: "keras_hub") { report, path in
      #expect(report.notes == notes)
      let found = try Fingerprinting(Checkpoint(path: path)).manifest().lines
      let expected = try Fingerprinting(Checkpoint(path: fixture(twin).weights)).manifest().lines
      // A task has the backbone inside, and a head beside it.
      let backbone = found.compactMap { line in
        line.name.removingPrefix(ExactString(prefix)).map { ($0, line.sha256) }
      }
      #expect(backbone.map(\.0) == expected.map(\.name))
      #expect(backbone.map(\.1) == expected.map(\.sha256))
    }
  }

  /// The golden's padding is behind the text, where no position changes.
  @Test(arguments: [
    ("roberta-zero-types", "keras_hub"), ("bart-equal", "keras_hub"), ("opt", "keras_hub"),
    ("roberta-keras-hub", "huggingface"), ("bart-keras-hub", "huggingface"),
    ("opt-keras-hub", "huggingface"),
  ])
  func `what was adapted computes what it did`(_ folder: String, _ convention: String) throws {
    try converted(folder, to: convention) { _, path in
      let source = try ModelSource(Checkpoint(path: path), ModelOptions())
      #expect(try Validation(source).isValid)
      let golden = try Golden(path: Places.fixture("models/\(folder)/golden.npz"))
      let report = try Verification(source, golden).report()
      #expect(report.isOK, "\(report.firstDivergence?.name ?? "")")
      #expect(report.outputs.allSatisfy { $0.maxRelative <= 1e-9 })
    }
  }

  @Test(arguments: [
    (
      "roberta-keras-hub", ["embeddings.position_embeddings.weight"],
      ["embeddings.token_type_embeddings.weight"],
      [
        "huggingface of roberta: 2 rows of zeros come before the 21 of 'layers/token_and_position_embedding/position_embedding/vars/0': "
          + onPadding,
        "huggingface of roberta: 'embedding.types.weight' is added, all zero: it adds a type to every token",
      ]
    ),
    (
      "bart-keras-hub", ["encoder.embed_positions.weight", "decoder.embed_positions.weight"], [],
      [
        "huggingface of bart: 2 rows of zeros come before the 23 of 'layers/position_embedding/vars/0': nothing reads them",
        "huggingface of bart: 2 rows of zeros come before the 23 of 'layers/position_embedding_1/vars/0': nothing reads them",
      ]
    ),
    (
      "opt-keras-hub", ["model.decoder.embed_positions.weight"], [],
      [
        "huggingface of opt: 2 rows of zeros come before the 23 of 'layers/token_and_position_embedding/position_embedding/vars/0': "
          + onPadding
      ]
    ),
  ])
  func `Hugging Face is given zeros where it has more`(
    _ folder: String, _ tables: [String], _ weights: [String], _ notes: [String]
  ) throws {
    try converted(folder, to: "huggingface") { report, path in
      #expect(report.notes == notes)
      let table = try Checkpoint(path: path).table
      for (names, rows) in [(tables, 2), (weights, 1)] {
        for name in names {
          let tensor = try #require(table[name])
          let first = try tensor.sliced(axis: 0, range: 0..<rows)
          let bytes = try first.source.bytes(at: 0, count: first.byteCount, "rows")
          #expect(bytes.allSatisfy { $0 == 0 }, "\(name)")
        }
      }
    }
  }

  /// Fine-tuning trains the one token type, which Keras Hub's own converter drops all the same.
  @Test func `a type that is not zero is added to the positions`() throws {
    try converted("roberta-typed", to: "keras_hub") { report, path in
      #expect(
        report.notes.last
          == "keras_hub of roberta: 'roberta.embeddings.token_type_embeddings.weight' is added to every row of 'roberta.embeddings.position_embeddings.weight' and left out: it adds no type to tokens"
      )
      let source = try ModelSource(Checkpoint(path: path), ModelOptions())
      let golden = try Golden(path: Places.fixture("models/roberta-typed/golden.npz"))
      let outputs = try Verification(source, golden).report().outputs
      #expect(outputs.count == 1)
      // The sums are rounded to float32.
      #expect(outputs.allSatisfy { $0.maxRelative <= 1e-6 }, "\(outputs.map(\.maxRelative))")
    }
  }

  @Test func `what the other library has no place for is refused with a way out`() throws {
    let pooler = #expect(throws: IngotError.self) {
      try converted("roberta", to: "keras_hub") { _, _ in }
    }
    #expect(pooler?.errorClass == .unsupported)
    #expect(
      pooler?.message
        == "keras_hub of roberta: it has no pooler, and this model has one; --exclude '*pooler*' leaves it out"
    )
    try converted("roberta", to: "keras_hub", excluding: ["*pooler*"]) { report, _ in
      #expect(report.notes.count == 3)
    }
  }

  /// A description of a user's own may forget to say what becomes of a weight; one of several rows cannot
  /// be folded into another.
  @Test(arguments: [
    (
      #""rows": 2"#,
      "b of small: an adaptation makes 'more.weight' 2×2, it is 3×2, and does not say how"
    ),
    (
      #""has_more": false"#,
      "b of small: an adaptation makes 'more.weight' superfluous, and does not say how"
    ),
    (
      #""has_more": false}, "zeros": ["more.weight"], "folds": {"more.weight": "tokens.weight""#,
      "b of small: it has no 'more.weight', which is left out only where it is all zero"
    ),
  ])
  func `an adaptation that loses a weight is refused`(_ sets: String, _ message: String) throws {
    let description = """
      {"name": "small", "summary": "", "parameters": [{"name": "rows", "kind": "count"},
         {"name": "width", "kind": "count"}, {"name": "has_more", "kind": "flag", "default": true}],
       "inputs": [{"name": "input_ids", "kind": "ids", "size": "rows"}],
       "steps": [
         {"embedding": {"name": "tokens", "input": "input_ids", "rows": "rows", "width": "width",
           "output": "x"}},
         {"if": "has_more", "then": [
           {"embedding": {"name": "more", "input": "input_ids", "rows": "rows", "width": "width",
             "output": "x"}}]},
         {"result": "x", "name": "features"}],
       "conventions": [
         {"name": "a", "spellings": [
           {"roles": ["tokens.weight"], "name": "t"}, {"roles": ["more.weight"], "name": "m"}]},
         {"name": "b", "adaptations": [{"when": true, "sets": {\(sets)}, "reason": ""}],
          "spellings": [
           {"roles": ["tokens.weight"], "name": "u"}, {"roles": ["more.weight"], "name": "n"}]}]}
      """
    let architecture = try Architecture(parsing: Array(description.utf8))
    let tensor = try Tensor(
      elementType: .float32, shape: Shape([3, 2]),
      source: ArraySource([UInt8](repeating: 1, count: 24)))
    let table = try TensorTable().replacingEntries([
      .init(name: "t", tensor: tensor), .init(name: "m", tensor: tensor),
    ])
    let reading = try ModelReading.read(table, as: [architecture], documents: [])
    let error = #expect(throws: IngotError.self) {
      try Respelling(table, reading, to: #require(architecture[convention: "b"])) { _ in false }
    }
    #expect(error?.message == message)
    #expect(error?.errorClass == (sets.contains("zeros") ? .unsupported : .malformed))
  }
}
