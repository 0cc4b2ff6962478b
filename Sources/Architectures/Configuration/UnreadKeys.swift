internal import Tensors

extension Dialect {
  /// The same with all that there is besides: what every class of transformers takes, and `unread` of this
  /// one, which come before the common ones.
  func closed(_ unread: [UnreadKey] = []) -> Dialect {
    var dialect = self
    dialect.unread = UnreadKey.transformers + unread
    dialect.replacements = [Replacement(key: "rope_parameters", by: "rope_scaling")]
    dialect.isClosed = true
    return dialect
  }
}

extension Dialect.UnreadKey {
  /// Keys that change nothing, whatever they say.
  static func harmless(_ keys: ExactString...) -> [Dialect.UnreadKey] {
    keys.map { Dialect.UnreadKey(key: $0) }
  }

  /// A key of which these values are computed, and no others.
  static func only(
    _ key: ExactString, _ values: [ExactString], computed: String, changesWeights: Bool = false
  ) -> Dialect.UnreadKey {
    Dialect.UnreadKey(
      key: key, values: values, computed: computed, changesWeights: changesWeights)
  }

  /// What `PreTrainedConfig` and the code that all models of transformers share know of.
  static let transformers: [Dialect.UnreadKey] =
    bookkeeping + training + special + generation + [
      only(
        "per_layer_config", ["null", "{}"], computed: "all layers have the same sizes",
        changesWeights: true),
      only(
        "add_cross_attention", ["false", "null"], computed: "there is no cross-attention",
        changesWeights: true),
      only("pruned_heads", ["null", "{}"], computed: "all heads are there", changesWeights: true),
      only("is_causal", ["true", "null"], computed: "decoders see no later positions"),
      only("attention_chunk_size", ["null"], computed: "attention is not cut into chunks"),
      only(
        "layer_types", ["full_attention", "null"], computed: "every layer sees all positions"),
      only(
        "tie_encoder_decoder", ["false", "null"], computed: "encoder and decoder are two",
        changesWeights: true),
      only(
        "cross_attention_hidden_size", ["null"],
        computed: "what cross-attention reads is as wide as the model", changesWeights: true),
      only(
        "token_classification_bias", ["true", "null"],
        computed: "classifiers of tokens have a bias", changesWeights: true),
      only(
        "quantization_config", ["null", "{}"], computed: "weights are what is stored"),
    ]

  /// Names, versions, types of files, and what is returned beside the results.
  private static let bookkeeping = harmless(
    "architectures", "model_type", "transformers_version", "_name_or_path", "name_or_path",
    "_commit_hash", "auto_map", "custom_pipelines", "dtype", "torch_dtype", "torchscript",
    "use_bfloat16", "attn_implementation", "_attn_implementation",
    "_attn_implementation_autoset", "experts_implementation", "_experts_implementation",
    "id2label", "label2id", "num_labels", "_num_labels", "problem_type", "task_specific_params",
    "finetuning_task", "tokenizer_class", "prefix", "output_attentions", "output_hidden_states",
    "output_scores", "output_past", "return_dict", "use_return_dict", "use_cache",
    "chunk_size_feed_forward", "is_encoder_decoder", "is_decoder", "tie_word_embeddings",
    // Read by the models that have windows, and by those alone.
    "sliding_window")

  /// What matters in training alone, dropout above all.
  private static let training = harmless(
    "initializer_range", "init_std", "initializer_factor", "gradient_checkpointing", "dropout",
    "attention_dropout", "activation_dropout", "hidden_dropout", "hidden_dropout_prob",
    "attention_probs_dropout_prob", "classifier_dropout", "classifier_dropout_prob",
    "classif_dropout", "resid_pdrop", "embd_pdrop", "attn_pdrop", "layerdrop",
    "encoder_layerdrop", "decoder_layerdrop", "output_router_logits", "router_aux_loss_coef",
    "router_jitter_noise", "pretraining_tp")

  /// Tokens that stand for something, which results do not depend on.
  private static let special = harmless(
    "bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id", "cls_token_id", "sep_token_id",
    "mask_token_id", "decoder_start_token_id")

  /// What `generate` does with logits.
  private static let generation = harmless(
    "max_length", "min_length", "max_new_tokens", "min_new_tokens", "do_sample", "early_stopping",
    "num_beams", "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p",
    "typical_p", "epsilon_cutoff", "eta_cutoff", "repetition_penalty", "length_penalty",
    "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "encoder_repetition_penalty",
    "bad_words_ids", "num_return_sequences", "return_dict_in_generate", "forced_bos_token_id",
    "forced_eos_token_id", "forced_decoder_ids", "remove_invalid_values",
    "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens",
    "assistant_confidence_threshold", "assistant_lookbehind", "num_assistant_tokens",
    "num_assistant_tokens_schedule", "target_lookbehind")

  /// Members of the rotary settings that nothing here reads: those of ways to stretch angles that are
  /// refused, and a part of the head that these models do not take into account.
  static let rotary =
    harmless(
      "partial_rotary_factor", "rope_parameters.partial_rotary_factor",
      "rope_scaling.partial_rotary_factor", "rope_parameters.long_factor",
      "rope_parameters.short_factor", "rope_scaling.long_factor", "rope_scaling.short_factor")
}
