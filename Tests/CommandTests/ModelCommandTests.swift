import Foundation
import TestSupport
import Testing

/// `validate` and `convert --names` as a user meets them: exit status, one line, nothing left behind.
@Suite struct ModelCommandTests {
  private static let gpt2 = Places.fixture("models/gpt2")

  /// A folder with GPT-2's weights and, changed by `edit`, its configuration.
  private func withModel<Result>(
    configuration edit: (inout String) -> Void = { _ in }, arguments: [String] = [],
    _ body: (URL) throws -> Result
  ) throws -> Result {
    try Places.withTemporaryFolder { folder in
      let weights = folder.appending(path: "model.safetensors").filePath
      if arguments.isEmpty {
        try FileManager.default.copyItem(
          atPath: Self.gpt2 + "/model.safetensors", toPath: weights)
      } else {
        let run = try CommandRun.run(
          CommandRun.ingot, ["convert", Self.gpt2, weights] + arguments)
        #expect(run.status == 0, "\(run.diagnostics)")
      }
      var text = try String(contentsOfFile: Self.gpt2 + "/config.json", encoding: .utf8)
      edit(&text)
      try Data(text.utf8).write(to: folder.appending(path: "config.json"))
      return try body(folder)
    }
  }

  private func validate(_ folder: URL, _ more: String...) throws -> CommandRun {
    try CommandRun.run(CommandRun.ingot, ["validate", folder.filePath] + more)
  }

  @Test func `a model that fits exits with 0`() throws {
    let run = try CommandRun.ingot("validate", Self.gpt2, "--expect-parameters", "11488")
    #expect(run.status == 0)
    #expect(run.output.contains("parameters: 11,488"))
    #expect(run.diagnostics == "")
  }

  @Test func `another count than the one asked for exits with 1`() throws {
    let run = try CommandRun.ingot("validate", Self.gpt2, "--expect-parameters", "11489")
    #expect(run.status == 1)
    #expect(run.output.contains("parameters: 11,488, expected 11,489"))
  }

  @Test func `a wrong number of layers is missing or unexpected tensors`() throws {
    try withModel(configuration: { $0.replace("\"n_layer\": 3", with: "\"n_layer\": 4") }) {
      folder in
      let run = try validate(folder)
      #expect(run.status == 1)
      #expect(run.output.contains("missing (12):"))
      #expect(run.output.contains("transformer.h.3.ln_1.weight"))
    }
    try withModel(configuration: { $0.replace("\"n_layer\": 3", with: "\"n_layer\": 2") }) {
      folder in
      let run = try validate(folder)
      #expect(run.status == 1)
      #expect(run.output.contains("unexpected (12):"))
    }
  }

  @Test(arguments: [
    ("\"n_embd\": 20", "\"n_embd\": 25", "'width' is 25 (config.json: n_embd)", 65),
    (
      "\"vocab_size\": 61", "\"vocab_size\": 62", "'vocabulary' is 62 (config.json: vocab_size)", 65
    ),
    ("\"n_inner\": 36", "\"n_inner\": 80", "'feed_forward' is 80 (config.json: n_inner)", 65),
    ("\"n_head\": 5", "\"n_head\": 3", "'heads' does not divide 'width'", 65),
    ("\"n_head\": 5", "\"n_head\": -5", "expected 1 or more, found -5", 65),
    ("\"n_head\": 5", "\"n_head\": \"five\"", "expected a whole number, found five", 65),
    ("\"n_layer\": 3", "\"n_layer\": 3000000000", "expected at most 1000000000", 65),
    ("\"n_layer\": 3", "\"n_layer\": 900000000", "900000000 layers are above 10000", 65),
    ("gelu_new", "gelu_newer", "expected one of relu, gelu, gelu_tanh", 65),
    ("\"gpt2\"", "\"gpt9\"", "model_type 'gpt9' is no architecture", 69),
    ("\"n_layer\": 3", "\"n_layer\": 3,", "JSON: expected", 65),
  ])
  func `a bad configuration is one clear line`(
    from: String, to: String, message: String, status: Int32
  ) throws {
    try withModel(configuration: { $0.replace(from, with: to) }) { folder in
      for run in [
        try validate(folder),
        try CommandRun.ingot(
          "convert", folder.filePath, folder.filePath + "out.npz", "--names", "nanogpt"),
      ] {
        #expect(run.status == status, "\(run.diagnostics)")
        #expect(run.diagnosticLines.first?.contains(message) ?? false, "\(run.diagnostics)")
        #expect(run.output == "")
      }
    }
  }

