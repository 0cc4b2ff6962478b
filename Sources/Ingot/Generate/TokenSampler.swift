#if canImport(Glibc)
private import Glibc
#elseif canImport(Musl)
private import Musl
#else
private import Darwin
#endif
internal import Tensors

/// Chooses the next token by the logits.
///
/// Without a temperature it is the largest logit's, the first of equal ones. With temperature T token i
/// has the chance exp(logitᵢ / T) divided by the sum of these, taken over the `count` largest logits where
/// `topK` says so, of equal ones the first. The chances lie end to end in the order of the tokens, and a
/// number between 0 and their sum, from the seeded generator (SplitMix64), falls into one of them: the
/// same seed gives the same tokens wherever the logits are the same.
struct TokenSampler {
  let temperature: Double
  let topK: Int?
  private var random: SeededGenerator

  init(temperature: Double, topK: Int?, seed: UInt64) {
    self.temperature = temperature
    self.topK = topK
    random = SeededGenerator(seed: seed)
  }

  /// The next token; nil where a logit is NaN, or the largest is infinite.
  mutating func token(_ logits: [Double]) -> Int? {
    guard var largest = logits.indices.first, !logits.contains(where: \.isNaN) else { return nil }
    for index in logits.indices where logits[index] > logits[largest] { largest = index }
    guard logits[largest].isFinite else { return nil }
    guard temperature > 0 else { return largest }
    let candidates = candidates(logits)
    let chances = candidates.map { Elementary.exp((logits[$0] - logits[largest]) / temperature) }
    var rest = random.unit() * chances.reduce(0, +)
    for (candidate, chance) in zip(candidates, chances) {
      if rest < chance { return candidate }
      rest -= chance
    }
    // Rounding may leave a rest behind the last chance.
    return candidates.last
  }

  /// The tokens that come into question, in order.
  private func candidates(_ logits: [Double]) -> [Int] {
    guard let topK, topK < logits.count else { return Array(logits.indices) }
    return logits.indices.sorted { (-logits[$0], $0) < (-logits[$1], $1) }.prefix(topK).sorted()
  }
}
