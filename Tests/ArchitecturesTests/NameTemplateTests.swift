import Tensors
import Testing

@testable import Architectures

/// Names with numbers in them, there and back.
@Suite struct NameTemplateTests {
  private func match(_ template: String, _ name: String) -> [String: Int]? {
    NameTemplate(template).match(name.utf8)
  }

  @Test func `a place holds a number without leading zeros`() {
    #expect(NameTemplate("h.{layer}.w").name(["layer": 12]) == "h.12.w")
    #expect(match("h.{layer}.w", "h.12.w") == ["layer": 12])
    #expect(match("h.{layer}.w", "h.012.w") == nil)
    #expect(match("h.{layer}.w", "h.x.w") == nil)
    #expect(match("h.{layer}.{layer}", "h.1.2") == nil)
  }

  @Test func `a suffix is not there for 0`() {
    let template = NameTemplate("layer{layer:suffix}/vars")
    #expect(
      (0..<3).map { template.name(["layer": $0]) } == [
        "layer/vars", "layer_1/vars", "layer_2/vars",
      ])
    #expect(match("layer{layer:suffix}/vars", "layer/vars") == ["layer": 0])
    #expect(match("layer{layer:suffix}/vars", "layer_2/vars") == ["layer": 2])
    #expect(match("layer{layer:suffix}/vars", "layer_0/vars") == nil)
  }

  @Test func `a sum is one number, and is found as one`() {
    let template = NameTemplate("layer{encoder_layers + layer:suffix}/vars")
    #expect(template.variables == ["encoder_layers", "layer"])
    #expect(template.name(["encoder_layers": 2, "layer": 1]) == "layer_3/vars")
    #expect(template.name(["encoder_layers": 0, "layer": 0]) == "layer/vars")
    #expect(match(template.text, "layer_3/vars") == ["encoder_layers + layer": 3])
    #expect(NameTemplate("layer_{encoder_layers+layer}").name(["layer": 4]) == "layer_4")
  }

  @Test func `braces that name nothing are part of the name`() {
    #expect(NameTemplate("a{}b").name([:]) == "a{}b")
    #expect(NameTemplate("a{ + }b").variables.isEmpty == true)
  }
}
