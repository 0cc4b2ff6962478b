import Tensors
import Testing

@testable import Architectures

@Suite struct ExpressionTests {
  private let environment = Environment { name in
    switch name {
    case "width": .integer(768)
    case "heads": .integer(12)
    case "activation": .word("relu")
    case "depths": .integers([2, 6])
    default: .flag(true)
    }
  }

  @Test(arguments: [
    ("width / heads", Value.integer(64)), ("4 * width + 1", .integer(3073)),
    ("-(2 - 3) * 5", .integer(5)), ("width % 5 == 3 && !false", .flag(true)),
    ("activation == 'relu' ? 1 : 2", .integer(1)), ("depths[1]", .integer(6)),
    ("1 / sqrt(64)", .real(0.125)), ("max(3, heads, 4)", .integer(12)),
    ("floor(0.25 * width)", .integer(192)), ("1e-5", .real(1e-5)), ("width > 7", .flag(true)),
  ])
  func `evaluates`(text: String, value: Value) throws {
    #expect(try environment.value(of: Expression(parsing: text)) == value)
  }

  @Test(arguments: [
    ("width / 5", "768 is not divisible by 5"), ("1 / 0", "1 / 0 makes no sense"),
    ("depths[2]", "depths has no such element"), ("9223372036854775807 + 1", "overflows"),
    ("activation + 1", "makes no sense"),
  ])
  func `refuses`(text: String, message: String) throws {
    let expression = try Expression(parsing: text)
    #expect { try environment.value(of: expression) } throws: { "\($0)".contains(message) }
  }

  @Test(arguments: [
    ("1 +", "ends where a value is due"), ("(1", "lacks a ')'"), ("1 2", "has more after its end"),
    ("foo(1)", "which is no function"), ("a ? b", "lacks the ':'"), ("'x", "closing quote"),
    (String(repeating: "(", count: 40) + "1", "nested above"),
  ])
  func `does not parse`(text: String, message: String) {
    #expect { try Expression(parsing: text) } throws: { "\($0)".contains(message) }
  }
}
