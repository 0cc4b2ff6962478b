import CHDF5
import Crypto
import Synchronization

/// Reads datasets through libhdf5: what our reader is compared with.
///
/// Only files that we trust, because libhdf5 crashes on others.
enum LibHDF5 {
  /// A dataset's canonical bytes as libhdf5 gives them, hashed.
  struct Dataset: Equatable {
    let name: String
    let shape: [Int]
    let sha256: String
  }

  /// libhdf5 is not safe for threads in every build, and prints its errors per thread: one lock.
  private static let lock = Mutex(())

  /// The integer, float and one-byte enumeration datasets of the file; nil where libhdf5 cannot open it.
  static func datasets(_ path: String) -> [Dataset]? {
    lock.withLock { _ in
      H5Eset_auto2(CHDF5_E_DEFAULT(), nil, nil)
      let file = H5Fopen(path, CHDF5_F_ACC_RDONLY(), CHDF5_P_DEFAULT())
      guard file >= 0 else { return nil }
      defer { H5Fclose(file) }
      var names: [String] = []
      withUnsafeMutablePointer(to: &names) { names in
        _ = H5Lvisit_by_name(
          file, "/", H5_INDEX_NAME, H5_ITER_NATIVE,
          { _, name, info, context in
            if let name, let info, info.pointee.type == H5L_TYPE_HARD {
              context?.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
            }
            return 0
          }, names, CHDF5_P_DEFAULT())
      }
      return names.compactMap { dataset($0, in: file) }
    }
  }

  private static func dataset(_ name: String, in file: hid_t) -> Dataset? {
    let dataset = H5Dopen2(file, name, CHDF5_P_DEFAULT())
    guard dataset >= 0 else { return nil }
    defer { H5Dclose(dataset) }
    let type = H5Tcopy(H5Dget_type(dataset))
    let space = H5Dget_space(dataset)
    defer {
      H5Tclose(type)
      H5Sclose(space)
    }
    let kind = H5Tget_class(type)
    let size = H5Tget_size(type)
    guard kind == H5T_INTEGER || kind == H5T_FLOAT || kind == H5T_ENUM && size == 1 else {
      return nil
    }
    if kind != H5T_ENUM { H5Tset_order(type, H5T_ORDER_LE) }
    let rank = max(0, Int(H5Sget_simple_extent_ndims(space)))
    var shape = [hsize_t](repeating: 0, count: rank)
    H5Sget_simple_extent_dims(space, &shape, nil)
    let count = max(0, Int(H5Sget_simple_extent_npoints(space)))
    guard H5Sget_simple_extent_type(space) != H5S_NULL else { return nil }
    var bytes = [UInt8](repeating: 0, count: count * size)
    guard
      bytes.isEmpty
        || H5Dread(dataset, type, CHDF5_S_ALL(), CHDF5_S_ALL(), CHDF5_P_DEFAULT(), &bytes) >= 0
    else { return nil }
    let digest = SHA256.hash(data: bytes).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    return Dataset(name: name, shape: shape.map(Int.init), sha256: digest.joined())
  }
}
