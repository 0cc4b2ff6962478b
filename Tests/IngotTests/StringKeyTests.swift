import Foundation
import TestSupport
import Testing

/// Names from files are kept in `ExactString`: a dictionary or a set of `String` takes two names that
/// Unicode holds for equal for one.
///
/// The lists say where keys are `String` all the same; a new place is a decision that somebody takes and
/// another one reads.
@Suite struct StringKeyTests {
  /// Folders and files whose keys are names of the model language.
  ///
  /// Its names are ASCII
  /// (`FieldMap.word`, `FieldMap.identifier`), of which equal strings have equal bytes.
  static let modelLanguage = [
    "Architectures/Configuration/Configuration.swift",
    "Architectures/Conventions/Adaptation.swift",
    "Architectures/Conventions/FixedValues.swift",
    "Architectures/Conventions/LayerNames.swift",
    "Architectures/Conventions/NameTemplate.swift",
    "Architectures/Conventions/Respelling.swift",
    "Architectures/Conventions/StoredTensor.swift",
    "Architectures/Cost/", "Architectures/Counting/", "Architectures/Description/",
    "Architectures/Detection/CandidateReading.swift",
    "Architectures/Detection/NameIndex.swift", "Architectures/Model/", "Architectures/Models/",
    "Architectures/Operations/", "Architectures/Serialisation/",
    "Ingot/Verify/StateComparing.swift", "Ingot/Verify/Suspects/", "ReferenceModel/",
  ]

  /// Other files, and what their keys are.
  static let others = [
    "IngotCommand/Commands/Arguments.swift": "units of bytes in an argument"
  ]

  @Test func keysAreStringsInTheListedPlacesOnly() throws {
    let sources = Places.project.appending(path: "Sources", directoryHint: .isDirectory)
    var unused = Set(Self.modelLanguage + Self.others.keys).subtracting([
      "Architectures/Operations/"
    ])
    for path in try FileManager.default.subpathsOfDirectory(atPath: sources.filePath)
    where path.hasSuffix(".swift") {
      let text = try String(contentsOf: sources.appending(path: path), encoding: .utf8)
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      for (number, line) in lines.enumerated()
      where line.contains(/\[String ?:|Set<String>|Dictionary<String\b/) {
        let place = (Self.modelLanguage + Self.others.keys).first { path.hasPrefix($0) }
        #expect(place != nil, "\(path):\(number + 1): keys are ExactString: \(line)")
        if let place { unused.remove(place) }
      }
    }
    #expect(unused.sorted() == [], "listed places without such keys")
  }
}
