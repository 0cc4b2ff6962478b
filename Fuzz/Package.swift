// swift-tools-version: 6.3
import PackageDescription

/// What libFuzzer drives: `script/fuzz` builds it with the sanitizers and the coverage that it takes.
///
/// One executable for all targets, because each holds all parsers anyway; `INGOT_FUZZ_TARGET` names one.
/// The targets themselves are in `Entries`, which belongs to the package above, so that its tests replay
/// what was found here.
let package = Package(
  name: "fuzz",
  dependencies: [.package(name: "ingot", path: "..")],
  targets: [
    .executableTarget(
      name: "Fuzz", dependencies: [.product(name: "FuzzEntries", package: "ingot")], path: "Target",
      swiftSettings: [.treatAllWarnings(as: .error)])
  ],
  swiftLanguageModes: [.v6]
)
