// swift-tools-version: 6.3
import PackageDescription

let package = Package(
  name: "ingot-benchmarks",
  dependencies: [.package(name: "ingot", path: "..")],
  targets: [
    .executableTarget(
      name: "ForwardBenchmark", dependencies: [.product(name: "Ingot", package: "ingot")],
      swiftSettings: [.treatAllWarnings(as: .error)])
  ])
