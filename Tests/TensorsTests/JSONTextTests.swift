import Tensors
import Testing

@Suite struct JSONTextTests {
  @Test(arguments: [
    (JSON.integer(.min), "-9223372036854775808"), (.integer(0), "0"), (.integer(-10), "-10"),
    (.unsigned(.max), "18446744073709551615"), (.number(0.5), "0.5"), (.number(.nan), "\"NaN\""),
    (.string("é\"\\\n\r\t\u{8}\u{C}\u{1}\u{1F}"), #""é\"\\\n\r\t\b\f\u0001\u001f""#),
    (.array([]), "[]"), (.object([]), "{}"), (JSON([-1, 2]), "[-1,2]"),
    (.object([.init("a", JSON([1])), .init("b", .null)]), #"{"a":[1],"b":null}"#),
  ])
  func compactTextHasNoBlanks(value: JSON, text: String) {
    #expect(value.text() == text)
    #expect(value.bytes() == Array(text.utf8))
  }

  @Test func indentedTextBreaksWhatHoldsObjects() {
    let value: JSON = [
      "plain": JSON([1, 2]),
      "objects": .array([.object([.init("a", JSON(1)), .init("b", .string("c"))]), .object([])]),
    ]
    #expect(
      value.text(.indented) == """
        {
          "plain": [1, 2],
          "objects": [
            {"a": 1, "b": "c"},
            {}
          ]
        }
        """)
  }
}
