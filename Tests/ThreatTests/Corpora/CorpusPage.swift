import Compression
import Crypto
import Foundation
import Ingot
import TestSupport
import Tensors

/// What became of the files of one folder of the corpus, here and with the reference library.
struct CorpusFolder {
  /// Our side of a file.
  struct Reading {
    let path: String
    /// The manifest's lines, or the refusal.
    let result: Result<[String], IngotError>
    let seconds: Double
  }

  let name: String
  let library: String
  let readings: [Reading]
  let answers: [ReferenceReader.Answer]

  /// Digests a file as the command does, twice; the time is that of the faster.
  static func read(
    _ path: String, lines: (String) throws -> [String] = manifest
  ) -> Reading {
    func once() -> (Result<[String], IngotError>, Double) {
      let start = ContinuousClock.now
      let result: Result<[String], IngotError>
      do {
        result = .success(try lines(path))
      } catch let error as IngotError {
        result = .failure(error)
      } catch {
        result = .failure(IngotError(.internal, "\(error)"))
      }
      let elapsed = ContinuousClock.now - start
      return (
        result, Double(elapsed.components.attoseconds) / 1e18 + Double(elapsed.components.seconds)
      )
    }
    let (first, firstTime) = once()
    let (_, secondTime) = once()
    return Reading(path: path, result: first, seconds: min(firstTime, secondTime))
  }

  /// The lines that `digest` prints.
  static func manifest(_ path: String) throws -> [String] {
    let manifest = try Fingerprinting(Checkpoint(path: path)).manifest()
    return manifest.textWithTotal.split(separator: "\n").map(String.init)
  }

  /// Size and hash of each member of an archive.
  static func members(_ path: String) throws -> [String] {
    let archive = try ZipArchive(InputFile(path: path))
    return try archive.members().map { member in
      let content = try archive.content(of: member).everything()
      let hash = SHA256.hash(data: content).map { String(format: "%02x", $0) }.joined()
      return "\(content.count) \(hash)"
    }
  }

  private var pairs: [(reading: Reading, answer: ReferenceReader.Answer)] {
    Array(zip(readings, answers))
  }

  /// Files that both read and whose digests differ.
  var disagreements: [String] {
    pairs.compactMap { reading, answer in
      guard case .success(let lines) = reading.result, let theirs = answer.lines, lines != theirs
      else { return nil }
      return reading.path
    }
  }

  /// A row of the page: how many files, and what became of them.
  var row: String {
    var counts: [String: Int] = [:]
    for (reading, answer) in pairs {
      let ours =
        switch reading.result {
        case .success: "read"
        case .failure(let error): error.errorClass == .unsupported ? "unsupported" : "refused"
        }
      counts[
        ours + " " + (answer.verdict == .hung ? "crashed" : answer.verdict.rawValue), default: 0] +=
        1
    }
    func count(_ key: String) -> String { "\(counts[key] ?? 0)" }
    let columns = [
      "read read", "read refused", "read crashed", "unsupported read", "refused read",
      "unsupported refused", "refused refused", "unsupported crashed", "refused crashed",
    ].map(count)
    return "| \(name) | \(library) | \(readings.count) | \(columns.joined(separator: " | ")) |"
  }

  static let rowTitle =
    """
    | folder | library | files | both read, same digest | we read, it refuses | we read, it crashes | \
    unsupported, it reads | refused, it reads | unsupported, it refuses | refused by both | \
    unsupported, it crashes | refused, it crashes |
    |---|---|---|---|---|---|---|---|---|---|---|---|
    """

  /// Lines that name what we refuse and the library reads, by reason.
  var refusals: [String] {
    var files: [String: [String]] = [:]
    for (reading, answer) in pairs where answer.verdict == .read {
      guard case .failure(let error) = reading.result else { continue }
      let reason = "`\(error.errorClass.rawValue)`: \(error.message.escapedForDisplay())"
      files[reason, default: []].append(URL(filePath: reading.path).lastPathComponent)
    }
    return files.sorted { $0.key < $1.key }.map { reason, names in
      "* \(reason.replacing("|", with: "\\|")) – \(names.sorted().joined(separator: ", "))"
    }
  }

  /// Lines that name what we read and the library refuses.
  var onlyOurs: [String] {
    pairs.compactMap { reading, answer in
      guard case .success = reading.result, answer.verdict != .read else { return nil }
      let why = answer.why ?? answer.verdict.rawValue
      return "* \(URL(filePath: reading.path).lastPathComponent) – "
        + why.split(separator: "\n")[0].replacing(reading.path, with: "…")
    }.sorted()
  }
}
