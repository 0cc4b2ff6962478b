private import CSystem
internal import Tensors

/// Numbers of one precision in row-major order, with a shape: an activation or a weight in use.
struct Numbers<Scalar: Real>: Sendable {
  /// The extents, slowest axis first.
  var shape: [Int]
  var elements: [Scalar]

  init(shape: [Int], elements: [Scalar]) {
    precondition(shape.reduce(1, *) == elements.count)
    self.shape = shape
    self.elements = elements
  }

  /// What the allocator takes from the system each time.
  private static var largeByteCount: Int { 32 << 20 }

  /// The same number everywhere.
  ///
  /// - Throws: `malformed` for more than can be addressed.
  init(shape: [Int], repeating value: Scalar) throws {
    self.shape = shape
    elements = [Scalar](repeating: value, count: try Shape(shape).elementCount)
  }

  /// Numbers that the caller writes, every one, before any is read.
  ///
  /// - Throws: `malformed` for more than can be addressed.
  init(unfilled shape: [Int]) throws {
    self.shape = shape
    let count = try Shape(shape).elementCount
    // Every pattern of bits is a number, and a pass over fresh memory costs as much as a product.
    elements = unsafe [Scalar](unsafeUninitializedCapacity: count) { buffer, initialized in
      #if os(Linux)
      // The logits of a long text: mapping them page by page would cost a tenth of the pass.
      let byteCount = count * MemoryLayout<Scalar>.stride
      if byteCount >= Self.largeByteCount {
        unsafe ingot_prefer_huge_pages(buffer.baseAddress, byteCount)
      }
      #endif
      initialized = count
    }
  }

  /// The extent of the last axis.
  var width: Int { shape.last ?? 1 }
  /// How many vectors along the last axis there are.
  var rows: Int { width == 0 ? 0 : elements.count / width }

  /// [a, b, c] → [a, c, b].
  func turned() throws -> Numbers {
    let (outer, rows, columns) = (shape[0], shape[1], shape[2])
    var result = try Numbers(unfilled: [outer, columns, rows])
    for first in stride(from: 0, to: elements.count, by: max(1, rows * columns)) {
      for row in 0..<rows {
        for column in 0..<columns {
          result.elements[first + column * rows + row] = elements[first + row * columns + column]
        }
      }
    }
    return result
  }

  /// The same numbers under another shape.
  func reshaped(_ shape: [Int]) -> Numbers { Numbers(shape: shape, elements: elements) }
}

extension Numbers {
  /// Calls `body` for runs of rows of `width` elements, several at a time on different threads, each
  /// with its own part of the elements to write.
  mutating func forEachRun(
    ofRows width: Int, jobs: Int, cost: Int = 1,
    _ body: @Sendable (Range<Int>, inout MutableSpan<Scalar>) -> Void
  ) {
    guard width > 0, !elements.isEmpty else { return }
    let rows = elements.count / width
    precondition(rows * width == elements.count)
    let runs = Parallel.runs(rows, elementsEach: width * cost, jobs: jobs)
    // Runs are disjoint and lie within the rows, so that no two threads share an element.
    unsafe elements.withUnsafeMutableBufferPointer { buffer in
      let shared = unsafe SharedBuffer(buffer)
      Parallel.run(runs.count, jobs: jobs) { index in
        let run = runs[index]
        let part = unsafe UnsafeMutableBufferPointer(
          rebasing: shared.buffer[run.lowerBound * width..<run.upperBound * width])
        var span = unsafe MutableSpan(_unsafeElements: part)
        body(run, &span)
      }
    }
  }
}

/// A buffer that several threads write to, each its own part.
@unsafe
struct SharedBuffer<Scalar>: @unchecked Sendable {
  let buffer: UnsafeMutableBufferPointer<Scalar>
  init(_ buffer: UnsafeMutableBufferPointer<Scalar>) { unsafe self.buffer = buffer }
}
