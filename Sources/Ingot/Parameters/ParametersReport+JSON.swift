extension ParametersReport {
  /// The report that `--json` prints (`schemas/params.schema.json`).
  public var json: JSON {
    [
      "architecture": JSON(model?.architecture.name),
      "configuration": model?.configurationJSON ?? .null,
      "parameters": counts.json(isUnderstood: model != nil),
      "by_component": .object(counts.byComponent.map(\.member)),
      "by_layer": .object(counts.byLayer.map(\.member)),
      "by_weight_decay": [
        "decayed": JSON(counts.decayed), "not_decayed": JSON(counts.undecayed),
      ],
      "non_embedding_conventions": .array(
        zip(counts.practices, ParameterCounts.Practice.allCases).map { count, practice in
          [
            "name": .string(count.name), "elements": JSON(count.elements),
            "counts": .string(practice.summary),
          ]
        }),
      "estimate": estimate?.json ?? .null,
      "flops": cost.map { $0.json(width: estimate?.width, counts) } ?? .null,
      "memory": memory?.json
        ?? ["dtype": .string(elementType.name), "weights": JSON(weightBytes)],
      "notes": .array(notes.map(JSON.string)),
    ]
  }
}

extension ParameterCounts.Count {
  fileprivate var member: JSON.Member { JSON.Member(ExactString(name), JSON(elements)) }
}

extension ParameterCounts {
  /// What only a description can tell is null where there is none.
  fileprivate func json(isUnderstood: Bool) -> JSON {
    func told(_ count: Int) -> JSON { isUnderstood ? JSON(count) : .null }
    return [
      "total": JSON(total), "trainable": JSON(trainable), "embedding": told(embedding),
      "non_embedding": told(nonEmbedding), "head": told(head), "buffers": told(buffers),
      "tied": JSON(tied), "active": told(active),
    ]
  }
}

extension EstimateAccount {
  fileprivate var json: JSON {
    [
      "formula": .string(Self.formula), "layers": JSON(layers), "width": JSON(width),
      "value": JSON(value), "non_embedding": JSON(nonEmbedding),
      "ratio": ratio.map(JSON.number) ?? .null,
      "explained": .array(
        explained.map { entry in
          ["term": .string(entry.term.rawValue), "elements": JSON(entry.elements)]
        }),
      "unexplained": JSON(unexplained), "per_layer": .string(perLayer),
      "reason": JSON(reason),
    ]
  }
}

extension ForwardCost {
  /// The convention that `forward` is counted by.
  static let convention =
    "two per multiply-add of matrix products; scores for every pair of a query and a key, masked or "
    + "not; element-wise work left out"

  fileprivate func json(width: Int?, _ counts: ParameterCounts) -> JSON {
    let parameters = counts.active - counts.embedding
    return [
      "batch": JSON(batch), "sequence": JSON(sequence), "forward": JSON(forward),
      "forward_per_token": Self.exact(forward, over: tokens),
      "training_per_token": Self.exact(3 * forward, over: tokens),
      "terms": .array(
        terms.map { ["term": .string($0.term.rawValue), "flops": JSON($0.flops)] }),
      "forward_visible_pairs": JSON(visibleForward),
      "six_n": [
        "n": JSON(parameters), "per_token": Self.sixfold(parameters),
        "attention_correction": width.map { .number(attentionCorrection(width: $0)) } ?? .null,
      ],
      "convention": .string(Self.convention),
    ]
  }

  /// s/(6d): what scores add to the layers' matrices.
  public func attentionCorrection(width: Int) -> Double {
    Double(sequence) / (6 * Double(max(width, 1)))
  }

  /// 6·N, exact where it fits.
  private static func sixfold(_ parameters: Int) -> JSON {
    let (product, overflow) = parameters.multipliedReportingOverflow(by: 6)
    return overflow ? .number(6 * Double(parameters)) : JSON(product)
  }

  /// An integer where it is one.
  private static func exact(_ flops: Int, over tokens: Int) -> JSON {
    tokens > 0 && flops % tokens == 0
      ? JSON(flops / tokens) : .number(Double(flops) / Double(max(tokens, 1)))
  }
}

extension MemoryEstimate {
  fileprivate var json: JSON {
    [
      "dtype": .string(elementType.name), "weights": JSON(weights), "kv_cache": JSON(cache),
      "activations": JSON(activations), "optimizer": JSON(optimizer),
      "gradients": JSON(gradients), "saved_activations": JSON(savedActivations),
      "inference": JSON(inference), "training": JSON(training),
    ]
  }
}
