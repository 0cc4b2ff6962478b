import TestSupport
import Tensors
import Testing

@testable import TensorFormats

/// The words of the refusals of `.npy` headers: each check of the grammar, met alone.
@Suite struct NPYRefusalTests {
  private static func parsed(_ text: String) -> String? {
    refusal {
      _ = try PythonLiteralParser.parse(ArraySlice(text.utf8), .latin1, offset: 10)
    }
  }

  @Test(
    arguments: [
      ("{'a': 1} 2", "text follows the value"),
      ("-1", "expected a string, a number, True, False, None, (, [ or {"),
      ("Truth", "expected True, False or None"),
      ("007", "an integer with leading zeros"),
      ("0x10", "expected a decimal integer"),
      ("(2 2)", "expected a comma: parentheses alone make no tuple"),
      ("(2, 2 2)", "expected a comma or )"),
      ("[2 2]", "expected a comma or ]"),
      ("{1: 2}", "expected a key in quotes"),
      ("{'a' 2}", "expected a colon"),
      ("{'a': 2 'b': 3}", "expected a comma or }"),
      ("'a\tb'", "a control character in a string"),
      ("'a", "a string without its closing quote"),
      ("'\\q'", "an unknown escape in a string"),
      // The digits end with the text, are none, and name a surrogate.
      ("'\\x4", "an escape that names no character"),
      ("'\\x+4'", "an escape that names no character"),
      ("'\\ud800'", "an escape that names no character"),
    ])
  func theGrammar(text: String, words: String) {
    #expect(Self.parsed(text) == "malformed: npy header: \(words)")
  }

  @Test func integersEndWhereIntDoes() {
    #expect(Self.parsed("9223372036854775807") == nil)
    // The sum wraps, the product wraps.
    for text in ["9223372036854775808", "92233720368547758070"] {
      #expect(Self.parsed(text) == "malformed: npy header: an integer exceeds 2^63")
    }
  }

  @Test(arguments: [15, 17]) func dataOfAnotherSize(count: Int) {
    let file = NPYHeader.bytes(descr: "<f4", shape: [2, 2]) + [UInt8](repeating: 0, count: count)
    #expect(
      refusal { _ = try NPYFormat().read(bytes: file) }
        == "malformed: shape 2×2 of float32 needs 16 bytes, the file holds \(count)")
  }
}
