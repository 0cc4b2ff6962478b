internal import Architectures
internal import Tensors

extension Evaluation {
  /// An activation function of each element.
  mutating func activation(_ it: Operation.Activate, _ scope: Scope) throws -> Numbers<Scalar> {
    let word = try scope.environment.word(it.function)
    guard let function = Activation(rawValue: word) else {
      throw IngotError(.unsupported, "the activation function '\(word)' is not known")
    }
    var x = try take(it.input, for: it.output)
    x.forEachRun(ofRows: x.width, jobs: jobs, cost: 8) { _, span in
      Rows.activate(&span, function)
    }
    return x
  }

  /// Two values into one, element by element; the smaller is repeated over the axes before its own,
  /// and along axes of extent 1.
  mutating func combine(_ it: Operation.Combine) throws -> Numbers<Scalar> {
    var (left, right) = (try value(it.left), try value(it.right))
    let kind = it.kind
    if left.elements.count < right.elements.count { swap(&left, &right) }
    if right.shape != left.shape {
      right = try right.repeated(to: left.shape, "'\(it.left)'", "'\(it.right)'")
    } else if it.left != it.right {
      left = try take(it.left, for: it.output)
    }
    let (width, other) = (left.width, right.elements)
    guard !other.isEmpty else { return left }
    left.forEachRun(ofRows: width, jobs: jobs) { run, span in
      // The smaller one may be the last axes only: its elements come round again.
      var done = 0
      while done < span.count {
        let from = (run.lowerBound * width + done) % other.count
        let count = min(other.count - from, span.count - done)
        Rows.combine(&span, done, kind, other, from: from, count: count)
        done += count
      }
    }
    return left
  }

  /// Every element times a number.
  mutating func scale(_ it: Operation.Scale, _ scope: Scope) throws -> Numbers<Scalar> {
    let factor = Scalar(try scope.environment.number(it.factor))
    var x = try take(it.input, for: it.output)
    x.forEachRun(ofRows: x.width, jobs: jobs) { _, span in
      Rows.scale(&span, by: factor)
    }
    return x
  }

  /// cap · tanh(x / cap); a cap of 0 leaves x as it is.
  mutating func softCap(_ it: Operation.SoftCap, _ scope: Scope) throws -> Numbers<Scalar> {
    let cap = Scalar(try scope.environment.number(it.cap))
    var x = try take(it.input, for: it.output)
    guard cap > 0 else { return x }
    x.forEachRun(ofRows: x.width, jobs: jobs, cost: 8) { _, span in
      Rows.softCap(&span, 0, span.count, cap)
    }
    return x
  }

  /// Elements start ..< start + count of each of the groups along the last axis.
  func slice(_ it: Operation.Slice, _ scope: Scope) throws -> Numbers<Scalar> {
    let x = try value(it.input)
    let groups = try scope.environment.count(it.groups)
    let (first, count) = (
      try scope.environment.count(it.start), try scope.environment.count(it.count)
    )
    guard groups > 0, x.width % groups == 0, first + count <= x.width / groups else {
      throw IngotError(
        .malformed,
        "\(groups) groups of \(first)..<\(first + count) do not fit \(x.width) features")
    }
    let size = x.width / groups
    var elements: [Scalar] = []
    elements.reserveCapacity(x.rows * groups * count)
    for group in 0..<x.rows * groups {
      elements += x.elements[group * size + first..<group * size + first + count]
    }
    return Numbers(shape: x.shape.dropLast() + [groups * count], elements: elements)
  }

  /// The last axes joined, group by group; a right value that is shared joins every group.
  func concatenate(_ it: Operation.Concatenate, _ scope: Scope) throws -> Numbers<Scalar> {
    let groups = try scope.environment.count(it.groups)
    let (left, right) = (try value(it.left), try value(it.right))
    let parts = it.sharesRight ? 1 : groups
    guard groups > 0, left.width % groups == 0, right.width % parts == 0,
      left.shape.dropLast() == right.shape.dropLast()
    else {
      throw IngotError(
        .malformed,
        "'\(it.left)' \(left.shape) and '\(it.right)' \(right.shape) do not join in \(groups) groups"
      )
    }
    let (one, other) = (left.width / groups, right.width / parts)
    var elements: [Scalar] = []
    elements.reserveCapacity(left.rows * groups * (one + other))
    for group in 0..<left.rows * groups {
      elements += left.elements[group * one..<(group + 1) * one]
      let part = it.sharesRight ? group / groups : group
      elements += right.elements[part * other..<(part + 1) * other]
    }
    return Numbers(shape: left.shape.dropLast() + [groups * (one + other)], elements: elements)
  }

  /// [batch, sequence, features] → [batch, features] of position 0.
  func firstPosition(_ it: Operation.FirstPosition) throws -> Numbers<Scalar> {
    let x = try value(it.input)
    guard x.shape.count == 3 else {
      throw IngotError(.malformed, "'\(it.input)' of shape \(x.shape) has no positions")
    }
    let (batch, sequence, width) = (x.shape[0], x.shape[1], x.shape[2])
    var elements: [Scalar] = []
    for row in 0..<batch {
      elements += x.elements[row * sequence * width..<row * sequence * width + width]
    }
    return Numbers(shape: [batch, width], elements: elements)
  }
}

extension Numbers {
  /// Repeated so far that going round its elements gives `shape`: over axes before its own nothing is
  /// copied, along inner axes of extent 1 everything is.
  fileprivate func repeated(
    to shape: [Int], _ left: String, _ right: String
  ) throws -> Numbers {
    let own = [Int](repeating: 1, count: max(0, shape.count - self.shape.count)) + self.shape
    guard own.count == shape.count, zip(own, shape).allSatisfy({ $0 == $1 || $0 == 1 }) else {
      throw IngotError(
        .malformed, "\(left) and \(right) of shapes \(shape) and \(self.shape) do not combine")
    }
    let tail = Array(own.drop { $0 == 1 })
    guard tail != Array(shape.suffix(tail.count)) else { return reshaped(tail) }
    var elements: [Scalar] = []
    func copy(_ axis: Int, _ index: Int) {
      guard axis < shape.count else {
        elements.append(self.elements[index])
        return
      }
      for i in 0..<shape[axis] { copy(axis + 1, index * own[axis] + (own[axis] == 1 ? 0 : i)) }
    }
    copy(0, 0)
    return Numbers(shape: shape, elements: elements)
  }
}
