import TensorFormats
import TestSupport
import Tensors
import Testing

/// The reader in `fixtures/native`, written from the specification alone, agrees with ours (row I-10).
@Suite(.enabled(if: IndependentReader.isAvailable, "there is no python3"))
struct NativeIndependentReaderTests {
  private func expectAgreement(_ files: [[UInt8]]) throws -> (accepted: Int, refused: Int) {
    let verdicts = try IndependentReader.verdicts(files)
    try #require(verdicts.count == files.count)
    var accepted = 0
    for (number, (file, theirs)) in zip(files, verdicts).enumerated() {
      let ours = try nativeVerdict(file)
      if ours == nil { accepted += 1 }
      #expect(
        (ours == nil) == (theirs == "ok"),
        "file \(number): ours \(ours?.rawValue ?? "ok"), theirs \(theirs): \(NativeParts.describe(file))"
      )
    }
    return (accepted, files.count - accepted)
  }

  private func seeds() throws -> [[UInt8]] {
    [
      try NativeFormat().write(NativeSamples.table()),
      try NativeFormat().write(NativeSamples.compressible(), NativeSamples.compressed),
      try NativeFormat().write(NativeSamples.blocks()),
    ]
  }

  @Test func manifestsAreEqual() throws {
    for (file, table) in zip(
      try seeds(),
      [
        try NativeSamples.table(), try NativeSamples.compressible(), try NativeSamples.blocks(),
      ])
    {
      let theirs = try IndependentReader.manifest(file)
      #expect(theirs.status == 0)
      #expect(theirs.output == (try table.manifest()))
    }
    var damaged = try seeds()[0]
    damaged[64] ^= 1
    let refusal = try IndependentReader.manifest(damaged)
    #expect(refusal.status == 1 && refusal.output.contains("tok_embeddings.weight is damaged"))
  }

  @Test(.row("I-10")) func verdictsOnFlippedBitsAndTruncationsAreEqual() throws {
    for file in try seeds() {
      var mutants = [file]
      for bit in 0..<file.count * 8 {
        var mutant = file
        mutant[bit / 8] ^= 1 << (bit % 8)
        mutants.append(mutant)
      }
      for count in stride(from: 0, to: file.count, by: 3) { mutants.append(Array(file[..<count])) }
      let (accepted, refused) = try expectAgreement(mutants)
      #expect(accepted == 1 && refused > file.count * 8)
    }
  }

  @Test(.row("I-10")) func verdictsOnBrokenRulesAreEqual() throws {
    let files = try NativeIndexTests.edits.map { try NativeIndexTests.apply($0) }
    let (accepted, refused) = try expectAgreement(files)
    #expect(accepted > 10 && refused > 50)
  }

  /// Random edits of the index under a right digest: only the rules themselves can tell.
  @Test(.row("I-10")) func verdictsOnRandomIndexesAreEqual() throws {
    var random = SeededGenerator(seed: 20)
    let alphabet = Array("0123456789\",:{}[]-.e$\\ antu\u{E9}".utf8)
    var mutants: [[UInt8]] = []
    for seed in try seeds() {
      let parts = NativeParts(seed)
      for _ in 0..<3000 {
        var mutant = parts
        for _ in 0..<Int.random(in: 1...2, using: &random) {
          let at = Int.random(in: 0..<mutant.index.count, using: &random)
          let byte = alphabet.randomElement(using: &random) ?? 0
          switch Int.random(in: 0..<4, using: &random) {
          case 0: mutant.index[at] = byte
          case 1: mutant.index.insert(byte, at: at)
          case 2: mutant.index.remove(at: at)
          default:
            let end = min(mutant.index.count, at + Int.random(in: 1...30, using: &random))
            mutant.index.insert(contentsOf: mutant.index[at..<end], at: end)
          }
        }
        mutants.append(mutant.file)
      }
    }
    let (accepted, refused) = try expectAgreement(mutants)
    #expect(accepted > 20 && refused > 4000)
  }
}

extension NativeParts {
  static func describe(_ file: [UInt8]) -> String {
    file.count > 80 ? String(decoding: file.dropFirst(64), as: UTF8.self) : "\(file.count) bytes"
  }
}
