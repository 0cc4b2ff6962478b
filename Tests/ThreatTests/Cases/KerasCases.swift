import Foundation
import TestSupport
import Tensors

/// Rows K1 to K11.
enum KerasCases {
  static let all = configurations + archives + names + shards

  private static let configuration = #"{"class_name":"Sequential"}"#
  private static let lambda =
    #"{"class_name":"Lambda","config":{"function":{"class_name":"__lambda__","config":{"code":"4wEAAAA="}}}}"#
  private static let foreign =
    #"{"module":"os","class_name":"system","config":{"path":"http://127.0.0.1:9/x","enable_unsafe_deserialization":true}}"#

  /// A weights file with the variable `vars/0`.
  private static func weights(_ attributes: [HDF5Message] = []) -> [UInt8] {
    var builder = HDF5Builder()
    let object = builder.object([.space([4]), .uint8, .compact([1, 2, 3, 4])])
    let group = builder.group([("0", object)])
    return builder.finished(
      root: builder.object([.linkInformation, .link("vars", to: group)] + attributes))
  }

  private static let variable = PlainTensor("vars/0", "uint8", [4], [1, 2, 3, 4])

  private static func keras(
    _ configuration: String = configuration, weights: [UInt8]? = weights(),
    more: [ZipBuilder.Member] = []
  ) -> [UInt8] {
    let member = weights.map { [ZipBuilder.Member("model.weights.h5", $0)] } ?? []
    return ZipBuilder(
      [ZipBuilder.Member("config.json", Array(configuration.utf8))] + member + more
    ).build()
  }

