import Tensors
import Testing

@testable import Architectures

/// What a configuration says is read, known to change nothing, or told.
@Suite struct ConfigurationFindingTests {
  private static func document(_ text: String) throws -> ConfigurationDocument {
    try ConfigurationDocument(JSONScanner.parse(Array(text.utf8)), name: "config.json")
  }

  private static func messages(_ name: String, _ text: String) throws -> [String] {
    let architecture = try #require(Architecture.named(name))
    return try document(text).findings(for: architecture).map(\.message)
  }

  private static func value(
    _ parameter: String, of name: String, _ text: String
  ) throws -> Value? {
    let architecture = try #require(Architecture.named(name))
    return try document(text).configuration(for: architecture)[parameter]?.value
  }

  @Test func `a key that is not known is told`() throws {
    let found = try Self.messages(
      "llama", #"{"model_type": "llama", "attention_dropout": 0.1, "residual_scale": 2.5}"#)
    #expect(found == ["config.json: the key 'residual_scale' is not known"])
  }

  @Test func `a member of the rotary settings that is not known is told`() throws {
    let found = try Self.messages(
      "qwen2", #"{"model_type": "qwen2", "rope_parameters": {"rope_theta": 10.0, "twist": 1}}"#)
    #expect(found == ["config.json: the key 'rope_parameters.twist' is not known"])
  }

  @Test(arguments: [
    (#""is_causal": false"#, "'is_causal' is false, and what is computed is: "),
    (#""layer_types": ["full_attention", "chunked_attention"]"#, "'layer_types' is ["),
    (#""quantization_config": {"bits": 4}"#, "'quantization_config' is {"),
  ])
  func `a value that is not computed is told with what is`(
    member: String, expected: String
  ) throws {
    let found = try Self.messages("llama", #"{"model_type": "llama", \#(member)}"#)
    #expect(found.count == 1)
    #expect(found.first?.contains(expected) == true)
  }

  @Test(arguments: [
    #""is_causal": true"#, #""is_causal": null"#, #""layer_types": ["full_attention"]"#,
    #""rope_scaling": null"#, #""dtype": "bfloat16", "torch_dtype": "float32""#,
    #""id2label": {"0": "a"}"#,
  ])
  func `values that change nothing are passed over`(member: String) throws {
    #expect(try Self.messages("llama", #"{"model_type": "llama", \#(member)}"#) == [])
  }

  @Test func `what changes the weights is known as such`() throws {
    let bert = try #require(Architecture.named("bert"))
    let found = try Self.document(
      #"{"model_type": "bert", "position_embedding_type": "relative_key"}"#
    ).findings(for: bert)
    #expect(found.map(\.changesWeights) == [true])
  }

  @Test func `scaling by hand stands for the whole of the rotary settings`() throws {
    let text = """
      {"model_type": "llama", "rope_parameters": {"rope_theta": 1000.0, "rope_type": "default"},
       "rope_scaling": {"type": "linear", "factor": 4.0}}
      """
    #expect(try Self.value("rotary_base", of: "llama", text) == .real(10000))
    #expect(try Self.value("rope_scaling", of: "llama", text) == .word("linear"))
    #expect(try Self.value("rope_factor", of: "llama", text) == .real(4))
    #expect(
      try Self.messages("llama", text) == [
        "config.json: 'rope_parameters' is not read, 'rope_scaling' stands for all of it"
      ])
    let null = text.replacing(#"{"type": "linear", "factor": 4.0}"#, with: "null")
    #expect(try Self.value("rotary_base", of: "llama", null) == .real(1000))
    #expect(try Self.messages("llama", null) == [])
  }

  @Test func `null is the number of heads, and not the class's default`() throws {
    let text = #"{"model_type": "qwen2", "num_attention_heads": 4, "num_key_value_heads": null}"#
    #expect(try Self.value("key_heads", of: "qwen2", text) == nil)
    let absent = #"{"model_type": "qwen2", "num_attention_heads": 4}"#
    #expect(try Self.value("key_heads", of: "qwen2", absent) == .integer(32))
  }

  @Test func `two names of one setting must agree`() throws {
    let text = #"{"model_type": "gpt2", "n_layer": 3, "num_hidden_layers": 4}"#
    let error = #expect(throws: IngotError.self) {
      try Self.value("layers", of: "gpt2", text)
    }
    #expect(
      error?.message
        == "config.json: 'n_layer' and 'num_hidden_layers' are one setting, and say 3 and 4")
    #expect(
      try Self.value("layers", of: "gpt2", #"{"model_type": "gpt2", "num_hidden_layers": 4}"#)
        == .integer(4))
    #expect(
      try Self.value(
        "layers", of: "gpt2", #"{"model_type": "gpt2", "n_layer": 4, "num_hidden_layers": 4}"#)
        == .integer(4))
  }

  @Test func `layers are listed one by one`() throws {
    let text = """
      {"model_type": "gemma2", "layer_types": ["full_attention", "sliding_attention"]}
      """
    #expect(try Self.value("layer_windows", of: "gemma2", text) == .integers([0, 1]))
    #expect(try Self.value("listed_layers", of: "gemma2", text) == .integer(2))
    #expect(throws: IngotError.self) {
      try Self.value(
        "layer_windows", of: "gemma2", text.replacing("full_attention", with: "chunked_attention"))
    }
  }

  @Test func `a native configuration is of parameters alone`() throws {
    let found = try Self.messages(
      "gpt2", #"{"architecture": "gpt2", "heads": 4, "head_count": 4}"#)
    #expect(found == ["config.json: the key 'head_count' is not known"])
  }
}
