internal import Tensors

/// How a dataset lies in the file.
struct DatasetStorage {
  let dimensions: [Int]
  let datatype: [UInt8]
  let byteCount: Int
  /// Nil where the elements lie in one stretch.
  let chunks: ChunkSplit?

  /// How a tensor is stored that HDF5 can hold.
  ///
  /// - Parameter chunkTarget: What a chunk should hold at most.
  init?(
    _ tensor: Tensor, _ convention: DatatypeEncoding.Convention,
    _ compression: WriteOptions.Compression, chunkTarget: Int
  ) {
    guard let datatype = DatatypeEncoding.message(of: tensor.elementType, convention),
      let elementSize = tensor.elementType.layout.bytesPerElement
    else { return nil }
    self.datatype = datatype
    dimensions = tensor.shape.dimensions
    byteCount = tensor.byteCount
    switch compression {
    case .none: chunks = nil
    case .gzip(let level):
      guard !dimensions.isEmpty, byteCount > 0 else {
        chunks = nil
        return
      }
      let split = ChunkSplit(
        dimensions: dimensions, elementSize: elementSize, level: level, target: chunkTarget)
      // What is smaller than the index of its chunks would only grow.
      chunks = byteCount > split.indexByteCount ? split : nil
    }
  }

  /// The layout message; contiguous is version 3, class 1, address (undefined without data), size (8 each).
  var layoutMessage: [UInt8] {
    if let chunks { return chunks.layoutMessage }
    var writer = ByteWriter()
    writer.append(contentsOf: [3, 1])
    writer.append(address: nil)
    writer.append(byteCount, width: 8)
    return writer.bytes
  }

  var addressOffset: Int { chunks == nil ? 2 : ChunkSplit.addressOffset }

  /// The fill value message: version 2, when space is allocated (2: late, 3: chunk by chunk), when it is
  /// filled (2: if a value was set), defined as the default: zero bytes of value.
  var fillValueMessage: [UInt8] { [2, chunks == nil ? 2 : 3, 2, 1, 0, 0, 0, 0] }
}
