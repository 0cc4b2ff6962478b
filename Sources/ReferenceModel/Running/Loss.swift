internal import Tensors

extension Evaluation {
  /// The label of positions that do not count, as PyTorch has it.
  static var ignoredLabel: Int { -100 }

  /// The mean cross entropy of logits [..., classes] with `labels`.
  ///
  /// In a causal model without inputs of its own for the decoder, position i predicts the label of
  /// i + 1; elsewhere (masked models, decoders fed with shifted tokens, classifiers) its own. With
  /// smoothing ε the target has 1 − ε on the label and ε spread evenly over all classes. Where
  /// every label is ignored the loss is NaN, as in PyTorch.
  func loss(
    _ logits: Numbers<Scalar>, _ labels: ModelInputs.Integers
  ) throws -> Numbers<Scalar> {
    guard labels.shape == Array(logits.shape.dropLast()), logits.width > 0 else {
      throw IngotError(
        .malformed,
        "the input 'labels' of shape \(labels.shape) does not fit logits \(logits.shape)")
    }
    let classes = logits.width
    let isShifted = isCausal && !inputs.hasDecoderInputs && labels.shape.count == 2
    let sequence = labels.shape.last ?? 1
    var (sum, count) = (Scalar(0), Scalar(0))
    let smoothing = Scalar(inputs.labelSmoothing)
    for row in 0..<logits.rows {
      if isShifted, row % sequence == sequence - 1 { continue }
      let label = labels.elements[row + (isShifted ? 1 : 0)]
      guard label != Self.ignoredLabel else { continue }
      guard (0..<classes).contains(label) else {
        throw IngotError(
          .malformed,
          "the input 'labels': \(label) is neither from 0 to \(classes - 1) nor \(Self.ignoredLabel)"
        )
      }
      let scores = logits.elements[row * classes..<(row + 1) * classes]
      let largest = scores.max() ?? 0
      let total = scores.reduce(Scalar(0)) { $0 + Scalar.exp($1 - largest) }
      let logSum = largest + Scalar(Elementary.log(Double(total)))
      let mean = scores.reduce(0, +) / Scalar(classes)
      // −log p of the label, and the mean of −log p over all classes.
      let own = logSum - scores[scores.startIndex + label]
      sum += (1 - smoothing) * own + smoothing * (logSum - mean)
      count += 1
    }
    return Numbers(shape: [], elements: [sum / count])
  }
}
