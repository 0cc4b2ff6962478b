import Foundation
import TestSupport
import Testing

/// Memory safety is the compiler's business everywhere but in the files that are listed here.
///
/// Strict memory safety makes every other use a warning, and warnings stop the build; these lists make a
/// new file with `unsafe` in it a decision that somebody takes and another one reads.
@Suite struct UnsafeUseTests {
  /// Files that call C with plain values, Swift strings and `inout` arguments, which C does not keep.
  static let callers: Set<String> = [
    "Ingot/Opening/InputFolder.swift",
    "Ingot/Opening/ModelFolder.swift",
    "Ingot/Output/CommitSection.swift",
    "Ingot/Output/FilePermissions.swift",
    "Ingot/Output/OutputFile+Commit.swift",
    "Ingot/Output/OutputFile.swift",
    "Ingot/Output/OutputStream.swift",
    "IngotCommand/Commands/Verify.swift",
    "IngotCommand/Interruption.swift",
    "IngotCommand/Output/ProgressDisplay.swift",
    "IngotCommand/Output/StandardStreams.swift",
    "Rules/Selection.swift",
    "Tensors/InputFile.swift",
    "Tensors/OpenFolder.swift",
    "Tensors/SpooledSource.swift",
  ]

  /// Files that hold or pass on pointers, and what for; a comment beside each use says why it is safe.
  static let holders: [String: String] = [
    "Compression/CRC32.swift": "spans for the checksums of C",
    "Compression/Encoder.swift": "the streams of three compression libraries",
    "Compression/Inflate.swift": "room that the inflater fills",
    "Compression/Inflater.swift": "the streams of two inflaters",
    "Compression/Zip/ZipDeflatedSource.swift": "spans of what was inflated",
    "Compression/Zip/ZipNameTable.swift": "spans for the hash of names",
    "HDF5Format/Reading/ChunkBox.swift": "elements of chunks to their places",
    "HDF5Format/Reading/ElementCopy.swift": "the same, by the kernels of C",
    "HDF5Format/Reading/Fields.swift": "the bytes of a static string",
    "HDF5Format/Reading/Lookup3.swift": "words at a time",
    "Ingot/Verify/PathGlob.swift": "the paths that glob(3) found",
    "Ingot/Verify/StateValue+Bytes.swift": "elements as bytes",
    "Ingot/Verify/Tensor+Elements.swift": "elements as bytes",
    "Ingot/Writing/PieceHashes.swift": "spans for hashes",
    "Ingot/Writing/Workspace.swift": "buffers in huge pages",
    "Ingot/Writing/Sequencer.swift": "what a monitor guards",
    "ReferenceModel/Kernels/AttentionKernel.swift": "operands of the kernels",
    "ReferenceModel/Kernels/Products.swift": "operands of the products",
    "ReferenceModel/Kernels/Rows.swift": "operands of the kernels",
    "ReferenceModel/Numbers.swift": "parts of an array for several threads",
    "ReferenceModel/Real.swift": "the kernels of C",
    "ReferenceModel/Running/WeightReader.swift": "elements as bytes",
    "Rules/YAMLEvents.swift": "libyaml's parser",
    "Tensors/ByteReader.swift": "words at a time",
    "Tensors/Casts/NumericKernels.swift": "the kernels of C",
    "Tensors/ExactString.swift": "the bytes of strings",
    "Tensors/Monitor.swift": "a mutex and its condition",
    "Tensors/Spans.swift": "what raw spans lack",
    "Tensors/SystemCalls.swift": "the buffers of reads and writes",
    "Tensors/Threads.swift": "the work of a thread",
    "Tensors/Views/Kernels.swift": "the kernels of C",
    "TensorFormats/NPY/NPYHeader.swift": "the bytes of a static string",
    "TensorFormats/NPZ/NPZFormat.swift": "spans of what was read",
    "TensorFormats/Native/VerifiedSource.swift": "spans for hashes",
  ]

  /// How far from a use, or from the one before it, its reason may stand.
  private static let reach = 12

  private static func usesUnsafe(_ line: Substring) -> Bool {
    let code = line.prefix(upTo: line.firstRange(of: "//")?.lowerBound ?? line.endIndex)
    // `unsafe` is a class of errors as well.
    return code.contains(/(^|[ (\[{!])unsafe [^}]|@unsafe|nonisolated\(unsafe\)|@unchecked/)
      && !code.contains("case unsafe")
  }

  @Test func unsafeCodeLiesInTheListedFilesAndGivesItsReasons() throws {
    let sources = Places.project.appending(path: "Sources", directoryHint: .isDirectory)
    var found: Set<String> = []
    for path in try FileManager.default.subpathsOfDirectory(atPath: sources.filePath)
    where path.hasSuffix(".swift") {
      let text = try String(contentsOf: sources.appending(path: path), encoding: .utf8)
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      var lastUse = Int.min / 2
      for (number, line) in lines.enumerated() where Self.usesUnsafe(line) {
        found.insert(path)
        defer { lastUse = number }
        guard Self.holders[path] != nil, number - lastUse > Self.reach else { continue }
        let hasReason = lines[max(0, number - Self.reach)...number].contains { $0.contains("//") }
        #expect(hasReason, "\(path):\(number + 1): no comment says why this is safe")
      }
    }
    let listed = Self.callers.union(Self.holders.keys)
    #expect(found.subtracting(listed).sorted() == [], "unsafe code in files that are not listed")
    #expect(listed.subtracting(found).sorted() == [], "listed files without unsafe code")
  }

  @Test func nothingIsBuiltWithoutChecks() throws {
    let manifests = ["Package.swift", "Fuzz/Package.swift"]
    let scripts = try FileManager.default.subpathsOfDirectory(
      atPath: Places.project.appending(path: "script").filePath
    ).map { "script/" + $0 }
    for path in manifests + scripts {
      let url = Places.project.appending(path: path)
      guard try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else {
        continue
      }
      let text = try String(contentsOf: url, encoding: .utf8)
      for flag in ["-Ounchecked", "-enforce-exclusivity=unchecked", "unsafeFlags"] {
        #expect(!text.contains(flag), "\(path) has \(flag)")
      }
    }
  }
}
