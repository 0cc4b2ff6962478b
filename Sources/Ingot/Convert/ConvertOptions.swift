/// What a user can ask of a conversion.
public struct ConvertOptions: Sendable {
  /// An element type for the tensors whose names match a pattern.
  public struct Cast: Sendable, Hashable {
    /// The glob that names match; nil means every floating tensor.
    public var pattern: ExactString?
    /// The type that they become.
    public var elementType: ElementType

    /// A cast of every floating tensor, or of the tensors that `pattern` matches, whatever their type.
    public init(_ elementType: ElementType, pattern: ExactString? = nil) {
      self.pattern = pattern
      self.elementType = elementType
    }
  }

  /// The source's format; nil recognises it by content.
  public var sourceFormat: String?
  /// The destination's format; nil takes the one of its extension.
  public var destinationFormat: String?
  /// Element types to cast to; a later one wins over an earlier.
  public var casts: [Cast] = []
  /// Renames, transposes, splits and joins.
  public var rules: RulesFile?
  /// The convention whose names and layouts the result has; nil keeps the source's.
  public var names: String?
  /// Globs of names that may stay as they are although the architecture does not explain them.
  public var allowedUnmapped: [ExactString] = []
  /// What is said of the model, for `names`.
  public var model = ModelOptions()
  /// The tensors to convert.
  public var selection = Selection()
  /// Above this many bytes the destination is split into shards; nil writes one file.
  public var maximumShardBytes: Int?
  /// What readers may accept.
  public var reading = ReadOptions()
  /// What the writer is told.
  public var writing = WriteOptions()
  /// Whether anything that would be dropped fails the conversion.
  public var isStrict = false
  /// Whether an existing destination is replaced.
  public var replacesDestination = false
  /// Whether to stop before anything is written.
  public var isDryRun = false
  /// Whether the destination is re-opened and compared.
  public var checksResult = true
  /// Whether the destination is brought to the disk before the conversion counts as done.
  public var syncsResult = true
  /// The number of threads; nil takes one per processor.
  public var jobs: Int?

  /// The defaults: one file, checked and synced, nothing cast, nothing replaced.
  public init() {}
}
