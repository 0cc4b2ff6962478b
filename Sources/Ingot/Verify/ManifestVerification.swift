internal import Tensors

/// Makes the checks of a manifest, every one, whatever comes of the others.
public struct ManifestVerification: Sendable {
  private let manifest: ChecksManifest
  /// The format of every checkpoint; recognised by content where nil.
  public var format: String?
  /// The bounds of reading.
  public var options = ReadOptions()
  /// Threads to use; one per processor where nil.
  public var jobs: Int?

  /// Prepares to make the checks of a manifest.
  public init(_ manifest: ChecksManifest) { self.manifest = manifest }

  /// Makes them.
  ///
  /// - Parameter observe: Is given each check when it has been made.
  public func report(observe: (ChecksReport.Check) -> Void = { _ in }) -> ChecksReport {
    var checks: [ChecksReport.Check] = []
    func add(_ path: String, _ name: String, _ outcome: Outcome) {
      let check = ChecksReport.Check(
        path: path, name: name, outcome: outcome.outcome, verification: outcome.verification)
      checks.append(check)
      observe(check)
    }
    for entry in manifest.entries {
      for glob in entry.paths {
        let paths: [String]
        do {
          paths = try PathGlob.paths(glob, in: manifest.folder)
        } catch {
          for check in entry.checks { add(glob, check.name, Outcome(error)) }
          continue
        }
        for path in paths {
          var subject = Subject(path: path, entry: entry, manifest: self)
          for check in entry.checks {
            do {
              add(path, check.name, try subject.outcome(of: check))
            } catch {
              add(path, check.name, Outcome(error))
            }
          }
        }
      }
    }
    return ChecksReport(path: manifest.path, checks: checks)
  }
}

/// What came of a check, with the whole report where there is one.
private struct Outcome {
  let outcome: ChecksReport.Check.Outcome
  var verification: VerificationReport?

  /// A check that could not be made.
  init(_ error: any Error) {
    outcome = .refused(error as? IngotError ?? IngotError(.internal, "\(error)"))
  }

  /// A check that was made, and what was found.
  init(holds: Bool, _ found: String) { outcome = holds ? .passed(found) : .failed(found) }

  init(_ report: VerificationReport) {
    self.init(holds: report.isOK, report.summary)
    verification = report
  }
}

/// One checkpoint of an entry, opened once for all its checks.
private struct Subject {
  let path: String
  let entry: ChecksManifest.Entry
  let manifest: ManifestVerification
  private var opened: Result<Checkpoint, any Error>?
  private var understood: Result<ModelSource, any Error>?

  init(path: String, entry: ChecksManifest.Entry, manifest: ManifestVerification) {
    self.path = path
    self.entry = entry
    self.manifest = manifest
  }

  private func open(_ path: String) throws -> Checkpoint {
    try Checkpoint(path: path, format: manifest.format, options: manifest.options)
  }

  private mutating func checkpoint() throws -> Checkpoint {
    let result = opened ?? Result { try open(path) }
    opened = result
    return try result.get()
  }

  private func modelOptions() throws -> ModelOptions {
    var options = ModelOptions()
    options.architecture = try entry.architecture.map(Architecture.resolve)
    options.configuration = entry.configuration
    options.settings = entry.settings
    return options
  }

  private mutating func source() throws -> ModelSource {
    let checkpoint = try checkpoint()
    let result = understood ?? Result { try ModelSource(checkpoint, try modelOptions()) }
    understood = result
    return try result.get()
  }

  /// The model, or nil where nobody said what it is and it cannot be told.
  private mutating func sourceIfKnown() throws -> ModelSource? {
    do {
      return try source()
    } catch let error as IngotError
      where error.errorClass == .unsupported && entry.architecture == nil
      && entry.configuration == nil
    {
      return nil
    }
  }

