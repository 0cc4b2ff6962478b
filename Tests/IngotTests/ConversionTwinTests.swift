import Foundation
import Ingot
import Tensors
import TestSupport
import Testing

/// Fixtures that hold the same weights in two conventions because a library itself converted them: what
/// Ingot makes of the one must be the other, every name, type, shape and bit.
///
/// `models_keras_hub.py` has Keras Hub read the Hugging Face model (or, where it has no converter, sets
/// weight by weight), `models_gguf.py` proves its files by transformers, which reads them back, and
/// `models_huggingface.py` writes nanoGPT's files. These folders are no twins:
/// - `t5-keras-hub` has other sizes than `t5`: Keras Hub has equal stacks only (`t5-gated` has them).
/// - Keras Hub's BART and OPT lack the rows of positions before the first, its RoBERTa also the token
///   types: `AdaptationTests` has what becomes of them.
/// - `vit-classifier-keras-hub` is the backbone alone, `vit` has a pooler.
/// - `gpt-neox-keras-hub` is the backbone without the head, so it goes one way.
/// - `gpt2-bare` and `gpt2-nanogpt-compiled` are `gpt2` and `gpt2-nanogpt` behind other prefixes, which
///   are read and not written.
@Suite struct ConversionTwinTests {
  struct Twins: Sendable, CustomTestStringConvertible {
    let from: ModelFixture
    let to: ModelFixture

    var testDescription: String { "\(from.folder) to \(to.folder)" }
  }

  private static func named(_ folder: String) -> ModelFixture? {
    ModelFixture.all.first { $0.folder == folder }
  }

  /// Folders whose weights are the same.
  static let families: [[String]] = [
    ["gpt2", "gpt2-keras-hub", "gpt2-nanogpt", "gpt2-gguf"],
    ["llama", "llama-keras-hub", "llama-gguf"],
    ["qwen2", "qwen2-keras-hub", "qwen2-gguf"],
    ["llama-scaled-rope", "llama-scaled-rope-keras-hub"],
    ["mistral", "mistral-keras-hub"],
    ["mixtral", "mixtral-keras-hub"],
    ["gemma", "gemma-keras-hub"],
    ["gemma2", "gemma2-keras-hub"],
    ["bert", "bert-keras-hub"],
    ["distilbert", "distilbert-keras-hub"],
    ["bloom", "bloom-keras-hub"],
    ["albert", "albert-keras-hub"],
    ["t5-gated", "t5-gated-keras-hub"],
    ["whisper-equal", "whisper-equal-keras-hub"],
    ["whisper-wide", "whisper-openai"],
  ]

  static let twins: [Twins] = families.flatMap { folders in
    let fixtures = folders.compactMap(named)
    return fixtures.flatMap { from in
      fixtures.filter { $0.folder != from.folder }.map { Twins(from: from, to: $0) }
    }
  }

  @discardableResult
  private func convert(
    _ from: ModelFixture, to convention: String, _ path: String
  ) throws -> ConversionReport {
    var options = ConvertOptions()
    options.names = convention
    options.model = from.options
    options.writing.arrangement = .keras
    options.syncsResult = false
    return try Conversion(source: from.weights, destination: path, options: options).run()
  }

  private func manifest(_ path: String) throws -> DigestManifest {
    try Fingerprinting(Checkpoint(path: path)).manifest()
  }

  @Test func `every pair is there`() {
    #expect(Self.twins.count == 12 + 6 + 6 + 12 * 2)
  }

  @Test(arguments: twins)
  func `a conversion gives what the library gave`(_ twins: Twins) throws {
    try Places.withTemporaryFolder { folder in
      let isHDF5 = twins.to.weights.hasSuffix(".h5")
      let path = folder.appending(
        path: isHDF5 ? "model.weights.h5" : "model.safetensors"
      ).filePath
      try convert(twins.from, to: twins.to.convention, path)
      let (found, expected) = (try manifest(path), try manifest(twins.to.weights))
      #expect(found.lines.map(\.name) == expected.lines.map(\.name))
      #expect(found == expected)
    }
  }

