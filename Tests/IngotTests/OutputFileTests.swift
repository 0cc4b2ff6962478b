import Foundation
import TestSupport
import Tensors
import Testing

@testable import Ingot

/// A destination is absent, or the old file, or complete.
@Suite struct OutputFileTests {
  private func write(_ text: String, to path: String, replaces: Bool = false) throws {
    let output = try OutputFile(path: path, replaces: replaces, syncs: true)
    let bytes = Array(text.utf8)
    output.extend(to: bytes.count)
    try output.write(bytes.rawSpan, at: 0)
    try output.finishWriting()
    try OutputFile.commit([output])
  }

  private func names(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.filePath).sorted()
  }

  private func content(_ url: URL) throws -> String {
    String(decoding: try Data(contentsOf: url), as: UTF8.self)
  }

  @Test func nothingHasANameBeforeTheCommit() throws {
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: "a").filePath
      let output = try OutputFile(path: path, replaces: false, syncs: false)
      try output.write(([1, 2, 3] as [UInt8]).rawSpan, at: 0)
      #expect(try names(in: folder).isEmpty)
    }
  }

  @Test func theCommittedFileIsComplete() throws {
    try Places.withTemporaryFolder { folder in
      try write("content", to: folder.appending(path: "a").filePath)
      #expect(try names(in: folder) == ["a"])
      #expect(try content(folder.appending(path: "a")) == "content")
    }
  }

  @Test func anExistingDestinationIsRefusedWithoutForce() throws {
    try Places.withTemporaryFolder { folder in
      let file = folder.appending(path: "a")
      try Data("old".utf8).write(to: file)
      let error = #expect(throws: IngotError.self) { try write("new", to: file.filePath) }
      #expect(error?.errorClass == .output)
      #expect(error.map { "\($0)" } == "\(file.filePath): exists")
      #expect(error?.hint == "give --force to replace it")
      #expect(try content(file) == "old")
    }
  }

  @Test func aDestinationThatAppearsMeanwhileIsKept() throws {
    try Places.withTemporaryFolder { folder in
      let file = folder.appending(path: "a")
      let output = try OutputFile(path: file.filePath, replaces: false, syncs: false)
      try output.finishWriting()
      try Data("theirs".utf8).write(to: file)
      let error = #expect(throws: IngotError.self) { try OutputFile.commit([output]) }
      #expect(error?.errorClass == .output)
      #expect(try content(file) == "theirs")
      #expect(try names(in: folder) == ["a"])
    }
  }

  @Test func forceReplacesAndKeepsTheMode() throws {
    try Places.withTemporaryFolder { folder in
      let file = folder.appending(path: "a")
      try Data("old".utf8).write(to: file)
      try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file.filePath)
      try write("new", to: file.filePath, replaces: true)
      #expect(try content(file) == "new")
      let mode = try FileManager.default.attributesOfItem(atPath: file.filePath)[.posixPermissions]
      #expect(mode as? Int == 0o640)
      #expect(try names(in: folder) == ["a"])
    }
  }

  @Test func aLinkIsReplacedAndItsTargetKept() throws {
    try Places.withTemporaryFolder { folder in
      let target = folder.appending(path: "target")
      let link = folder.appending(path: "link")
      try Data("target".utf8).write(to: target)
      try FileManager.default.createSymbolicLink(at: link, withDestinationURL: target)
      let error = #expect(throws: IngotError.self) { try write("new", to: link.filePath) }
      #expect(error?.errorClass == .output)
      try write("new", to: link.filePath, replaces: true)
      #expect(try content(target) == "target")
      #expect(try content(link) == "new")
    }
  }

  @Test(arguments: ["folder", "pipe"])
  func onlyRegularFilesAreReplaced(kind: String) throws {
    try Places.withTemporaryFolder { folder in
      let place = folder.appending(path: "a")
      if kind == "folder" {
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: false)
      } else {
        #expect(mkfifo(place.filePath, 0o600) == 0)
      }
      let error = #expect(throws: IngotError.self) {
        try write("new", to: folder.filePath + "a", replaces: true)
      }
      #expect(error?.errorClass == .output)
    }
  }

  @Test func anAbsentFolderIsNotCreated() throws {
    try Places.withTemporaryFolder { folder in
      let error = #expect(throws: IngotError.self) {
        try write("new", to: folder.appending(path: "no/a").filePath)
      }
      #expect(error?.errorClass == .output)
      let left = try names(in: folder)
      #expect(left.isEmpty)
    }
  }

  @Test func ofASetAllNamesAppearOrNone() throws {
    try Places.withTemporaryFolder { folder in
      let outputs = try ["a", "b", "c"].map {
        try OutputFile(path: folder.appending(path: $0).filePath, replaces: false, syncs: false)
      }
      for output in outputs { try output.finishWriting() }
      try Data("theirs".utf8).write(to: folder.appending(path: "c"))
      #expect(throws: IngotError.self) { try OutputFile.commit(outputs) }
      #expect(try names(in: folder) == ["c"])
    }
  }

  @Test func renamingTheFolderMeanwhileLeadsNowhereElse() throws {
    try Places.withTemporaryFolder { folder in
      let before = folder.appending(path: "before", directoryHint: .isDirectory)
      let after = folder.appending(path: "after", directoryHint: .isDirectory)
      try FileManager.default.createDirectory(at: before, withIntermediateDirectories: false)
      let output = try OutputFile(
        path: before.appending(path: "a").filePath, replaces: false, syncs: true)
      try FileManager.default.moveItem(at: before, to: after)
      try output.finishWriting()
      try OutputFile.commit([output])
      #expect(try names(in: after) == ["a"])
    }
  }

  @Test func whatWasReservedBeyondTheDataIsCut() throws {
    try Places.withTemporaryFolder { folder in
      let file = folder.appending(path: "a")
      let output = try OutputFile(path: file.filePath, replaces: false, syncs: false)
      try output.reserve(1 << 20)
      output.extend(to: 3)
      try output.write(([1, 2, 3] as [UInt8]).rawSpan, at: 0)
      try output.finishWriting()
      try OutputFile.commit([output])
      #expect(try Data(contentsOf: file).count == 3)
    }
  }
}