  mutating func outcome(of check: ChecksManifest.Check) throws -> Outcome {
    switch check {
    case .golden(let golden):
      var verification = Verification(try source(), try Golden(path: golden))
      verification.precision = entry.precision
      verification.relativeTolerance = entry.relativeTolerance
      verification.absoluteTolerance = entry.absoluteTolerance
      verification.jobs = manifest.jobs
      return Outcome(try verification.report())
    case .against(let other):
      var verification = try PairVerification(
        try checkpoint(), against: try open(other), try modelOptions())
      verification.precision = entry.precision
      verification.relativeTolerance = entry.relativeTolerance
      verification.absoluteTolerance = entry.absoluteTolerance
      verification.seed = entry.seed
      verification.sequence = entry.sequence
      verification.jobs = manifest.jobs
      return Outcome(try verification.report())
    case .digest(let digest): return try outcome(of: digest)
    case .parameters(let expected):
      let found = try parameters()
      return Outcome(
        holds: found == expected,
        found == expected ? "\(found)" : "expected \(expected), found \(found)")
    case .finite:
      let faults = try notFinite()
      return Outcome(
        holds: faults.isEmpty,
        faults.isEmpty ? "neither NaN nor infinities" : Self.list(faults.map(\.line)))
    case .fits:
      let validation = try Validation(try source())
      return Outcome(
        holds: validation.isValid,
        validation.isValid
          ? "\(validation.source.model.architecture.name), \(validation.foundParameters) parameters"
          : Self.list(CheckpointFaults(validation).lines))
    }
  }

  private mutating func outcome(of digest: ChecksManifest.Digest) throws -> Outcome {
    var fingerprint = Fingerprinting(try checkpoint())
    fingerprint.jobs = manifest.jobs
    switch digest {
    case .total(let expected):
      let total = try fingerprint.manifest().total
      return Outcome(
        holds: total == expected,
        total == expected ? total : "expected \(expected), found \(total)")
    case .manifest(let path):
      let recorded = try Fingerprinting.recordedManifest(path: path)
      let found = try fingerprint.manifest()
      let difference = fingerprint.difference(of: found, from: recorded)
      let lines =
        difference.changed.map { "changed: \($0)" } + difference.missing.map { "missing: \($0)" }
        + difference.added.map { "added: \($0)" }
        + (difference.totalDiffers ? ["the total line is not that of its own lines"] : [])
      return Outcome(
        holds: difference.isEmpty, difference.isEmpty ? found.total : Self.list(lines))
    }
  }

  private mutating func parameters() throws -> Int {
    guard let source = try sourceIfKnown() else {
      return try ParametersReport(try checkpoint().table).counts.total
    }
    return try Validation(source).foundParameters
  }

  /// Of a known model the weights, which are what is computed with: masks in buffers may be infinite.
  private mutating func notFinite() throws -> [CheckpointFaults.NotFinite] {
    let checkpoint = try checkpoint()
    let jobs = manifest.jobs ?? Workers.processorCount
    let buffers = Set((try? source())?.reading?.buffers ?? [])
    let table = try checkpoint.table.replacingEntries(
      checkpoint.table.entries.filter {
        $0.tensor.elementType.kind == .float && !buffers.contains($0.name)
      })
    return try checkpoint.naming {
      try checkpoint.checkReadable(table)
      let faults = try CheckpointFaults.NotFinite.find(in: table, jobs: jobs)
      try checkpoint.checkUnchanged()
      return faults
    }
  }

  private static func list(_ lines: [String]) -> String {
    let more = lines.count > 5 ? " and \(lines.count - 5) more" : ""
    return lines.prefix(5).joined(separator: "; ") + more
  }
}

extension ChecksManifest.Check {
  /// The check in words.
  fileprivate var name: String {
    switch self {
    case .golden(let path): "golden \(path)"
    case .against(let path): "against \(path)"
    case .digest(.total): "digest"
    case .digest(.manifest(let path)): "digest \(path)"
    case .parameters: "parameters"
    case .finite: "finite"
    case .fits: "fits"
    }
  }
}

extension VerificationReport {
  /// What was found, in a line.
  fileprivate var summary: String {
    if let first = firstDivergence {
      let place = first.place.map { " (\($0))" } ?? ""
      let suspect = suspects.first.map { "; suspect: \($0.cause)" } ?? ""
      return "first divergence: \(first.name)\(place): \(first.summary)\(suspect)"
    }
    if let fault = faults.lines.first {
      let more = faults.lines.count > 1 ? " and \(faults.lines.count - 1) more" : ""
      return fault + more
    }
    let worst = states.map(\.worst).max() ?? 0
    return
      "\(states.count) states, the worst at \((worst * 1000).rounded() / 1000) of the tolerance"
  }
}