  @Test(arguments: [
    ("\"n_group\": 4", "\"n_group\": 3", "'expert_groups' does not divide 'experts'"),
    (
      "\"topk_group\": 2", "\"topk_group\": 5",
      "there are more 'active_expert_groups' than 'expert_groups'"
    ),
  ])
  func `groups of experts that cannot be are one clear line`(
    from: String, to: String, message: String
  ) throws {
    try Places.withTemporaryFolder { folder in
      let fixture = Places.fixture("models/deepseek-v2-groups/config.json")
      var text = try String(contentsOfFile: fixture, encoding: .utf8)
      #expect(text.contains(from))
      text.replace(from, with: to)
      let path = folder.appending(path: "config.json")
      try Data(text.utf8).write(to: path)
      let run = try CommandRun.ingot("params", path.filePath)
      #expect(run.status == 65)
      #expect(run.diagnostics.contains(message), "\(run.diagnostics)")
    }
  }

  @Test func `swapped dimensions are a mismatch with both shapes`() throws {
    try Places.withTemporaryFolder { folder in
      let rules = folder.appending(path: "rules.json")
      try Data(#"{"transpose": [{"match": "transformer.h.1.mlp.c_fc.weight"}]}"#.utf8).write(
        to: rules)
      try withModel(arguments: ["--rules", rules.filePath]) { folder in
        let run = try validate(folder)
        #expect(run.status == 1)
        #expect(run.output.contains("expected 20×36, found 36×20"), "\(run.output)")
      }
    }
  }

