internal import TensorFormats
internal import Tensors

/// A destination whose bytes are written and which has no name yet, and what is needed to check its tensors.
struct WrittenFile {
  let output: OutputFile
  let format: any TensorFormat
  let table: TensorTable
  /// The tensors whose data were written, in the plan's order; empty for text.
  let payloadNames: [ExactString]
  /// One per payload; empty where none were taken.
  let hashes: [PieceHashes]
  /// The encoded pieces as they were written, in any order.
  let encoded: [PlanExecutor.EncodedPiece]

  /// Carries out the plan of `table` and, where the executor takes hashes, compares what is no tensor's data
  /// (headers, directories, metadata and the zeros between) at once: the plan of a million tensors need not
  /// stay in memory while they are compared.
  ///
  /// - Throws: what the executor throws; `io` where the file holds something else than what was written.
  init(
    _ plan: WritePlan, of table: TensorTable, in format: any TensorFormat, to output: OutputFile,
    by executor: PlanExecutor
  ) throws {
    let outcome = try executor.execute(plan, into: output)
    if executor.takesHashes {
      try Tensors.naming(file: output.path) {
        try FixedBytes(plan, outcome).compare(with: output, jobs: executor.jobs)
      }
    }
    self.output = output
    self.format = format
    self.table = table
    payloadNames = plan.parts.compactMap {
      if case .payload(let payload) = $0 { payload.name } else { nil }
    }
    hashes = outcome.hashes
    encoded = outcome.encoded
  }

  /// The error of a file that does not hold what was written.
  static func differs(_ what: String, tensor: ExactString? = nil, offset: Int? = nil) -> IngotError
  {
    IngotError(
      .io, "the written file differs from its source: \(what)", tensor: tensor, offset: offset,
      hint: "nothing was left behind; check the disk and the memory of this machine")
  }
}
