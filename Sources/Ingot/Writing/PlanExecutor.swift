internal import TensorFormats
internal import Tensors

/// Carries out a write plan on several threads, in memory bounded by the pieces under way.
struct PlanExecutor: Sendable {
  /// The number of threads.
  let jobs: Int
  /// Whether hashes of the canonical bytes are taken for comparing with the written file.
  let takesHashes: Bool
  let progress: ProgressMeter?

  /// What was written.
  struct Outcome {
    /// One per payload, in order.
    var results: [WritePlan.PayloadResult]
    /// The hashes of each payload's pieces; empty where none were taken.
    var hashes: [PieceHashes]
    /// The encoded pieces as they were written, in any order; empty where no hashes were taken.
    var encoded: [EncodedPiece] = []
    /// What the plan's last steps wrote, in order.
    var patches: [WritePlan.Patch] = []
  }

  /// Encoded bytes in the file.
  ///
  /// Others may decode to the same elements, and would make another file.
  struct EncodedPiece {
    var offset: Int
    var byteCount: Int
    var hash: UInt64
  }

  /// Writes everything the plan says into `output`.
  ///
  /// - Throws: what sources, encoders and the file throw, tensors named.
  func execute(_ plan: WritePlan, into output: OutputFile) throws -> Outcome {
    var outcome = try PlanExecution(plan, output: output, executor: self).writeParts()
    for step in plan.finish {
      for patch in try step(.init(results: outcome.results, file: output)) {
        output.extend(to: try patch.offset.adding(patch.bytes.count, "the size of the file"))
        try output.write(patch.bytes.rawSpan, at: patch.offset)
        if takesHashes { outcome.patches.append(patch) }
      }
    }
    if !takesHashes { outcome.hashes = [] }
    return outcome
  }
}
