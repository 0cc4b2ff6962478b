// swift-tools-version: 6.3
import PackageDescription

/// The settings of tests, which may take pointers without ado: they call the system to provoke it.
let testSettings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),  // for sub-spans of a MutableRawSpan
  .treatAllWarnings(as: .error),
]

/// The settings of everything else: the language's strictest checks, and warnings stop the build.
let settings = testSettings + [.strictMemorySafety()]

let package = Package(
  name: "ingot",
  products: [
    .library(name: "Ingot", targets: ["Ingot"]),
    .executable(name: "ingot", targets: ["IngotCommand"]),
    // For the package in Fuzz alone: only products reach another package.
    .library(name: "FuzzEntries", targets: ["FuzzEntries"]),
  ],
  traits: [
    .trait(
      name: "ISAL",
      description:
        "Compress, inflate and take CRC-32 through ISA-L; without it zlib does all three."),
    .trait(
      name: "LIBDEFLATE",
      description:
        "Compress integers and rounded floats through libdeflate; without it zlib does."),
    .default(enabledTraits: ["ISAL", "LIBDEFLATE"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
  ],
  targets: [
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .systemLibrary(
      name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"]), .brew(["isa-l"])]),
    .systemLibrary(
      name: "CDeflate", pkgConfig: "libdeflate",
      providers: [.apt(["libdeflate-dev"]), .brew(["libdeflate"])]),
    .systemLibrary(
      name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
    // For tests only: libhdf5 never meets a user's file.
    .systemLibrary(
      name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"]), .brew(["hdf5"])]),
    .target(name: "CSystem"),
    .target(name: "CKernels", linkerSettings: [.linkedLibrary("m")]),
    .target(name: "Tensors", dependencies: ["CKernels", "CSystem"], swiftSettings: settings),
    .target(
      name: "Compression",
      dependencies: [
        "Tensors", "CZlib", "CKernels",
        .target(name: "CISAL", condition: .when(traits: ["ISAL"])),
        .target(name: "CDeflate", condition: .when(traits: ["LIBDEFLATE"])),
      ],
      swiftSettings: settings),
    .target(
      name: "TensorFormats",
      dependencies: [
        "Tensors", "Compression", .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: settings),
    .target(
      name: "HDF5Format", dependencies: ["Tensors", "Compression", "CKernels"],
      swiftSettings: settings),
    .target(name: "Architectures", dependencies: ["Tensors"], swiftSettings: settings),
    .target(
      name: "ReferenceModel",
      dependencies: ["Architectures", "Tensors", "CKernels", "CSystem"],
      swiftSettings: settings),
    .target(name: "Rules", dependencies: ["Tensors", "CYAML"], swiftSettings: settings),
    .target(
      name: "Ingot",
      dependencies: [
        "Tensors", "TensorFormats", "HDF5Format", "Compression", "Rules", "Architectures",
        "ReferenceModel", "CKernels", "CSystem",
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "IngotCommand",
      dependencies: [
        "Ingot", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    // Test support: fixtures, temporary folders, the plain executor of write plans.
    .target(
      name: "TestSupport",
      dependencies: ["Tensors", .product(name: "Crypto", package: "swift-crypto")],
      path: "Tests/TestSupport", swiftSettings: testSettings),
    // What the fuzzer drives, and what the tests replay its findings through.
    .target(
      name: "FuzzEntries",
      dependencies: [
        "Ingot", "Tensors", "TensorFormats", "HDF5Format", "Compression", "TestSupport",
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      path: "Fuzz/Entries", swiftSettings: testSettings),
    .testTarget(
      name: "TensorsTests", dependencies: ["Tensors", "TestSupport"], swiftSettings: testSettings),
    .testTarget(
      name: "CompressionTests", dependencies: ["Compression", "TestSupport", "Tensors"],
      swiftSettings: testSettings),
    .testTarget(
      name: "TensorFormatsTests",
      dependencies: ["TensorFormats", "Compression", "TestSupport", "Tensors"],
      swiftSettings: testSettings),
    .testTarget(
      name: "HDF5FormatTests",
      dependencies: ["HDF5Format", "Compression", "TestSupport", "Tensors"],
      exclude: ["Python"], swiftSettings: testSettings),
    .testTarget(
      name: "RulesTests", dependencies: ["Rules", "TestSupport", "Tensors"],
      swiftSettings: testSettings),
    .testTarget(
      name: "ArchitecturesTests", dependencies: ["Architectures", "TestSupport", "Tensors"],
      swiftSettings: testSettings),
    .testTarget(
      name: "ReferenceModelTests",
      dependencies: [
        "ReferenceModel", "Architectures", "TensorFormats", "TestSupport", "Tensors",
      ],
      swiftSettings: testSettings),
    .testTarget(
      name: "IngotTests",
      dependencies: ["Ingot", "TensorFormats", "HDF5Format", "TestSupport", "Tensors"],
      swiftSettings: testSettings),
    .testTarget(
      name: "FuzzTests", dependencies: ["FuzzEntries", "TestSupport"], swiftSettings: testSettings),
    .testTarget(
      name: "CommandTests", dependencies: ["Ingot", "TestSupport", "Tensors"],
      swiftSettings: testSettings),
    // Says what a run of the command cost.
    .executableTarget(name: "measured", path: "Tests/Measured"),
    .testTarget(
      name: "ThreatTests",
      dependencies: [
        "Ingot", "TensorFormats", "Compression", "measured", "TestSupport", "Tensors",
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      exclude: ["Python"], swiftSettings: testSettings),
    .testTarget(
      name: "FaultTests",
      dependencies: ["Ingot", "TensorFormats", "TestSupport", "Tensors"], exclude: ["Shim"],
      swiftSettings: testSettings),
    .testTarget(
      name: "LibHDF5Tests",
      dependencies: [
        "Ingot", "CHDF5", "TestSupport", .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: testSettings),
  ],
  swiftLanguageModes: [.v6]
)