  /// The same weights are another function where an ecosystem has no choice of it.
  @Test(arguments: [
    (
      "bert",
      [
        "keras_hub of bert always has 'activation' gelu_tanh, this model has gelu (config.json: hidden_act)"
      ]
    ),
    (
      "distilbert-mlm",
      [
        "keras_hub of distilbert always has 'head_norm_epsilon' 1e-05, this model has 1e-12 (default)"
      ]
    ),
    ("distilbert", []), ("gpt2", []), ("bert-keras-hub", []),
  ])
  func `what is computed otherwise is noted`(_ folder: String, _ notes: [String]) throws {
    try Places.withTemporaryFolder { place in
      let fixture = try #require(Self.named(folder))
      let path = place.appending(path: "model.weights.h5").filePath
      #expect(try convert(fixture, to: "keras_hub", path).notes == notes)
    }
  }

  @Test func `a backbone gives all but the head`() throws {
    try Places.withTemporaryFolder { folder in
      let backbone = try #require(Self.named("gpt-neox-keras-hub"))
      let whole = try #require(Self.named("gpt-neox"))
      let path = folder.appending(path: "model.safetensors").filePath
      try convert(backbone, to: "huggingface", path)
      let expected = try manifest(whole.weights).lines.filter { $0.name != "embed_out.weight" }
      #expect(try manifest(path).lines == expected)
    }
  }

  /// What `confirm_conversions.py` kept once the other library had loaded it and agreed with the golden.
  static let confirmed = [
    "bart-equal-to-keras_hub.weights.h5", "bart-keras-hub-to-huggingface.safetensors",
    "distilbert-mlm-to-keras_hub.weights.h5", "gpt-neox-keras-hub-to-huggingface.safetensors",
    "llama-tied-to-keras_hub.weights.h5", "opt-keras-hub-to-huggingface.safetensors",
    "roberta-keras-hub-to-huggingface.safetensors", "roberta-typed-to-keras_hub.weights.h5",
    "roberta-zero-types-to-keras_hub.weights.h5",
    "t5-keras-hub-to-huggingface.safetensors",
    "transformer-torch-to-tutorial.safetensors",
    "transformer-tutorial-post-norm-to-torch.safetensors",
    "vit-classifier-keras-hub-to-huggingface.safetensors",
    "vit-classifier-to-keras_hub.weights.h5",
  ]

  @Test(arguments: confirmed)
  func `a conversion is still what the library confirmed`(_ file: String) throws {
    let parts = try #require(file.firstRange(of: "-to-"))
    let fixture = try #require(Self.named(String(file[..<parts.lowerBound])))
    let rest = file[parts.upperBound...]
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: file).filePath
      try convert(fixture, to: String(rest.prefix { $0 != "." }), path)
      #expect(try manifest(path) == manifest(Places.fixture("models/converted/\(file)")))
    }
  }

  @Test(arguments: [
    ("bart", "keras_hub"), ("opt-post-norm", "keras_hub"), ("roberta", "keras_hub"),
    ("gpt-neox", "keras_hub"), ("t5", "keras_hub"), ("t5-encoder", "keras_hub"),
    ("whisper", "keras_hub"), ("whisper", "openai"), ("llama-yarn", "keras_hub"),
    ("llama-dynamic-rope", "keras_hub"),
  ])
  func `what the other library cannot hold is refused`(_ folder: String, _ to: String) throws {
    try Places.withTemporaryFolder { place in
      let fixture = try #require(Self.named(folder))
      let error = #expect(throws: IngotError.self) {
        try convert(fixture, to: to, place.appending(path: "model.safetensors").filePath)
      }
      #expect(error?.errorClass == .unsupported)
      #expect(error?.message.hasPrefix("\(to) of \(fixture.architecture): ") == true)
    }
  }
}
