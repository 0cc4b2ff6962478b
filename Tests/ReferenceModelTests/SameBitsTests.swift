import Foundation
import Synchronization
import TestSupport
import Tensors
import Testing

@testable import ReferenceModel

/// The pass is an oracle: the same model and inputs give the same bits everywhere.
@Suite struct SameBitsTests {
  /// Hashes of all states by fixture and precision, as every processor must find them.
  ///
  /// A change of the arithmetic changes them; `INGOT_RECORD_BITS=FILE` appends the new lines to that file then.
  private static let recorded: [String: String] = {
    let table = try? String(contentsOfFile: Places.fixture("models/states.tsv"), encoding: .utf8)
    return Dictionary(
      (table ?? "").split(separator: "\n").compactMap { line in
        let fields = line.split(separator: "\t").map(String.init)
        return fields.count == 3 ? (fields[0] + " " + fields[1], fields[2]) : nil
      }, uniquingKeysWith: { first, _ in first })
  }()

  /// One test at a time adds to the file of `INGOT_RECORD_BITS`.
  private static let recording = Mutex(())

  @Test(arguments: ModelFixture.all, Precision.allCases)
  func `on every level of instructions, for every number of threads, and as recorded`(
    fixture: ModelFixture, precision: Precision
  ) throws {
    let inputs = try fixture.golden().inputs
    func hash(jobs: Int) throws -> String {
      var hash: UInt64 = 0xCBF2_9CE4_8422_2325
      func add(_ word: UInt64) {
        // FNV-1a over the eight bytes.
        for shift in stride(from: 0, to: 64, by: 8) {
          hash = (hash ^ (word >> UInt64(shift) & 0xFF)) &* 0x100_0000_01B3
        }
      }
      try fixture.pass(precision, jobs: jobs).run(inputs) { state in
        for byte in state.name.utf8 { add(UInt64(byte)) }
        // All NaN are one: their payloads mean nothing.
        for value in state.value.doubles { add(value.isNaN ? 1 : value.bitPattern) }
        return true
      }
      return String(hash, radix: 16)
    }
    let expected = Self.recorded["\(fixture.folder) \(precision.rawValue)"]
    for level in Kernels.Level.allCases {
      let found = try level.use { try hash(jobs: 2) }
      #expect(found == expected, "\(level)")
    }
    for jobs in [1, 3] { #expect(try hash(jobs: jobs) == expected, "\(jobs) jobs") }
    if let path = ProcessInfo.processInfo.environment["INGOT_RECORD_BITS"] {
      let line = "\(fixture.folder)\t\(precision.rawValue)\t\(try hash(jobs: 1))\n"
      try Self.recording.withLock { _ in
        let file = try FileHandle(forUpdating: URL(filePath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data(line.utf8))
        try file.close()
      }
    }
  }
}
