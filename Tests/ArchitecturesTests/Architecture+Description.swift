public import Architectures
public import Testing

/// A test's argument is shown by its name: a description in full takes pages.
extension Architecture: CustomTestStringConvertible {
  public var testDescription: String { name }
}
