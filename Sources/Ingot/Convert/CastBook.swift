/// The casts of a conversion and what they do to each tensor while it streams by.
struct CastBook: Sendable {
  /// One tensor's cast.
  struct Entry: Sendable {
    let name: ExactString
    let from: ElementType
    let to: ElementType
    let recorder: CastRecorder
  }

  private(set) var entries: [Entry] = []

  /// Casts the tensors of `table` that `casts` name; the last cast that applies wins.
  ///
  /// Tied tensors stay tied.
  ///
  /// - Throws: `usage` for a pattern that matches nothing; what the cast itself refuses, tensor named.
  static func apply(
    _ casts: [ConvertOptions.Cast], to table: TensorTable
  ) throws -> (table: TensorTable, book: CastBook) {
    guard !casts.isEmpty else { return (table, CastBook()) }
    let selections = try casts.map { cast in
      let selection = cast.pattern.map { Selection(include: [$0]) }
      try selection?.checkMatches([table])
      return selection
    }
    struct Key: Hashable {
      let storage: StorageIdentity
      let from: ElementType
      let to: ElementType
      let shape: Shape
    }
    var known: [Key: (tensor: Tensor, recorder: CastRecorder)] = [:]
    var book = CastBook()
    let entries = try table.entries.map { entry -> TensorTable.Entry in
      let tensor = entry.tensor
      let applying = selections.lastIndex { selection in
        selection?.selects(entry.name) ?? (tensor.elementType.kind == .float)
      }
      guard let to = applying.map({ casts[$0].elementType }), to != tensor.elementType else {
        return entry
      }
      let key = tensor.storage.map {
        Key(storage: $0, from: tensor.elementType, to: to, shape: tensor.shape)
      }
      let result: (tensor: Tensor, recorder: CastRecorder)
      if let key, let earlier = known[key] {
        result = earlier
      } else {
        let recorder = CastRecorder()
        result = (
          try Tensors.naming(tensor: entry.name) { try tensor.cast(to: to, recorder: recorder) },
          recorder
        )
        if let key { known[key] = result }
      }
      book.entries.append(
        Entry(name: entry.name, from: tensor.elementType, to: to, recorder: result.recorder))
      return TensorTable.Entry(name: entry.name, tensor: result.tensor)
    }
    return (try table.replacingEntries(entries), book)
  }

  /// What the casts did, complete when every element was read.
  var reports: [ConversionReport.CastItem] {
    entries.map {
      ConversionReport.CastItem(
        name: $0.name, from: $0.from, to: $0.to, report: $0.recorder.report)
    }
  }
}
