import Foundation
import TestSupport
import Testing

/// What the sources must not contain, because no test of behaviour could see it in time.
@Suite struct LintTests {
  @Test(.row("W23")) func nothingIsReadThroughAMemoryMap() throws {
    let sources = Places.project.appending(path: "Sources").filePath
    var files = 0
    for name in try FileManager.default.subpathsOfDirectory(atPath: sources)
    where name.hasSuffix(".swift") || name.hasSuffix(".c") || name.hasSuffix(".h") {
      let text = try String(contentsOfFile: sources + "/" + name, encoding: .utf8)
      files += 1
      // A call of mmap, by any name; `sys/mman.h` is there for advice on memory.
      for forbidden in ["mmap(", "mmap64(", "mmap2", "alwaysMapped", "mappedIfSafe"] {
        #expect(!text.contains(forbidden), "\(name) contains \(forbidden)")
      }
    }
    #expect(files > 100)
  }
}
