/// What is said of checksums.
package enum Checksum {
  /// The message of a checksum in a file that is not that of the bytes it stands for.
  package static func mismatch(
    _ name: String = "the checksum", of what: String, _ stored: UInt32, _ computed: UInt32
  ) -> String {
    "\(name) of \(what) does not match: 0x\(String(stored, radix: 16)) is stored, its bytes have "
      + "0x\(String(computed, radix: 16))"
  }
}