  @Test func `a misspelt name is offered`() throws {
    try Places.withTemporaryFolder { folder in
      let rules = folder.appending(path: "rules.json")
      try Data(
        #"{"rename": [{"from": "transformer.wpe.weight", "to": "transformer.wpo.weight"}]}"#.utf8
      ).write(to: rules)
      try withModel(arguments: ["--rules", rules.filePath]) { folder in
        let run = try validate(folder)
        #expect(run.status == 1)
        #expect(run.output.contains("is it 'transformer.wpo.weight'?"))
        let out = folder.appending(path: "out.npz").filePath
        let conversion = try CommandRun.ingot("convert", folder.filePath, out, "--names", "nanogpt")
        #expect(conversion.status == 69)
        #expect(
          conversion.output.contains("transformer.wpo.weight  →  –  unmapped"),
          "\(conversion.output)")
        #expect(conversion.output.contains("transformer.wpe.weight  →  –  missing"))
        #expect(conversion.diagnostics.contains("1 unmapped ('transformer.wpo.weight'), 1 missing"))
        #expect(!FileManager.default.fileExists(atPath: out))
      }
    }
  }

  @Test func `what is extra is refused unless it is allowed by name`() throws {
    try Places.withTemporaryFolder { folder in
      let extra = folder.appending(path: "extra.npz").filePath
      let source = folder.appending(path: "source.ingot").filePath
      #expect(try CommandRun.ingot("convert", Self.gpt2, source).status == 0)
      let rules = folder.appending(path: "rules.json")
      // The last position's row under a name of its own: one tensor too many.
      try Data(
        #"""
        {"split": [{"match": "transformer.wpe.weight", "axis": 0, "sizes": [22, 1],
          "into": ["transformer.wpe.weight", "adapter.row"]}]}
        """#.utf8
      ).write(to: rules)
      #expect(
        try CommandRun.ingot("convert", source, extra, "--rules", rules.filePath).status == 0)
      let config = Self.gpt2 + "/config.json"
      let out = folder.appending(path: "out.npz").filePath
      let refused = try CommandRun.ingot(
        "convert", extra, out, "--names", "nanogpt", "--config", config, "--set", "positions=22")
      #expect(refused.status == 69)
      #expect(refused.diagnostics.contains("--allow-unmapped"))
      let allowed = try CommandRun.ingot(
        "convert", extra, out, "--names", "nanogpt", "--config", config, "--set", "positions=22",
        "--allow-unmapped", "adapter.*")
      #expect(allowed.status == 0, "\(allowed.diagnostics)")
      #expect(try CommandRun.ingot("inspect", out, "--tensors").output.contains("adapter.row"))
    }
  }

  @Test func `a tied head with other bytes is a false tie`() throws {
    // Rounded to bfloat16, the copy of the tied head that nanoGPT's files have is another weight.
    try withModel(arguments: ["--names", "nanogpt", "--dtype", "lm_head.weight=bfloat16"]) {
      folder in
      let run = try validate(folder)
      #expect(run.status == 1)
      #expect(run.output.contains("tied by the configuration, other bytes (1):"), "\(run.output)")
      let out = folder.appending(path: "out.npz").filePath
      let conversion = try CommandRun.ingot(
        "convert", folder.filePath, out, "--names", "huggingface")
      #expect(conversion.status == 65)
      #expect(conversion.diagnostics.contains("tensor 'lm_head.weight'"))
    }
    try withModel(arguments: ["--names", "nanogpt"]) { folder in
      let run = try validate(folder)
      #expect(run.status == 0, "\(run.output)")
    }
  }

  @Test func `what nobody can tell is asked for by name`() throws {
    try Places.withTemporaryFolder { folder in
      let weights = folder.appending(path: "model.safetensors").filePath
      try FileManager.default.copyItem(atPath: Self.gpt2 + "/model.safetensors", toPath: weights)
      let out = folder.appending(path: "out.npz").filePath
      let run = try CommandRun.ingot("convert", weights, out, "--names", "keras_hub")
      #expect(run.status == 64)
      #expect(run.diagnostics.contains("lacks 'heads' of gpt2"), "\(run.diagnostics)")
      let set = try CommandRun.ingot(
        "convert", weights, out, "--names", "keras_hub", "--set", "heads=5")
      #expect(set.status == 0, "\(set.diagnostics)")
    }
  }

  @Test(arguments: [
    (["--set", "heds=5"], "did you mean 'heads'", Int32(64)),
    (["--set", "heads=x"], "no value of 'heads'", 64),
    (["--set", "heads=0"], "expected 1 or more", 64),
    (["--architecture", "gtp2"], "unknown architecture 'gtp2'", 69),
    (["--architecture", "bert"], "config.json is of gpt2, asked for was bert", 65),
    (["--config", "absent.json"], "absent.json", 66),
  ])
  func `a bad option is one clear line`(
    options: [String], message: String, status: Int32
  ) throws {
    let run = try CommandRun.run(CommandRun.ingot, ["validate", Self.gpt2] + options)
    #expect(run.status == status, "\(run.diagnostics)")
    #expect(run.diagnostics.contains(message), "\(run.diagnostics)")
  }

  @Test(arguments: ["model.ingot", "model.safetensors", "model.npz"])
  func `a converted file brings its configuration along`(name: String) throws {
    try Places.withTemporaryFolder { folder in
      let out = folder.appending(path: name).filePath
      let conversion = try CommandRun.ingot("convert", Self.gpt2, out, "--names", "gguf")
      #expect(conversion.status == 0, "\(conversion.diagnostics)")
      let run = try CommandRun.ingot("validate", out)
      #expect(run.status == 0, "\(run.diagnostics)\(run.output)")
      #expect(run.output.contains("metadata: heads"))
      // Back from the other container, the weights are the same.
      let back = folder.appending(path: "back.npz").filePath
      #expect(try CommandRun.ingot("convert", out, back, "--names", "huggingface").status == 0)
      let digests = try [Self.gpt2, back].map {
        try CommandRun.ingot("digest", "--quiet", $0).output
      }
      #expect(digests[0] == digests[1])
    }
  }

  @Test func `two configurations that disagree are named both`() throws {
    try Places.withTemporaryFolder { folder in
      let out = folder.appending(path: "model.ingot").filePath
      #expect(try CommandRun.ingot("convert", Self.gpt2, out, "--names", "nanogpt").status == 0)
      let other = folder.appending(path: "other.json")
      let text = try String(contentsOfFile: Self.gpt2 + "/config.json", encoding: .utf8)
      try Data(text.replacingOccurrences(of: "\"n_head\": 5", with: "\"n_head\": 4").utf8).write(
        to: other)
      let run = try CommandRun.ingot("validate", out, "--config", other.filePath)
      #expect(run.status == 65)
      #expect(
        run.diagnostics.contains("'heads' is 4 (other.json: n_head) and 5 (metadata: heads)"),
        "\(run.diagnostics)")
    }
  }

  @Test func `an architecture that cannot be told is refused with the candidates`() throws {
    try Places.withTemporaryFolder { folder in
      let weights = folder.appending(path: "model.safetensors").filePath
      try FileManager.default.copyItem(
        atPath: Places.fixture("models/llama/model.safetensors"), toPath: weights)
      let run = try CommandRun.ingot("validate", weights)
      #expect(run.status == 69)
      #expect(run.diagnostics.contains("fit llama, mistral"), "\(run.diagnostics)")
      let told = try CommandRun.ingot(
        "validate", weights, "--architecture", "llama", "--set", "heads=4")
      #expect(told.status == 0, "\(told.diagnostics)\(told.output)")
    }
  }

  @Test func `what an optimizer keeps is no weight`() throws {
    try Places.withTemporaryFolder { folder in
      // Beside the weights, as Keras saves it: here a row of the positions, under such a name.
      let rules = folder.appending(path: "rules.json")
      try Data(
        #"""
        {"split": [{"match": "transformer.wpe.weight", "axis": 0, "sizes": [22, 1],
          "into": ["transformer.wpe.weight", "optimizer/vars/0"]}]}
        """#.utf8
      ).write(to: rules)
      let model = folder.appending(path: "model.npz").filePath
      #expect(
        try CommandRun.ingot("convert", Self.gpt2, model, "--rules", rules.filePath).status == 0)
      let run = try CommandRun.ingot(
        "validate", model, "--config", Self.gpt2 + "/config.json", "--set", "positions=22")
      #expect(run.status == 0, "\(run.output)\(run.diagnostics)")
      #expect(run.output.contains("buffers, not counted (1):"))
    }
  }

  @Test func `rules are done after the names`() throws {
    try Places.withTemporaryFolder { folder in
      let rules = folder.appending(path: "rules.json")
      try Data(#"{"rename": [{"from": "token_embd.weight", "to": "mine"}]}"#.utf8).write(to: rules)
      let out = folder.appending(path: "out.npz").filePath
      let run = try CommandRun.ingot(
        "convert", Self.gpt2, out, "--names", "gguf", "--rules", rules.filePath)
      #expect(run.status == 0, "\(run.diagnostics)")
      #expect(try CommandRun.ingot("inspect", out, "--tensors").output.contains("mine  "))
    }
  }

  @Test func `a configuration of GGUF's keys among the metadata is read`() throws {
    let run = try CommandRun.ingot(
      "validate", Places.fixture("models/llama-gguf/model.safetensors"), "--config",
      Places.fixture("models/llama-gguf/gguf.json"), "--json")
    #expect(run.status == 0, "\(run.diagnostics)")
    #expect(run.output.contains("gguf.json: llama.attention.head_count_kv"))
  }

  @Test func `a convention that the architecture lacks is refused with those it has`() throws {
    let run = try CommandRun.ingot("convert", Self.gpt2, "/tmp/none.npz", "--names", "hugginface")
    #expect(run.status == 69)
    #expect(run.diagnostics.contains("did you mean 'huggingface'"))
  }
}

extension String {
  fileprivate mutating func replace(_ old: String, with new: String) {
    self = replacingOccurrences(of: old, with: new)
  }
}
