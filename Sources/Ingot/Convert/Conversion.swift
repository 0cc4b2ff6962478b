internal import Rules
internal import Tensors

/// Converts a checkpoint into another format: `ingot convert`.
public struct Conversion: Sendable {
  /// The opened source.
  public let source: Checkpoint
  /// The path of the destination; of a set of shards, the path that their names are made from.
  public let destination: String
  private let options: ConvertOptions
  private let format: any TensorFormat
  private let table: TensorTable
  private let rulesReport: RulesReport?
  private let nameConversion: NameConversion?
  private let casts: CastBook
  private var files: [PlannedFile]
  private let droppedOthers: [OtherItem]
  private let droppedMetadata: [ExactString]

  /// One file of the destination.
  private struct PlannedFile {
    var path: String
    var table: TensorTable
    var plan: WritePlan
    var format: any TensorFormat
  }

  /// Opens the source and plans everything, without touching the destination.
  ///
  /// - Throws: what opening throws; `unsupported` listing what the destination cannot hold; `usage` for
  ///   a destination whose format cannot be told.
  public init(source path: String, destination: String, options: ConvertOptions) throws {
    format = try Self.destinationFormat(destination, options)
    guard format.compresses || options.writing.compression == .none else {
      throw IngotError(
        .usage, "\(format.identifier) holds no compressed data", file: destination,
        hint: "leave out --compression, or choose "
          + Formats.all.filter(\.compresses).map(\.identifier).joined(separator: ", "))
    }
    if options.maximumShardBytes == nil {
      try OutputFile.checkDestination(destination, replaces: options.replacesDestination)
    }
    source = try Checkpoint(
      path: path, format: options.sourceFormat, options: options.reading)
    self.destination = destination
    self.options = options
    var table = try options.selection.apply(to: source.table)
    var rulesReport: RulesReport?
    try source.checkReadable(table)
    if let names = options.names {
      let conversion = try NameConversion(
        source, table, to: names, allowing: options.allowedUnmapped, options.model)
      table = conversion.table
      nameConversion = conversion
    } else {
      nameConversion = nil
    }
    if let rules = options.rules {
      (table, rulesReport) = try rules.apply(
        to: table, spoolFolder: options.reading.temporaryFolder)
    }
    (table, casts) = try CastBook.apply(options.casts, to: table)
    droppedOthers = table.others
    guard !options.isStrict || table.others.isEmpty else {
      throw IngotError(
        .unsupported,
        "--strict: these are no tensors and would be dropped: "
          + table.others.prefix(20).map { "'\($0.name.escapedForDisplay())' (\($0.type))" }
          .joined(separator: ", "), file: source.files[0])
    }
    self.table = table
    self.rulesReport = rulesReport
    let plans = try Tensors.naming(file: destination) { [format, source] in
      try Self.plan(table, format, destination, options, source)
    }
    files = plans
    // Every shard of a set may name the same key.
    var seen: Set<ExactString> = []
    droppedMetadata =
      ((nameConversion?.droppedMetadata ?? []) + files.flatMap(\.plan.droppedMetadata))
      .filter { seen.insert($0).inserted }
    guard !options.isStrict || droppedMetadata.isEmpty else {
      throw IngotError(
        .unsupported,
        "--strict: \(format.identifier) cannot hold this metadata: "
          + droppedMetadata.prefix(20).map { "'\($0.escapedForDisplay())'" }.joined(separator: ", "),
        file: destination)
    }
    for file in files {
      try OutputFile.checkDestination(file.path, replaces: options.replacesDestination)
      // One file is replaced by one in a single step; a set is not, nor one file of a set.
      if files.count > 1 || source.files.count > 1, source.hasFile(at: file.path) {
        throw IngotError(
          .usage, "is a file of the source, and a set of files cannot be replaced in one step",
          file: file.path, hint: "choose another folder or another name")
      }
    }
  }

