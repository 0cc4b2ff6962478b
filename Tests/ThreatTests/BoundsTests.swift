import Foundation
import TestSupport
import Tensors
import Testing

/// Time and memory follow what a file holds, never what it declares.
@Suite(.withoutSanitizer) struct BoundsTests {
  /// Two files of nearly the same bytes: what the second declares is much larger.
  struct Pair: Sendable, CustomTestStringConvertible {
    let title: String
    let fileName: String
    let small: [UInt8]
    let large: [UInt8]
    var testDescription: String { title }
  }

  private static func attribute(_ count: Int) -> [UInt8] {
    HDF5Builder.dataset([
      .space([1]), .uint8, .compact([1]), .attribute("a", .uint8, .space([count]), [1]),
    ])
  }

  private static func chunk(_ extent: Int) -> [UInt8] {
    var builder = HDF5Builder()
    let address = builder.append(eight)
    let tree = builder.chunkTree(rank: 1, [(offset: [0], address: address, size: 8, mask: 0)])
    let object = builder.object([
      .space([6], largest: [extent]), .uint8, .chunked([extent], elementSize: 1, tree: tree),
      .filters([(1, [6])]),
    ])
    return builder.finished([("x", object)])
  }

  static let pairs = [
    Pair(
      title: "the shape of an npy file", fileName: "a.npy", small: npy(shape: "(3,)"),
      large: npy(shape: "(1099511627776,)")),
    Pair(
      title: "the header of an npy file", fileName: "a.npy",
      small: npy(text: [0x7B], version: (2, 0), length: 100),
      large: npy(text: [0x7B], version: (2, 0), length: 0xFFFF_FFFF)),
    Pair(
      title: "the header of a safetensors file", fileName: "x.safetensors",
      small: safetensors("{}", length: 100), large: safetensors("{}", length: 99_999_999)),
    Pair(
      title: "the span of a tensor", fileName: "x.safetensors",
      small: oneTensor(shape: "[4]", offsets: "[0,16]"),
      large: oneTensor(shape: "[1099511627776]", offsets: "[0,4398046511104]")),
    Pair(
      title: "the size of a member", fileName: "x.npz",
      small: npz(of: deflated("a.npy", npy())) { $0.both { $0.uncompressedSize = 100 } },
      large: npz(of: deflated("a.npy", npy())) { $0.both { $0.uncompressedSize = 70_000 } }),
    Pair(
      title: "the number of members", fileName: "x.npz",
      small: npz([]) { $0.changeEnd = { $0.replaceSubrange(8..<12, with: [2, 0, 2, 0]) } },
      large: npz([]) {
        $0.changeWideEnd = {
          $0.replaceSubrange(24..<40, with: little(1 << 40, 8) + little(1 << 40, 8))
        }
      }),
    Pair(
      title: "an HDF5 attribute", fileName: "x.h5", small: attribute(2), large: attribute(16 << 20)),
    Pair(
      title: "an HDF5 dataset", fileName: "x.h5",
      small: HDF5Builder.dataset([.space([1000]), .float32, .contiguous(48, 4000)]),
      large: HDF5Builder.dataset([.space([1 << 40]), .float32, .contiguous(48, 4 << 40)])),
    Pair(
      title: "an HDF5 chunk", fileName: "x.h5", small: chunk(16), large: chunk(32 << 20)),
  ]

  @Test(.row("G20", "Z13", "N2", "H22"), arguments: pairs)
  func aDeclaredSizeDoesNotMoveThePeak(_ pair: Pair) throws {
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: pair.fileName).filePath
      /// The least of three: what else the system does only adds.
      func peak(_ bytes: [UInt8]) throws -> Int {
        try Data(bytes).write(to: URL(filePath: path))
        return try (0..<3).map { _ in
          let run = try MeasuredRun(["digest", path], addressSpace: 512 << 20)
          #expect([65, 69].contains(run.status), "\(run.diagnostics)")
          return run.peakBytes
        }.min() ?? 0
      }
      let small = try peak(pair.small)
      let large = try peak(pair.large)
      #expect(large - small <= 1 << 20, "\((large - small) >> 10) KiB more")
    }
  }

  // MARK: Many tensors

  /// Read, written in its own format and read again, a file of many tensors takes what I6 allows.
  @Test(
    .row("Z21"), arguments: [ManyTensors.npz, .compressedNPZ, .safetensors, .hdf5, .ingot])
  func manyTensorsAreRewrittenWithinTheBound(_ form: ManyTensors) throws {
    try Places.withTemporaryFolder { folder in
      let (path, _) = try form.make(70_000, in: folder)
      let source = URL(filePath: path)
      let size = try #require(source.resourceValues(forKeys: [.fileSizeKey]).fileSize)
      let destination = folder.appending(path: "rewritten.\(source.pathExtension)").filePath
      let options = form == .compressedNPZ ? ["--compression", "gzip:1"] : []
      let run = try MeasuredRun(["convert", path, destination] + options, seconds: 60)
      #expect(run.status == 0, "\(run.diagnostics)")
      #expect(run.isWithinMemoryBound(for: size), "\(run.peakBytes >> 10) KiB")
    }
  }

  @Test(
    .row("G12", "Z22"), .enabled(if: Places.isLong, "INGOT_LONG is not set"),
    arguments: [ManyTensors.safetensors, .npz])
  func oneTensorAboveAMillionIsALimit(_ form: ManyTensors) throws {
    try Places.withTemporaryFolder { folder in
      let (path, _) = try form.make(1_000_001, in: folder)
      let run = try MeasuredRun(["digest", path], seconds: 120)
      #expect(run.status == 65, "\(run.diagnostics)")
      #expect(run.diagnostics.contains("1000000"), "\(run.diagnostics)")
    }
  }

  /// A million tensors are written and read, and take about four times as long and as much memory as a
  /// quarter of them.
  @Test(
    .row("G12", "Z22"), .enabled(if: Places.isLong, "INGOT_LONG is not set"),
    arguments: ManyTensors.allCases)
  func nothingIsQuadratic(_ form: ManyTensors) throws {
    let (few, many) = (250_000, 1_000_000)
    /// What each command took for so many tensors.
    func cost(_ count: Int) throws -> [(command: String, run: MeasuredRun)] {
      try Places.withTemporaryFolder { folder in
        let (path, writing) = try form.make(count, in: folder)
        let reading = try [["digest"], ["inspect"], ["inspect", "--stats"]].map {
          try MeasuredRun([$0[0], path] + $0.dropFirst(), seconds: 120)
        }
        let runs = (writing.map { [$0] } ?? []) + reading
        return runs.map { run in
          #expect(run.status == 0, "\(run.diagnostics)")
          return (run.arguments[0] + (run.arguments.contains("--stats") ? " --stats" : ""), run)
        }
      }
    }
    for (quarter, whole) in zip(try cost(few), try cost(many)) {
      print(
        "\(many) tensors, \(form.rawValue), \(whole.command): \(whole.run.processorSeconds) s, "
          + "\(whole.run.peakBytes >> 20) MiB; a quarter of them: \(quarter.run.processorSeconds) s, "
          + "\(quarter.run.peakBytes >> 20) MiB")
      #expect(whole.run.processorSeconds < 7 * quarter.run.processorSeconds)
      #expect(whole.run.peakBytes < 5 * quarter.run.peakBytes)
      #expect(whole.run.peakBytes < 64 << 20 + many * 4096)
      #if !DEBUG
      if whole.command == "digest" { #expect(whole.run.processorSeconds < 10) }
      #endif
    }
  }
}
