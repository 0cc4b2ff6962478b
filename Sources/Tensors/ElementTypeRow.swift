internal import CKernels

/// What there is to know of an element type: everything that code asks, so that it need not ask which type.
///
/// `ElementType+Rows.swift` has one for each type.
package final class ElementTypeRow: Sendable {
  /// The name as NumPy, ml_dtypes and PyTorch spell it, and ggml that of a block type.
  package let name: String
  /// What the bits of an element mean.
  package let kind: ElementType.Kind
  /// How elements lie in bytes.
  package let layout: ElementLayout
  /// The size of the unit that changes with byte order: half an element for complex numbers.
  package let wordWidth: Int
  /// The real type of the two parts of a complex number.
  package let component: ElementType?
  /// How containers spell the type that do not take its name.
  package let spellings: [Container: Spelling]
  /// The datatype that HDF5 has for it.
  package let hdf5: HDF5Datatype?
  /// The datatype that Keras has for it.
  package let keras: HDF5Datatype?
  /// The kernels' word for the type, or for the parts of a complex number; nil for types with blocks.
  let kernel: ingot_type?
  /// What decodes the blocks of a type that has such.
  let codec: (any BlockCodec.Type)?

  /// A container that has words of its own for element types.
  package enum Container: Sendable {
    case safetensors
    case npy
  }

  /// How a container spells a type.
  package struct Spelling: Sendable {
    /// What is written, and read.
    package let text: String
    /// What is read as well.
    package let others: [String]
    /// The place of the type in a container that has an order of types.
    package let rank: Int

    init(_ text: String, others: [String] = [], rank: Int = 0) {
      self.text = text
      self.others = others
      self.rank = rank
    }
  }

  /// How HDF5 says what the bits of an element mean.
  package enum HDF5Datatype: Sendable, Hashable {
    /// A sign, and fields of so many bits; the bias is half the range of the exponent.
    case float(exponent: Int, fraction: Int)
    case integer
    /// h5py's enumeration of FALSE and TRUE.
    case boolean
    /// h5py's record of `r` and `i`.
    case complex
    /// Bytes without a meaning in HDF5, marked with the name of the type.
    case opaque
  }

  init(
    _ name: String, _ kind: ElementType.Kind, _ layout: ElementLayout, word: Int = 1,
    component: ElementType? = nil, kernel: ingot_type? = nil,
    safetensors: Spelling? = nil, npy: Spelling? = nil, hdf5: HDF5Datatype? = nil,
    keras: HDF5Datatype? = nil, codec: (any BlockCodec.Type)? = nil
  ) {
    self.name = name
    self.kind = kind
    self.layout = layout
    wordWidth = word
    self.component = component
    self.kernel = kernel
    self.codec = codec
    var spellings: [Container: Spelling] = [:]
    spellings[.safetensors] = safetensors
    spellings[.npy] = npy
    self.spellings = spellings
    self.hdf5 = hdf5
    self.keras = keras ?? hdf5
  }
}

extension ElementType {
  private static let byName = Dictionary(
    uniqueKeysWithValues: allCases.map { (ExactString($0.name), $0) })

  /// The type of that name, or nil.
  public init?(name: ExactString) {
    guard let type = Self.byName[name] else { return nil }
    self = type
  }

  /// The type of that name, or nil.
  public init?(name: String) { self.init(name: ExactString(name)) }

  /// How a container spells the type, or nil where it has no word for it.
  package func spelling(in container: ElementTypeRow.Container) -> ElementTypeRow.Spelling? {
    row.spellings[container]
  }

  /// The types that a container has words for, by those words.
  ///
  /// - Parameter others: Whether words that are only read count.
  package static func types(
    in container: ElementTypeRow.Container, others: Bool = true
  ) -> [ExactString: ElementType] {
    var types: [ExactString: ElementType] = [:]
    for type in allCases {
      guard let spelling = type.spelling(in: container) else { continue }
      for text in [spelling.text] + (others ? spelling.others : []) {
        types[ExactString(text)] = type
      }
    }
    return types
  }
}