  private static func destinationFormat(
    _ destination: String, _ options: ConvertOptions
  ) throws -> any TensorFormat {
    if let identifier = options.destinationFormat { return try Formats.named(identifier) }
    if let format = Formats.forExtension(of: destination) { return format }
    let extensions = Formats.all.flatMap(\.fileExtensions).joined(separator: " ")
    throw IngotError(
      .usage, "the extension names no format", file: destination,
      hint: "give --to, or one of the extensions \(extensions)")
  }

  private static func plan(
    _ table: TensorTable, _ format: any TensorFormat, _ destination: String,
    _ options: ConvertOptions, _ source: Checkpoint
  ) throws -> [PlannedFile] {
    var writing = options.writing
    writing.provenance = [
      "source_format": .string(source.format.identifier),
      "source_files": .array(source.files.map { .string($0.fileName) }),
    ]
    func plan(
      _ table: TensorTable, _ path: String, _ fileFormat: (any TensorFormat)? = nil
    ) throws -> PlannedFile {
      writing.fileName = path.fileName
      let fileFormat = fileFormat ?? format
      return PlannedFile(
        path: path, table: table, plan: try fileFormat.plan(table, writing), format: fileFormat)
    }
    guard let bound = options.maximumShardBytes else { return [try plan(table, destination)] }
    guard let sharded = format as? any ShardedFormat else {
      throw IngotError(
        .usage, "\(format.identifier) is one file", hint: "leave out --max-shard-size")
    }
    let set = try sharded.shards(
      of: table, maximumBytes: bound, fileName: destination.fileName)
    // Formats that can be one file have no index then.
    guard set.files.count > 1 || sharded.indexFormat.identifier == format.identifier else {
      return [try plan(table, destination)]
    }
    let folder = String(destination.dropLast(destination.fileName.count))
    var files = try set.files.map { try plan($0.table, folder + $0.name.text, set.fileFormat) }
    var index = WritePlan()
    index.parts = [.bytes(set.index)]
    files.append(
      PlannedFile(
        path: folder + set.indexName, table: table, plan: index, format: sharded.indexFormat))
    return files
  }

  /// Writes, checks and commits the destination, or, in a dry run, only describes it.
  ///
  /// It uses the conversion up: what was planned for a file leaves memory when that is written.
  ///
  /// - Throws: `output`, `io` or `changed`; the destination is then what it was before.
  public consuming func run(progress: ProgressMeter? = nil) throws -> ConversionReport {
    var report = ConversionReport(
      source: source, destination: destination, format: format.identifier, table: table,
      files: files.map(\.path), rules: rulesReport?.rules ?? [],
      isDryRun: options.isDryRun, droppedMetadata: droppedMetadata,
      droppedOthers: droppedOthers,
      notes: (nameConversion?.notes ?? []) + files.flatMap(\.plan.notes))
    report.names = nameConversion
    guard !options.isDryRun else { return report }
    progress?.expect(table.entries.reduce(0) { $0 + $1.tensor.byteCount })
    let jobs = options.jobs ?? Workers.processorCount
    let executor = PlanExecutor(jobs: jobs, takesHashes: options.checksResult, progress: progress)
    var written: [WrittenFile] = []
    let folder = try OutputFile.openFolder(of: destination)
    for index in files.indices {
      let output = try OutputFile(
        path: files[index].path, in: folder, replaces: options.replacesDestination,
        syncs: options.syncsResult)
      written.append(
        try source.naming { [file = files[index]] in
          try WrittenFile(file.plan, of: file.table, in: file.format, to: output, by: executor)
        })
      files[index].plan = WritePlan()
      report.writtenBytes += output.byteCount
    }
    let check = WrittenCheck(files: written, jobs: jobs, options: options.reading)
    try check.finishAndCompare(comparing: options.checksResult)
    report.isChecked = options.checksResult
    try source.checkUnchanged()
    try OutputFile.commit(written.map(\.output))
    report.casts = casts.reports
    return report
  }
}
