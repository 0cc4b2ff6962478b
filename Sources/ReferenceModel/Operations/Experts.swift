internal import Architectures
internal import Tensors

extension Evaluation {
  /// The results of the `active` experts that the router scores highest for each row of
  /// x [..., width], within the groups with the highest, summed.
  ///
  /// Their shares are the softmax of the scores over all experts, made to sum to 1 over the chosen
  /// ones where the model does so. Of equal scores the first expert's counts.
  mutating func experts(
    _ it: Operation.Experts, _ operation: Operation, _ scope: Scope
  ) throws -> Numbers<Scalar> {
    let environment = scope.environment
    let width = try environment.count(it.width)
    let (count, active) = (try environment.count(it.count), try environment.count(it.active))
    guard active > 0, active <= count else {
      throw IngotError(.malformed, "\(active) of \(count) experts cannot be active")
    }
    let groups = try environment.count(it.groups)
    let activeGroups = try environment.count(it.activeGroups)
    guard groups > 0, count % groups == 0, (1...groups).contains(activeGroups) else {
      throw IngotError(
        .malformed, "\(activeGroups) of \(groups) groups of \(count) experts cannot be active")
    }
    let normalizes = try environment.holds(it.normalizes)
    let x = try value(it.input, width: width)
    guard let router: Numbers<Scalar> = try weights.numbers("router.weight", of: operation, scope)
    else { throw IngotError(.internal, "experts without a router") }
    // Scores [rows, experts].
    var scores = try Numbers<Scalar>(shape: [x.rows, count], repeating: 0)
    Products.multiply(
      x.elements, rows: x.rows, by: router.elements, .outputsFirst, columns: count, inner: width,
      into: &scores.elements, pitch: count, adding: false, jobs: jobs)
    scores.forEachRun(ofRows: count, jobs: jobs) { run, span in
      for row in 0..<run.count { Rows.softmax(&span, row * count, count) }
    }
    // For each expert the rows that it serves, with their shares.
    var served = [[(row: Int, share: Scalar)]](repeating: [], count: count)
    for row in 0..<x.rows {
      let shares = Array(scores.elements[row * count..<(row + 1) * count])
      let size = count / groups
      let eligible = Self.best(activeGroups, of: Array(0..<groups)) { group in
        shares[group * size..<(group + 1) * size].max() ?? 0
      }.flatMap { $0 * size..<($0 + 1) * size }
      let best = Self.best(active, of: eligible) { shares[$0] }
      let sum = normalizes ? best.reduce(0) { $0 + shares[$1] } : 1
      for expert in best { served[expert].append((row, shares[expert] / sum)) }
    }
    var result = try Numbers<Scalar>(shape: x.shape, repeating: 0)
    for expert in 0..<count where !served[expert].isEmpty {
      var rows: [Scalar] = []
      for (row, _) in served[expert] { rows += x.elements[row * width..<(row + 1) * width] }
      let features = Numbers(shape: [1, served[expert].count, width], elements: rows)
      let given = try self.result(
        of: it.steps, named: it.result, it.input, features,
        scope.entering(it.experts, turn: expert))
      guard given.shape == features.shape else {
        throw IngotError(.malformed, "an expert makes \(given.shape) of \(features.shape)")
      }
      for (index, (row, share)) in served[expert].enumerated() {
        for column in 0..<width {
          result.elements[row * width + column] += share * given.elements[index * width + column]
        }
      }
    }
    return result
  }

  /// The `count` with the highest scores, of equal ones the first.
  private static func best(
    _ count: Int, of numbers: [Int], score: (Int) -> Scalar
  ) -> ArraySlice<Int> {
    numbers.map { ($0, score($0)) }.sorted { one, other in
      one.1 == other.1 ? one.0 < other.0 : one.1 > other.1
    }.map(\.0).prefix(count)
  }
}
