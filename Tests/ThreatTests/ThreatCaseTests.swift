import TestSupport
import Testing

/// Every case of every format, with every command.
@Suite struct ThreatCaseTests {
  static let all =
    AnyInputCases.all + SafetensorsCases.all + NPYCases.all + ZipCases.all + HDF5Cases.all
    + KerasCases.all + NativeCases.all

  @Test(arguments: all)
  func everyCommandKeepsItsPromises(_ threat: ThreatCase) throws {
    try Harness(threat: threat).check()
  }
}
