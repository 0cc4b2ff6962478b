import Foundation
import Ingot
import TestSupport
import Tensors
import Testing

/// Models that no fixture is.
extension SuspectTests {
  /// Values near 0 from a seed.
  static func random(_ shape: [Int], seed: UInt64, around center: Double = 0) throws
    -> Tensor
  {
    var generator = SeededGenerator(seed: seed)
    let shape = try Shape(shape)
    let numbers = (0..<shape.elementCount).map { _ in
      center + Double.random(in: -0.5...0.5, using: &generator)
    }
    return try Tensor.floats(numbers, shape)
  }

  /// Heads of 8, so that keys of 2 heads can be cut into 4.
  static func wideLlama() throws -> Subject {
    var subject = Subject(
      fixture: try ModelFixture.named("llama"), settings: [("head_size", "8")],
      goldenOfOurs: "wide")
    subject.change = { tensors in
      for layer in 0..<2 {
        for (index, (word, shape)) in [
          ("q", [32, 24]), ("k", [16, 24]), ("v", [16, 24]), ("o", [24, 32]),
        ].enumerated() {
          tensors["model.layers.\(layer).self_attn.\(word)_proj.weight"] = try random(
            shape, seed: UInt64(10 * layer + index))
        }
      }
    }
    return subject
  }

  /// As many tokens as features.
  static func squareHead() throws -> Subject {
    var subject = Subject(
      fixture: try ModelFixture.named("llama"), settings: [("vocabulary", "24")],
      goldenOfOurs: "square")
    subject.change = { tensors in
      for name in ["lm_head.weight", "model.embed_tokens.weight"] {
        tensors[name] = try #require(tensors[name]).sliced(axis: 0, range: 0..<24)
      }
    }
    subject.inputs = { tensors in
      tensors["input/input_ids"] = try #require(tensors["input/input_ids"])
        .cast(to: .float32).mapped { $0.truncatingRemainder(dividingBy: 24) }.cast(to: .int64)
    }
    return subject
  }

  /// So many layers that their order as text is another.
  static func twelveLayers() throws -> Subject {
    var subject = Subject(
      fixture: try ModelFixture.named("gpt2"), settings: [("layers", "12")],
      goldenOfOurs: "twelve")
    subject.change = { tensors in
      for (name, tensor) in tensors {
        for layer in 3..<12 where name.contains(".h.\(layer % 3).") {
          tensors[name.replacing(".h.\(layer % 3).", with: ".h.\(layer).")] = try tensor.mapped {
            $0 * (1 + 0.02 * Double(layer))
          }
        }
      }
    }
    return subject
  }

  /// Texts of more positions than trials are made on.
  static func longTexts() throws -> Subject {
    var subject = Subject(fixture: try ModelFixture.named("llama"), goldenOfOurs: "long")
    subject.inputs = { tensors in
      var generator = SeededGenerator(seed: 11)
      let ids = (0..<2 * 50).map { _ in Double(Int.random(in: 0..<29, using: &generator)) }
      tensors = ["input/input_ids": try Tensor.floats(ids, Shape([2, 50])).cast(to: .int64)]
    }
    return subject
  }
}
