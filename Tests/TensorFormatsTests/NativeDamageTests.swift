import Crypto
import TensorFormats
import TestSupport
import Tensors
import Testing

/// Damage of any kind is found (rows I-1 to I-4).
struct NativeDamageTests {
  private func files() throws -> [[UInt8]] {
    let format = NativeFormat()
    return [
      try format.write(NativeSamples.table()),
      try format.write(NativeSamples.compressible(), NativeSamples.compressed),
    ]
  }

  @Test(.row("I-1")) func everyFlippedBitIsFound() throws {
    for file in try files() {
      #expect(try nativeVerdict(file) == nil)
      for bit in 0..<file.count * 8 {
        var mutant = file
        mutant[bit / 8] ^= 1 << (bit % 8)
        let found = try nativeVerdict(mutant)
        #expect(
          [.malformed, .integrity, .unsupported].contains(found),
          "bit \(bit % 8) of byte \(bit / 8)")
      }
    }
  }

  @Test(.row("I-1")) func flippedDataNamesItsTensor() throws {
    var file = try NativeFormat().write(NativeSamples.table())
    file[NativeParts(file).data.count] ^= 1
    let table = try NativeFormat().read(bytes: file)
    let damaged = table.entries.filter { entry in
      (try? entry.tensor.source.everything()) == nil
    }
    #expect(damaged.map(\.name) == ["packed"])
  }

  @Test(.row("I-2")) func everyTruncationIsMalformed() throws {
    for file in try files() {
      for count in 0..<file.count {
        #expect(try nativeVerdict(Array(file[..<count])) == .malformed, "\(count) bytes")
      }
    }
  }

  @Test(.row("I-2")) func everyAppendedByteIsMalformed() throws {
    for file in try files() {
      for byte in UInt8.min...UInt8.max {
        #expect(try nativeVerdict(file + [byte]) == .malformed)
      }
      #expect(try nativeVerdict(file + file) == .malformed)
    }
  }

  @Test(.row("I-3")) func splicedFilesAreRefused() throws {
    let format = NativeFormat()
    let first = try format.write(NativeSamples.table())
    var changed = try NativeSamples.table()
    // The same layout, other bytes.
    changed = try changed.replacingEntries(
      changed.entries.map { entry in
        let bytes = try entry.tensor.source.everything().map { $0 ^ 0x40 }
        return .init(
          name: entry.name,
          tensor: try Tensor(
            elementType: entry.tensor.elementType, shape: entry.tensor.shape,
            source: ArraySource(bytes), storage: entry.tensor.storage))
      })
    let second = try format.write(changed)
    #expect(first.count == second.count)
    for boundary in stride(from: 64, to: first.count, by: 64) {
      for (one, other) in [(first, second), (second, first)] {
        let spliced = Array(one[..<boundary] + other[boundary...])
        // The last bytes of the two are the same.
        if spliced != one { #expect(try nativeVerdict(spliced) != nil, "\(boundary)") }
      }
    }
  }

  @Test(.row("I-4")) func reservedBitsAndUnknownVersionsAreNamed() throws {
    let parts = NativeParts(try NativeFormat().write(NativeSamples.table()))
    func failure(_ change: (inout NativeParts) -> Void) throws -> IngotError {
      var changed = parts
      change(&changed)
      return try #require(
        #expect(throws: IngotError.self) { try NativeFormat().read(bytes: changed.file) })
    }
    for bit in 2..<32 {
      let error = try failure { $0.features = 1 << bit }
      #expect(error.errorClass == .unsupported)
      #expect(error.message.contains("feature bit \(bit),"))
    }
    // Known, but nothing in the file needs it.
    for features: UInt32 in [1, 2, 3] {
      #expect(try failure { $0.features = features }.errorClass == .malformed)
    }
    for version: UInt32 in [0, 2, .max] {
      let error = try failure { $0.version = version }
      #expect(error.errorClass == .unsupported)
      #expect(error.message.contains("version \(version) "))
    }
  }

  /// A file whose middle is not there: what lies between its first 64 bytes and its ending must not be
  /// read.
  private struct Hollow: ByteSource {
    let beginning: [UInt8]
    let ending: [UInt8]
    let byteCount: Int

    /// A file of `byteCount` bytes with `index` before its end marker; its header claims `indexLength`.
    init(byteCount: Int, index: [UInt8], indexLength: Int) {
      var beginning = ByteWriter()
      beginning.append(contentsOf: [0x89] + Array("INGOT\r\n".utf8))
      beginning.append(UInt32(1))
      beginning.append(UInt32(0))
      beginning.append(byteCount - 16 - indexLength, width: 8)
      beginning.append(indexLength, width: 8)
      beginning.append(contentsOf: SHA256.hash(data: index))
      var ending = ByteWriter()
      ending.append(contentsOf: index)
      ending.append(byteCount, width: 8)
      ending.append("INGOTEND")
      self.beginning = beginning.bytes
      self.ending = ending.bytes
      self.byteCount = byteCount
    }

    func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
      let whole = offset < 64 ? beginning : ending
      let start = offset < 64 ? offset : offset - (byteCount - ending.count)
      buffer.copy(from: whole, at: start, count: buffer.byteCount, to: 0)
    }

    func verdict() throws -> ErrorClass? {
      try errorClass { _ = try NativeFormat().read(FormatInput(path: "file", source: self)) }
    }
  }

  @Test(.row("I-9")) func anIndexAboveTheBoundIsRefusedUnread() throws {
    let file = Hollow(byteCount: 64 + (1 << 30) + 16, index: [], indexLength: 1 << 30)
    #expect(try file.verdict() == .limit)
  }

  @Test(.row("G18")) func tensorsThatFillAllNumbersAreRefused() throws {
    let alignment = 2 << 20
    let large = (1 << 60) - alignment
    let sizes = Array(repeating: large, count: 8) + [.max - 8 * large - alignment - 4000]
    var tensors: [String] = []
    var offset = alignment
    for (number, size) in sizes.enumerated() {
      tensors.append(
        #"{"bytes":\#(size),"dtype":"int8","name":"\#(number)","offset":\#(offset),"sha256":"\#(String(repeating: "0", count: 64))","shape":[\#(size)]}"#
      )
      offset += size
    }
    let index = Array(
      #"{"alignment":\#(alignment),"metadata":{},"provenance":null,"tensors":[\#(tensors.joined(separator: ","))]}"#
        .utf8)
    let file = Hollow(byteCount: .max, index: index, indexLength: index.count)
    #expect(try file.verdict() == .malformed)
  }
}
