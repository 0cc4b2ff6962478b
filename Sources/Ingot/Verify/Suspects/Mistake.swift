internal import Architectures
internal import Tensors

/// A mistake that a conversion may have made at one place of a model, and how it is undone: weights are
/// made of others, or a parameter has another value.
struct Mistake: Sendable {
  /// What went wrong, the same for every place: `the matrix is transposed`.
  let cause: String
  /// The part of the model: `layers.1.attention.output`.
  let place: String
  /// The same for parts that are alike: `layers.{layer}.attention.output`.
  let pattern: String
  /// The layers that it touches.
  var layers: Set<String> = []
  /// How weights become what they should be, by role.
  var edits: [String: WeightEdit] = [:]
  /// Whether it rounded the weights, so that undoing it brings them back only nearly.
  var hasRounded = false
  /// The parameter that has a wrong value, and the right one.
  var setting: Setting?

  struct Setting: Sendable {
    let parameter: String
    let value: Value
  }

  /// The same mistake made at several places.
  static func joined(_ mistakes: [Mistake], at place: String, _ pattern: String) -> Mistake {
    var joined = Mistake(cause: mistakes[0].cause, place: place, pattern: pattern)
    joined.setting = mistakes[0].setting
    joined.hasRounded = mistakes[0].hasRounded
    for mistake in mistakes {
      joined.layers.formUnion(mistake.layers)
      joined.edits.merge(mistake.edits) { one, _ in one }
    }
    return joined
  }

  /// Mistakes with those of one cause at parts that are alike joined, and those of one cause anywhere.
  static func widened(_ mistakes: [Mistake]) -> [Mistake] {
    var wider: [Mistake] = []
    func join(_ groups: [[Mistake]], _ place: (Mistake) -> (String, String)) {
      for group in groups where Set(group.flatMap(\.edits.keys)).count > group[0].edits.count {
        let (name, pattern) = place(group[0])
        wider.append(joined(group, at: name, pattern))
      }
    }
    let changing = mistakes.filter { !$0.edits.isEmpty }
    join(grouped(changing) { [$0.cause, $0.pattern] }) { ($0.starredPattern, $0.pattern) }
    join(grouped(changing) { [$0.cause] }) { _ in ("", "") }
    return wider
  }

  /// The pattern as people read it.
  private var starredPattern: String {
    var text = ""
    var isInside = false
    for character in pattern {
      if character == "{" { text += "*" }
      if character == "{" || character == "}" {
        isInside = character == "{"
      } else if !isInside {
        text.append(character)
      }
    }
    return text
  }

  private static func grouped(
    _ mistakes: [Mistake], by key: (Mistake) -> [String]
  ) -> [[Mistake]] {
    var order: [[String]] = []
    var groups: [[String]: [Mistake]] = [:]
    for mistake in mistakes {
      let key = key(mistake)
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(mistake)
    }
    return order.compactMap { groups[$0] }
  }
}
