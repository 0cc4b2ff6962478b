internal import Architectures
internal import Tensors

extension Evaluation {
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