  private static let configurations: [ThreatCase] = [
    ThreatCase(
      "K1", "code in the configuration of an archive", "x.keras", .read([variable]),
      says: ["note: ", "code", "never run"], keras(lambda)),
    ThreatCase(
      "K1", "code in the configuration of an HDF5 file", "x.h5", .read([variable]),
      says: ["note: ", "code", "never run"], weights([.attribute("model_config", text: lambda)])),
    ThreatCase(
      "K2", "a configuration that names a function of the system", "x.keras", .read([variable]),
      keras(foreign)),
    ThreatCase(
      "K3", "a configuration of 65 MiB", "x.keras", .refused(.limit), says: ["config.json"],
      keras("\"" + String(repeating: "x", count: 65 << 20) + "\"")),
    ThreatCase(
      "K3", "a configuration 200 deep", "x.keras", .refused(.malformed),
      says: ["tensor 'config.json'", "128"],
      keras(String(repeating: "[", count: 200) + String(repeating: "]", count: 200))),
    ThreatCase(
      "K3", "a key of the configuration twice", "x.keras", .refused(.malformed),
      says: ["tensor 'config.json'", "'a' occurs twice"], keras(#"{"a":1,"a":2}"#)),
  ]

  private static func bomb(_ name: String, _ size: UInt32) -> ZipBuilder.Member {
    deflated(name, [UInt8](repeating: 0x20, count: 1000)).with {
      $0.data = [UInt8](repeating: 0, count: Int(size / 1000))
      $0.both {
        $0.compressedSize = size / 1000
        $0.uncompressedSize = size
      }
    }
  }

  private static let archives: [ThreatCase] = [
    ThreatCase(
      "K4", "a configuration that expands a thousandfold", "x.keras", .refused(.limit),
      says: ["'config.json'", "--max-expansion"],
      ZipBuilder([
        bomb("config.json", 100_000_000), ZipBuilder.Member("model.weights.h5", weights()),
      ]).build()),
    ThreatCase(
      "K4", "weights that expand a thousandfold", "x.keras", .refused(.limit),
      says: ["'model.weights.h5'", "--max-expansion"],
      ZipBuilder([
        ZipBuilder.Member("config.json", Array(configuration.utf8)),
        bomb("model.weights.h5", 100_000_000),
      ]).build()),
    ThreatCase(
      "K5", "weights that claim 2^50 elements", "x.keras", .refused(.limit), says: ["1032"],
      keras(
        weights: HDF5Builder.dataset([
          .space([1 << 50]), .float32, .chunked([1 << 20], elementSize: 4, tree: nil),
        ]))),
    ThreatCase(
      "K4", "no weights", "x.keras", .refused(.malformed), says: ["byte"], keras(weights: nil)),
    ThreatCase(
      "K10", "an asset", "x.keras", .read([variable]), says: ["assets/words.txt"],
      keras(more: [ZipBuilder.Member("assets/words.txt", [0x61])])),
  ]

  // MARK: The lists of names of Keras 1 and 2

  /// A file with the layers `late` (two weights in a group of its own name) and `early`.
  private static func legacy(
    layers: [HDF5Message] = [.attribute("layer_names", names: ["late", "early"])],
    late: [HDF5Message] = [.attribute("weight_names", names: ["late/kernel:0", "late/bias:0"])],
    early: [HDF5Message] = [.attribute("weight_names", names: ["w"])]
  ) -> [UInt8] {
    var builder = HDF5Builder()
    let weights = (0..<3).map {
      builder.object([.space([1]), .uint8, .compact([UInt8($0)])])
    }
    let inner = builder.group([("bias:0", weights[1]), ("kernel:0", weights[0])])
    let lateGroup = builder.object([.linkInformation, .link("late", to: inner)] + late)
    let earlyGroup = builder.object([.linkInformation, .link("w", to: weights[2])] + early)
    return builder.finished(
      root: builder.object(
        [.linkInformation, .link("early", to: earlyGroup), .link("late", to: lateGroup)] + layers))
  }

  private static let legacyTensors = [
    PlainTensor("late/late/kernel:0", "uint8", [1], [0]),
    PlainTensor("late/late/bias:0", "uint8", [1], [1]), PlainTensor("early/w", "uint8", [1], [2]),
  ]

  private static let names: [ThreatCase] =
    ["absent", "..", "/early", "early/w", ""].map { name in
      ThreatCase(
        "K6", "a layer called '\(name)'", "x.h5", .refused(.malformed),
        says: ["'\(name)'", "byte"],
        legacy(layers: [.attribute("layer_names", names: ["late", name])]))
    }
    + ["absent", "late/../late/kernel:0", "/late/kernel:0"].map { name in
      ThreatCase(
        "K6", "a weight called '\(name)'", "x.h5", .refused(.malformed),
        says: ["'\(name)'", "byte"],
        legacy(late: [.attribute("weight_names", names: [name])]))
    }
    + [
      ThreatCase(
        "K6", "a layer without a list", "x.h5", .refused(.malformed), says: ["early", "byte"],
        legacy(early: [])),
      ThreatCase(
        "K7", "a list in two attributes", "x.h5", .read(legacyTensors),
        legacy(layers: [
          .attribute("layer_names0", names: ["late"]), .attribute("layer_names1", names: ["early"]),
        ])),
      ThreatCase(
        "K7", "a list with a gap", "x.h5", .refused(.malformed), says: ["layer_names", "byte"],
        legacy(layers: [
          .attribute("layer_names0", names: ["late"]), .attribute("layer_names2", names: ["early"]),
        ])),
      ThreatCase(
        "K8", "a group where a weight is named", "x.h5", .refused(.malformed),
        says: ["'late'", "byte"], legacy(late: [.attribute("weight_names", names: ["late"])])),
      ThreatCase(
        "K8", "a weight where a layer is named", "x.h5", .refused(.malformed),
        says: ["'w'", "byte"],
        {
          var builder = HDF5Builder()
          let object = builder.object([.space([1]), .uint8, .compact([1])])
          return builder.finished(
            root: builder.object([
              .linkInformation, .link("w", to: object), .attribute("layer_names", names: ["w"]),
            ]))
        }()),
      ThreatCase("K9", "names as fixed strings", "x.h5", .read(legacyTensors), legacy()),
    ]

  // MARK: Keras 3's shards

  private static func index(
    _ title: String, _ outcome: ThreatCase.Outcome, says: [String] = [], _ map: String
  ) -> ThreatCase {
    ThreatCase("K11", title: title, outcome, says: says) { folder in
      for (name, number) in [("a.weights.h5", UInt8(0)), ("b.weights.h5", 1)] {
        var builder = HDF5Builder()
        let object = builder.object([.space([1]), .uint8, .compact([number])])
        let group = builder.group([("vars", builder.group([("\(number)", object)]))])
        try Data(builder.finished([("dense", group)])).write(to: folder.appending(path: name))
      }
      let url = folder.appending(path: "m.weights.json")
      try Data("{\"metadata\":{\"total_size\":2.0},\"weight_map\":{\(map)}}".utf8).write(to: url)
      return url.filePath
    }
  }

  private static let shards = [
    index(
      "sound shards",
      .read([
        PlainTensor("dense/vars/0", "uint8", [1], [0]),
        PlainTensor("dense/vars/1", "uint8", [1], [1]),
      ]), #""/dense/vars":["a.weights.h5","b.weights.h5"]"#),
    index(
      "a shard above the folder", .refused(.malformed), says: ["../a.weights.h5"],
      #""/dense/vars":"../a.weights.h5""#),
    index(
      "a shard by its whole path", .refused(.malformed), says: ["/etc/passwd"],
      #""/dense/vars":"/etc/passwd""#),
    index(
      "a shard that is absent", .refused(.unreadable), says: ["c.weights.h5"],
      #""/dense/vars":["a.weights.h5","c.weights.h5"]"#),
    index(
      "a group that no shard has", .refused(.malformed),
      says: ["'other/vars' is not in a.weights.h5"],
      #""/other/vars":"a.weights.h5""#),
  ]
}
