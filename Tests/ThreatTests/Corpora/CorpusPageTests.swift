import Foundation
import TestSupport
import Tensors
import Testing

/// Every file of the corpus of our formats, here and with the library that others read it with; the
/// outcome is kept in `docs/corpora.md`.
@Suite(
  .enabled(
    if: Places.corpus != nil && Places.python != nil,
    "INGOT_CORPUS and INGOT_PYTHON name a corpus and a Python with h5py"))
struct CorpusPageTests {
  private static let page = Places.project.appending(path: "docs/corpora.md")

  private static let folders = [
    ("hdf5/cve_hdf5", "h5py"), ("hdf5/own-mutants-1.10.8", "h5py"), ("hdf5/own-made", "h5py"),
    ("hdf5/hdfgroup-testfiles", "h5py"), ("hdf5/jhdf", "h5py"), ("hdf5/pyfive", "h5py"),
    ("npy-npz/generated", "NumPy"), ("npy-npz/numpy", "NumPy"),
    ("safetensors/generated", "safetensors"),
  ]

  /// One folder after the other: libhdf5 takes its time.
  @Test(.row("H1", "H2", "H45", "Z24", "G29"))
  func `every file is read as its library reads it, or refused with a class`() throws {
    let corpus = try #require(Places.corpus)
    var folders = try Self.folders.map { name, library in
      let paths = ExpectedFile.files(below: corpus.appending(path: name)).filter {
        !$0.hasSuffix(".tsv")
      }
      return CorpusFolder(
        name: name, library: library, readings: paths.map { CorpusFolder.read($0) },
        answers: try ReferenceReader.digests(paths))
    }
    folders += try ["zip/libzip", "zip/yauzl", "zip/zip2-tests"].map { name in
      let paths = ExpectedFile.files(below: corpus.appending(path: name))
      return CorpusFolder(
        name: name, library: "zipfile",
        readings: paths.map { CorpusFolder.read($0, lines: CorpusFolder.members) },
        answers: try ReferenceReader.zips(paths))
    }
    for folder in folders {
      #expect(folder.disagreements == [], "wrong data")
      for reading in folder.readings {
        guard case .failure(let error) = reading.result else { continue }
        #expect(
          [.malformed, .integrity, .limit, .unsafe, .unsupported].contains(error.errorClass),
          "\(reading.path): \(error)")
      }
    }
    checkTimes(folders.flatMap(\.readings))
    let abnormal = try runCommand(folders.flatMap(\.readings))
    #expect(abnormal == [])
    try check(Self.text(folders, corpus, abnormal))
  }

  /// Digests every file by the command in an address space of 512 MiB; returns those that ended abnormally.
  ///
  /// A sanitizer takes terabytes of addresses.
  private func runCommand(_ readings: [CorpusFolder.Reading]) throws -> [String] {
    try readings.compactMap { reading in
      let run = try MeasuredRun(
        ["digest", reading.path], addressSpace: Sanitizer.isOn ? 0 : 512 << 20)
      #expect(
        run.peakBytes < 128 << 20 || Sanitizer.isOn,
        "\(reading.path) took \(run.peakBytes >> 10) KiB")
      return [0, 65, 69].contains(run.status) ? nil : reading.path
    }
  }

  /// Refusals take 50 ms at most, but for the slowest in a hundred.
  private func checkTimes(_ readings: [CorpusFolder.Reading]) {
    let times = readings.compactMap { reading in
      if case .failure = reading.result { reading.seconds } else { nil }
    }.sorted()
    let most = times[(times.count - 1) * 99 / 100]
    print(
      "time to refuse \(times.count) files: median \(times[times.count / 2] * 1000) ms, "
        + "99 % within \(most * 1000) ms, worst \(times[times.count - 1] * 1000) ms")
    #if !DEBUG
    #expect(most <= 0.05 && times[times.count - 1] <= 2 || Sanitizer.isOn)
    #endif
  }

  /// The page must be the committed one; with `INGOT_UPDATE` it is written.
  private func check(_ text: String) throws {
    print(text)
    if ProcessInfo.processInfo.environment["INGOT_UPDATE"] != nil {
      try Data(text.utf8).write(to: Self.page)
    } else {
      let committed = try? String(contentsOf: Self.page, encoding: .utf8)
      #expect(
        committed == text,
        "docs/corpora.md is stale: INGOT_UPDATE=1 script/test --filter CorpusPageTests")
    }
  }

  private static func text(
    _ folders: [CorpusFolder], _ corpus: URL, _ abnormal: [String]
  ) throws -> String {
    var lines = [
      """
      # Hostile and odd files, here and elsewhere

      Made by `INGOT_UPDATE=1 INGOT_CORPUS=… script/test --filter CorpusPageTests` from a corpus of crash
      files, other projects' test files, and files made to break rules. *Refused* is `malformed`,
      `integrity`, `limit` or `unsafe`; *unsupported* names the feature. No file ends Ingot by a signal,
      exits with 70, hangs, or is read with another digest than its library's.

      ## Files that a format's rules decide

      | folder | files | class as expected | must be refused | of those the library reads |
      |---|---|---|---|---|
      """
    ]
    for (folder, oracle, library) in [
      ("safetensors/generated", "oracle_safetensors_lib.tsv", "safetensors"),
      ("npy-npz/generated", "oracle_numpy.tsv", "NumPy"),
    ] {
      lines.append(
        try decided(
          corpus.appending(path: folder), oracle, folders.first { $0.name == folder }, library))
    }
    lines += ["", "## Files as the libraries read them", "", CorpusFolder.rowTitle]
    lines += folders.map(\.row)
    lines += [
      "", "## The HDF Group's crash files and our mutants of ordinary files", "",
      "How many of these files end each reader by a signal, a sanitizer's report, or a limit of time:",
      "", "| reader | abnormal ends | files |", "|---|---|---|",
    ]
    lines += try abnormalEnds(corpus, abnormal.count)
    for folder in folders {
      if !folder.refusals.isEmpty {
        lines += ["", "## What \(folder.library) reads of \(folder.name) and Ingot refuses", ""]
        lines += folder.refusals
      }
      if !folder.onlyOurs.isEmpty {
        lines += ["", "## What Ingot reads of \(folder.name) and \(folder.library) does not", ""]
        lines += folder.onlyOurs
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The row of a folder whose files have an expected class.
  private static func decided(
    _ folder: URL, _ oracleName: String, _ found: CorpusFolder?, _ library: String
  ) throws -> String {
    let expected = ExpectedFile.rows(folder.appending(path: "expected.tsv"))
    let oracle = try String(contentsOf: folder.appending(path: oracleName), encoding: .utf8)
      .split(separator: "\n").reduce(into: [String: Substring]()) { table, line in
        let fields = line.split(separator: "\t")
        if fields.count >= 3 { table[String(fields[0])] = fields[2] }
      }
    var asExpected = 0
    var refused = 0
    var accepted = 0
    for file in expected {
      let reading = found?.readings.first { $0.path == file.path }
      let outcome =
        switch reading?.result {
        case .failure(let error)?: error.errorClass.rawValue
        case .success?: "OK"
        case nil: "absent"
        }
      if file.outcomes.contains(outcome) { asExpected += 1 }
      guard file.outcomes.isDisjoint(with: ["OK", "unsupported"]) else { continue }
      refused += 1
      let name = URL(filePath: file.path).lastPathComponent
      let stem = name.split(separator: ".").dropLast().joined(separator: ".")
      if (oracle[name] ?? oracle[stem])?.hasPrefix("accept") == true { accepted += 1 }
    }
    #expect(asExpected == expected.count)
    return "| \(folder.pathComponents.suffix(2).joined(separator: "/")) | \(expected.count) "
      + "| \(asExpected) | \(refused) | \(accepted) (\(library)) |"
  }

  /// Rows of readers and how often they ended abnormally, from the corpus's own record.
  private static func abnormalEnds(_ corpus: URL, _ ours: Int) throws -> [String] {
    let text = try String(
      contentsOf: corpus.appending(path: "hdf5/baseline.tsv"), encoding: .utf8)
    let rows = text.split(separator: "\n").map { $0.split(separator: "\t") }
    let readers = try #require(rows.first).dropFirst()
    let files = rows.dropFirst().filter { row in
      FileManager.default.fileExists(atPath: corpus.appending(path: "hdf5/\(row[0])").filePath)
        && ["cve_hdf5/", "own-mutants"].contains { row[0].hasPrefix($0) }
    }
    return readers.enumerated().map { index, reader in
      let ends = files.count { row in
        row.count > index + 1 && !row[index + 1].hasPrefix("rc") && row[index + 1] != "-"
      }
      return "| \(reader) | \(ends) | \(files.count) |"
    } + ["| Ingot | \(ours) | \(files.count) |"]
  }
}
