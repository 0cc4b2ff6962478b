import Foundation
import TestSupport
import Testing

@testable import Architectures

/// An operation is one file for what it is and one of the same name for its arithmetic.
@Suite struct OperationFileTests {
  @Test(arguments: ["Architectures", "ReferenceModel"])
  func `every operation has its file, and there are no others`(module: String) throws {
    let folder = Places.project.appending(path: "Sources/\(module)/Operations")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.filePath)
    #expect(files.sorted() == Operation.kinds.map { "\($0).swift" }.sorted())
  }

  @Test func `every kind is wrapped by a case of its own`() {
    for kind in Operation.kinds {
      let content = kind.blank.operation.content
      #expect("\(type(of: content))" == "\(kind)")
    }
    #expect(Set(Operation.kinds.map { $0.word }).count == Operation.kinds.count)
  }
}
