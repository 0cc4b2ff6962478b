import Foundation
import TestSupport
import Tensors
import Testing

@testable import Ingot

/// Damaged files: of a small seed of each format every truncation, every byte changed in five ways,
/// and seeded random mutants.
///
/// Each is read whole or refused with a class, within two seconds; a trap would end the whole run.
@Suite struct MutationTests {
  /// A small file, and whether every single change of it must be noticed.
  struct Seed: Sendable, CustomTestStringConvertible {
    let name: String
    let detectsEverything: Bool
    var testDescription: String { name }
  }

  static let seeds = [
    Seed(name: "npy/fortran-2d.npy", detectsEverything: false),
    Seed(name: "npz/zip-no-zip64.npz", detectsEverything: false),
    Seed(name: "npz/savez-compressed.npz", detectsEverything: false),
    Seed(name: "npz/zip-data-descriptor-zip64.npz", detectsEverything: false),
    Seed(name: "safetensors/metadata.safetensors", detectsEverything: false),
    Seed(name: "safetensors/dtypes.safetensors", detectsEverything: false),
    Seed(name: "hdf5/hard-links_v0.h5", detectsEverything: false),
    Seed(name: "hdf5/tree_latest.h5", detectsEverything: false),
    Seed(name: "hdf5/index-single_latest.h5", detectsEverything: false),
    Seed(name: "native", detectsEverything: true),
    Seed(name: "native, compressed", detectsEverything: true),
  ]

  /// Larger files, for random mutants only.
  static let largerSeeds = [
    "hdf5/filters_latest.h5", "hdf5/attributes_latest.h5", "hdf5/attributes_v0.h5",
    "hdf5/index-btree2_latest.h5", "hdf5/fill-values_v0.h5", "keras/keras2-small-weights.h5",
    "keras/keras3-optimizer.weights.h5", "keras/keras3-bfloat16.keras",
  ]

  static let allowed: Set<ErrorClass> = [.malformed, .integrity, .limit, .unsafe, .unsupported]

  private func content(_ seed: String) throws -> (bytes: [UInt8], format: any TensorFormat) {
    if seed.hasPrefix("native") {
      var table = TensorTable()
      var generator = SeededGenerator(seed: 3)
      try table.append("a", Tensor(.float32, [3, 5], (0..<60).map { UInt8($0) }))
      try table.append(
        "b", Tensor(.int16, [7], (0..<14).map { _ in UInt8.random(in: 0...255, using: &generator) })
      )
      table.metadata["note"] = .string("kept")
      var options = WriteOptions()
      if seed.hasSuffix("compressed") { options.compression = .gzip(level: nil) }
      let format = try Formats.named("ingot")
      return (try PlainExecutor.execute(format.plan(table, options)), format)
    }
    let path = Places.fixture(seed)
    let checkpoint = try Checkpoint(path: path)
    return (Array(try Data(contentsOf: URL(filePath: path))), checkpoint.format)
  }

  /// Reads everything, as `digest` does, with the bytes standing in for the file.
  private func outcome(
    _ bytes: [UInt8], _ format: any TensorFormat, _ description: @autoclosure () -> String
  ) -> ErrorClass? {
    let start = ContinuousClock.now
    var result: ErrorClass?
    do {
      let table = try format.read(FormatInput(path: "mutant", source: ArraySource(bytes)))
      for entry in table.entries where entry.tensor.obstacle == nil {
        var buffer = [UInt8](repeating: 0, count: min(1 << 20, entry.tensor.byteCount))
        for offset in stride(from: 0, to: min(entry.tensor.byteCount, 8 << 20), by: 1 << 20) {
          let count = min(buffer.count, entry.tensor.byteCount - offset)
          try buffer.withMutableBytes { bytes in
            try bytes.withRange(0..<count) { try entry.tensor.source.read(into: &$0, at: offset) }
          }
        }
      }
    } catch let error as IngotError {
      result = error.errorClass
      if !Self.allowed.contains(error.errorClass) || error.message.isEmpty {
        Issue.record("\(description()): \(error.errorClass) \(error)")
      }
    } catch {
      Issue.record("\(description()): \(error)")
    }
    if ContinuousClock.now - start > .seconds(2) { Issue.record("\(description()): too slow") }
    return result
  }

  @Test(arguments: seeds)
  func everyTruncationIsReadOrRefused(_ seed: Seed) throws {
    let (bytes, format) = try content(seed.name)
    #expect(outcome(bytes, format, "the seed itself") == nil)
    for length in 0..<bytes.count {
      let refused = outcome(Array(bytes[..<length]), format, "cut to \(length)") != nil
      if seed.detectsEverything, !refused { Issue.record("cut to \(length): not noticed") }
    }
  }

  @Test(arguments: seeds)
  func everyChangedByteIsReadOrRefused(_ seed: Seed) throws {
    var (bytes, format) = try content(seed.name)
    for position in bytes.indices {
      let original = bytes[position]
      for changed in [0, 0xFF, original ^ 0x80, original ^ 1, original &+ 1]
      where changed != original {
        bytes[position] = changed
        let refused = outcome(bytes, format, "byte \(position) is \(changed)") != nil
        if seed.detectsEverything, !refused {
          Issue.record("byte \(position) is \(changed): not noticed")
        }
      }
      bytes[position] = original
    }
  }

  @Test(arguments: seeds.map(\.name) + largerSeeds)
  func randomMutantsAreReadOrRefused(_ seed: String) throws {
    let (bytes, format) = try content(seed)
    var generator = SeededGenerator(seed: 0xD1CE)
    for number in 0..<1000 {
      var mutant = bytes
      for _ in 0..<Int.random(in: 1...16, using: &generator) {
        // Most of a file is data; its structure lies at the beginning and the end.
        let bound = Bool.random(using: &generator) ? min(1024, mutant.count) : mutant.count
        let position =
          Bool.random(using: &generator)
          ? Int.random(in: 0..<bound, using: &generator)
          : mutant.count - 1 - Int.random(in: 0..<bound, using: &generator)
        mutant[position] = UInt8.random(in: 0...255, using: &generator)
      }
      if number % 7 == 0 { mutant.removeLast(Int.random(in: 0..<mutant.count, using: &generator)) }
      _ = outcome(mutant, format, "mutant \(number)")
    }
  }
}
