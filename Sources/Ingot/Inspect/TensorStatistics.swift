private import Synchronization
internal import Tensors

/// Computes statistics of every tensor of a table on several threads.
enum TensorStatistics {
  /// One value per entry; an alias has nil, its target's statistics are its own.
  static func compute(_ table: TensorTable, jobs: Int) throws -> [Statistics?] {
    let aliases = table.aliasTargets()
    var tasks: [(entry: Int, pieces: Range<Int>)] = []
    let layouts = table.entries.map {
      PieceLayout($0.tensor.source, block: $0.tensor.elementType.layout.bytesPerBlock)
    }
    for index in table.entries.indices where aliases[index] == nil {
      let layout = layouts[index]
      let step = table.entries[index].tensor.source.access != .random ? layout.count : 8
      for first in stride(from: 0, to: layout.count, by: step) {
        tasks.append((index, first..<min(first + step, layout.count)))
      }
    }
    let work = tasks
    let partial = try Workers.map(work.count, jobs: jobs, makeWorkspace: { [UInt8]() }) {
      task, buffer in
      let (index, pieces) = work[task]
      let entry = table.entries[index]
      var statistics = Statistics()
      try Tensors.naming(tensor: entry.name) {
        for piece in pieces {
          let range = layouts[index].range(piece)
          if buffer.count < range.count { buffer = [UInt8](repeating: 0, count: range.count) }
          try buffer.withMutableBytes { bytes in
            try bytes.withRange(0..<range.count) { part in
              try entry.tensor.source.read(into: &part, at: range.lowerBound)
              statistics.merge(Statistics(of: part.bytes, type: entry.tensor.elementType))
            }
          }
        }
      }
      return statistics
    }
    // Merged in the order of the pieces, so that the sums do not depend on the threads' timing.
    var results = [Statistics?](repeating: nil, count: table.entries.count)
    for (task, statistics) in zip(work, partial) {
      if results[task.entry] == nil {
        results[task.entry] = statistics
      } else {
        results[task.entry]?.merge(statistics)
      }
    }
    return results
  }
}

extension Statistics {
  /// The object that reports carry.
  var json: JSON {
    [
      "min": min.map(JSON.number) ?? .null, "max": max.map(JSON.number) ?? .null,
      "mean": mean.map(JSON.number) ?? .null,
      "std": standardDeviation.map(JSON.number) ?? .null, "zeros": JSON(zeros),
      "nan": JSON(nan), "inf": JSON(infinite),
    ]
  }
}
