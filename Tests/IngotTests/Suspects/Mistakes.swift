import Foundation
import Ingot
import TestSupport
import Tensors
import Testing

/// Mistakes that conversions make.
extension SuspectTests {
  static func transpose(_ names: String...) -> Change {
    { tensors in
      for name in names { tensors[name] = try #require(tensors[name]).transposed([1, 0]) }
    }
  }

  /// Every pair of tensors whose names have one or the other text.
  static func exchange(_ one: String, _ other: String) -> Change {
    { tensors in
      let names = tensors.keys.filter { $0.contains(one) }
      #expect(!names.isEmpty)
      for name in names {
        let partner = name.replacing(one, with: other)
        let (first, second) = (try #require(tensors[name]), try #require(tensors[partner]))
        tensors[name] = second
        tensors[partner] = first
      }
    }
  }

  /// Parts along an axis in another order.
  static func reorder(
    _ names: [String], axis: Int = 0, _ order: [Int], sizes: [Int]? = nil
  ) -> Change {
    { tensors in
      for name in names {
        let tensor = try #require(tensors[name])
        let length = tensor.shape.dimensions[axis]
        let sizes = sizes ?? order.map { _ in length / order.count }
        let starts = sizes.indices.map { sizes[..<$0].reduce(0, +) }
        tensors[name] = try Tensor.concatenated(
          order.map { try tensor.sliced(axis: axis, range: starts[$0]..<starts[$0] + sizes[$0]) },
          axis: axis)
      }
    }
  }

  /// Rows of heads from rotary halves to pairs, as Meta's files and llama.cpp's have them.
  static func pairs(_ names: [(String, heads: Int)]) -> Change {
    { tensors in
      for (name, heads) in names {
        let tensor = try #require(tensors[name])
        let (rows, columns) = (tensor.shape.dimensions[0], tensor.shape.dimensions[1])
        let half = rows / heads / 2
        tensors[name] = try tensor.reshaped(to: Shape([heads, 2, half, columns]))
          .transposed([0, 2, 1, 3]).reshaped(to: tensor.shape)
      }
    }
  }

  static func map(
    _ names: [String], _ change: @escaping @Sendable (Double) -> Double
  ) -> Change {
    { tensors in
      for name in names { tensors[name] = try #require(tensors[name]).mapped(change) }
    }
  }

  static func byteSwapped(_ tensor: Tensor) throws -> Tensor {
    try Tensor(
      elementType: tensor.elementType, shape: tensor.shape,
      source: ByteSwapped(tensor.source, wordWidth: 4))
  }

  static func all(_ changes: Change...) -> Change {
    { tensors in for change in changes { try change(&tensors) } }
  }
}
