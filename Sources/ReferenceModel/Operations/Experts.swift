internal import Architectures
internal import Tensors

extension Evaluation {
  /// The results of the `active` experts that the router scores highest for each row of
  /// x [..., width], summed.
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
    guard groups == 1 else {
      throw IngotError(
        .unsupported, "experts chosen within \(groups) groups are not computed, only among all")
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
      let shares = scores.elements[row * count..<(row + 1) * count]
      let best = shares.indices.sorted { one, other in
        shares[one] == shares[other] ? one < other : shares[one] > shares[other]
      }.prefix(active)
      let sum = normalizes ? best.reduce(0) { $0 + shares[$1] } : 1
      for expert in best {
        served[expert - shares.startIndex].append((row, shares[expert] / sum))
      }
    }
    var result = try Numbers<Scalar>(shape: x.shape, repeating: 0)
    for expert in 0..<count where !served[expert].isEmpty {
      var rows: [Scalar] = []
      for (row, _) in served[expert] { rows += x.elements[row * width..<(row + 1) * width] }
      let features = Numbers(shape: [1, served[expert].count, width], elements: rows)
      let given = try self.result(
        of: it.steps, named: it.result, it.input, features, scope.entering(it, expert: expert))
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
}
