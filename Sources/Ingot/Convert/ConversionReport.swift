/// What a conversion did, or, in a dry run, would do.
public struct ConversionReport: Sendable {
  /// A tensor as it goes into the destination.
  public struct Item: Sendable {
    /// Its name in the destination.
    public let name: ExactString
    /// Its element type in the destination.
    public let elementType: ElementType
    /// Its shape in the destination.
    public let shape: Shape
    /// Its size in bytes.
    public let byteCount: Int
  }

  /// What casting did to a tensor.
  public struct CastItem: Sendable {
    /// The tensor's name in the destination.
    public let name: ExactString
    /// Its element type in the source.
    public let from: ElementType
    /// Its element type in the destination.
    public let to: ElementType
    /// What became of its values.
    public let report: CastReport
  }

  /// The path of the source.
  public let source: String
  /// The format of the source.
  public let sourceFormat: String
  /// The files of the source.
  public let sourceFiles: [String]
  /// The path of the destination.
  public let destination: String
  /// The format of the destination.
  public let destinationFormat: String
  /// The files of the destination; an index comes last.
  public let destinationFiles: [String]
  /// The tensors of the destination in order.
  public let items: [Item]
  /// What each rule of the rules file changed, in the order applied.
  public let rules: [RulesReport.Rule]
  /// Metadata keys that the destination cannot hold.
  public let droppedMetadata: [ExactString]
  /// What is in the source and is no tensor.
  public let droppedOthers: [OtherItem]
  /// What a user should know, one sentence each.
  public let notes: [String]
  /// What became of every name, where another convention was asked for.
  public var names: NameConversion?
  /// Whether nothing was written.
  public let isDryRun: Bool
  /// The bytes written; 0 in a dry run.
  public var writtenBytes = 0
  /// Whether the destination was re-opened and compared.
  public var isChecked = false
  /// What casting did to each tensor that was cast.
  public var casts: [CastItem] = []

  init(
    source: Checkpoint, destination: String, format: String, table: TensorTable, files: [String],
    rules: [RulesReport.Rule], isDryRun: Bool, droppedMetadata: [ExactString],
    droppedOthers: [OtherItem], notes: [String]
  ) {
    self.source = source.path
    sourceFormat = source.format.identifier
    sourceFiles = source.files
    self.destination = destination
    destinationFormat = format
    destinationFiles = files
    items = table.entries.map {
      Item(
        name: $0.name, elementType: $0.tensor.elementType, shape: $0.tensor.shape,
        byteCount: $0.tensor.byteCount)
    }
    self.rules = rules
    self.isDryRun = isDryRun
    self.droppedMetadata = droppedMetadata
    self.droppedOthers = droppedOthers
    self.notes = source.table.notes + notes
  }

  /// The bytes of all tensors.
  public var tensorBytes: Int { items.reduce(0) { $0 + $1.byteCount } }

  /// The report that `--json` prints (`schemas/convert.schema.json`).
  public var json: JSON {
    [
      "source": [
        "path": .string(source), "format": .string(sourceFormat),
        "files": .array(sourceFiles.map(JSON.string)),
      ],
      "destination": [
        "path": .string(destination), "format": .string(destinationFormat),
        "files": .array(destinationFiles.map(JSON.string)), "bytes": JSON(writtenBytes),
      ],
      "tensors": .array(
        items.map {
          [
            "name": .string($0.name), "dtype": .string($0.elementType.name),
            "shape": JSON($0.shape.dimensions), "bytes": JSON($0.byteCount),
          ]
        }),
      "totals": ["tensors": JSON(items.count), "bytes": JSON(tensorBytes)],
      "rules": .array(rules.map(\.json)), "names": names?.json ?? .null,
      "dropped": [
        "metadata": .array(droppedMetadata.map(JSON.string)),
        "others": .array(
          droppedOthers.map { ["name": .string($0.name), "type": .string($0.type)] }),
      ],
      "casts": .array(casts.map(\.json)),
      "dry_run": .boolean(isDryRun), "checked": .boolean(isChecked),
      "notes": .array(notes.map(JSON.string)),
    ]
  }
}

extension NameConversion {
  fileprivate var json: JSON {
    [
      "architecture": .string(architecture), "from": .string(from),
      "to": .string(respelling.convention.name), "mapping": respelling.json,
    ]
  }
}

extension Respelling {
  /// Every row of the mapping.
  public var json: JSON {
    .array(
      rows.map {
        [
          "from": .array($0.from.map(JSON.string)), "roles": .array($0.roles.map(JSON.string)),
          "to": JSON($0.to), "remark": JSON($0.remark?.rawValue),
        ]
      })
  }
}

extension ConversionReport.CastItem {
  fileprivate var json: JSON {
    [
      "name": .string(name), "from": .string(from.name), "to": .string(to.name),
      "elements": JSON(report.elements),
      "overflowed_to_infinity": JSON(report.overflowedToInfinity),
      "saturated": JSON(report.saturated), "underflowed_to_zero": JSON(report.underflowedToZero),
      "nan_kept": JSON(report.nanKept), "nan_made": JSON(report.nanMade),
      "inexact": JSON(report.inexact),
      "largest_relative_error": .number(report.largestRelativeError),
    ]
  }
}

extension RulesReport.Rule {
  fileprivate var json: JSON {
    [
      "kind": .string(kind.rawValue), "patterns": .array(patterns.map(JSON.string)),
      "line": JSON(line),
      "changes": .array(
        changes.map {
          [
            "from": .array($0.from.map(JSON.string)), "to": .array($0.to.map(JSON.string)),
          ]
        }),
    ]
  }
}
