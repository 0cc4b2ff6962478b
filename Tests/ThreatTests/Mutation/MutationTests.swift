import Foundation
import TestSupport
import Tensors
import Testing

/// Damaged files: of a small seed of each format every truncation, every byte changed in five ways, and
/// seeded random mutants.
///
/// Each is read whole or refused with a class, within a second; a trap would end the whole run. What is
/// read has, tensor by tensor, the digest that the reference library gives. The long mode, which runs
/// alone, also watches that none takes 256 MB.
@Suite(.row("G6", "G18", "G20")) struct MutationTests {
  static let allowed: Set<ErrorClass> = [
    .malformed, .integrity, .limit, .unsafe, .unsupported, .unreadable,
  ]
  /// What a mutant may take, in seconds and in bytes.
  private static let patience = Sanitizer.isOn ? 20.0 : 1.0
  private static let memory = 256_000_000
  /// How many mutants that are read go to the reference library; it takes some milliseconds for each.
  private static let sample = Places.isLong ? Int.max : 40

  /// Reads mutants and keeps those that hold data.
  private struct Trial {
    let seed: MutationSeed
    let sound: [String]
    private(set) var accepted: [(bytes: [UInt8], lines: [String])] = []
    private(set) var refused = 0
    private var generator = SeededGenerator(seed: 7)
    private var seen = 0

    init(_ seed: MutationSeed) throws {
      self.seed = seed
      sound = try seed.lines(try seed.bytes())
    }

    /// Returns whether the mutant was refused.
    @discardableResult
    mutating func read(_ bytes: [UInt8], _ description: @autoclosure () -> String) -> Bool {
      let peak = Places.isLong && !Sanitizer.isOn ? try? PeakMemory() : nil
      let start = Self.processorTime()
      defer {
        if let taken = try? peak?.taken(), taken > MutationTests.memory {
          Issue.record("\(description()): took \(taken) bytes")
        }
        let seconds = Self.processorTime() - start
        if seconds > MutationTests.patience { Issue.record("\(description()): took \(seconds) s") }
      }
      do {
        let lines = try seed.lines(bytes)
        keep(bytes, lines)
        return false
      } catch let error as IngotError {
        refused += 1
        if !MutationTests.allowed.contains(error.errorClass) || error.message.isEmpty {
          Issue.record("\(description()): \(error.errorClass) \(error)")
        }
      } catch {
        Issue.record("\(description()): \(error)")
      }
      return true
    }

    /// Of this thread, which alone reads a mutant: the machine may be busy with other things.
    private static func processorTime() -> Double {
      var time = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Keeps an even sample of what was read.
    private mutating func keep(_ bytes: [UInt8], _ lines: [String]) {
      guard seed.ending != nil else { return }
      seen += 1
      if accepted.count < MutationTests.sample {
        accepted.append((bytes, lines))
      } else {
        let place = Int.random(in: 0..<seen, using: &generator)
        if place < accepted.count { accepted[place] = (bytes, lines) }
      }
    }

    /// Compares what was read with what the reference library reads.
    func compare() throws {
      guard let ending = seed.ending, Places.python != nil, !accepted.isEmpty else { return }
      let answers = try ReferenceReader.digests(of: accepted.map(\.bytes), ending: ending)
      var verdicts: [ReferenceReader.Answer.Verdict: Int] = [:]
      for (mutant, answer) in zip(accepted, answers) {
        verdicts[answer.verdict, default: 0] += 1
        guard let theirs = answer.lines else { continue }
        let byName = Dictionary(
          theirs.dropLast().map { (Self.name($0), $0) }, uniquingKeysWith: { first, _ in first })
        for line in mutant.lines.dropLast() {
          guard let other = byName[Self.name(line)], other != line else { continue }
          Issue.record(
            "wrong data: ours \(line), theirs \(other): \(Data(mutant.bytes).base64EncodedString())"
          )
        }
      }
      print(
        "\(seed.name): \(refused) refused, \(seen) read, of \(accepted.count) of them the library "
          + "\(verdicts.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", "))")
    }

    /// What a line says the name is.
    private static func name(_ line: String) -> Substring {
      line.firstIndex(of: "\"").map { line[$0...] } ?? ""
    }
  }

  @Test(arguments: MutationSeed.small)
  func everyTruncationIsReadOrRefused(_ seed: MutationSeed) throws {
    var trial = try Trial(seed)
    let bytes = try seed.bytes()
    for length in 0..<bytes.count {
      let isRefused = trial.read(Array(bytes[..<length]), "cut to \(length)")
      if seed.detectsEverything, !isRefused { Issue.record("cut to \(length): not noticed") }
    }
    try trial.compare()
  }

  @Test(arguments: MutationSeed.small)
  func everyChangedByteIsReadOrRefused(_ seed: MutationSeed) throws {
    var trial = try Trial(seed)
    var bytes = try seed.bytes()
    for position in bytes.indices {
      let original = bytes[position]
      for changed in Set([0, 0xFF, original ^ 0x80, original ^ 1, original &+ 1]).sorted()
      where changed != original {
        bytes[position] = changed
        let isRefused = trial.read(bytes, "byte \(position) is \(changed)")
        if seed.detectsEverything, !isRefused {
          Issue.record("byte \(position) is \(changed): not noticed")
        }
      }
      bytes[position] = original
    }
    try trial.compare()
  }

  @Test(arguments: MutationSeed.small + MutationSeed.larger)
  func randomMutantsAreReadOrRefused(_ seed: MutationSeed) throws {
    var trial = try Trial(seed)
    let bytes = try seed.bytes()
    var generator = SeededGenerator(seed: 0xD1CE)
    for number in 0..<(Places.isLong ? 20_000 : 1_000) {
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
      trial.read(mutant, "mutant \(number)")
    }
    try trial.compare()
  }
}
