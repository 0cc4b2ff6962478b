extension Architecture {
  /// Every built-in architecture; to add one is to write its file and name it here.
  public static let all: [Architecture] = [
    gpt2,
    llama,
    mistral,
    qwen2,
    mixtral,
    gemma,
    gemma2,
    gptNeoX,
    opt,
    bloom,
    deepSeekV2,
    bert,
    roberta,
    distilBERT,
    albert,
    vit,
    t5,
    bart,
    whisper,
    transformer,
  ]

  /// The built-in architecture of that name, or nil.
  public static func named(_ name: String) -> Architecture? { all.first { $0.name == name } }
}
