import TestSupport
import Tensors

/// Rows N1 to N16.
enum NPYCases {
  static let all = beginnings + literals + shapes + types

  private static let file = "a.npy"

  private static let beginnings = [
    ThreatCase(
      "N1", "another magic", file, .refused(.malformed), says: ["byte 0"],
      [0x92] + npy().dropFirst()),
    ThreatCase(
      "N1", "version 0", file, .refused(.unsupported), says: ["byte 6", "0.0"],
      npy(version: (0, 0))),
    ThreatCase(
      "N1", "version 4", file, .refused(.unsupported), says: ["byte 6", "4.0"],
      npy(version: (4, 0))),
    ThreatCase(
      "N1", "version 1.1", file, .refused(.unsupported), says: ["byte 6", "1.1"],
      npy(version: (1, 1))),
    ThreatCase(
      "N2", "a header that ends past the file", file, .refused(.malformed),
      says: ["byte 8", "60000"], npy(text: Array("{}".utf8), length: 60_000)),
    ThreatCase(
      "N2", "a header of 4 GiB", file, .refused(.malformed), says: ["byte 8", "4294967295"],
      npy(text: Array("{}".utf8), version: (2, 0), length: 0xFFFF_FFFF)),
    ThreatCase("N2", "a header of no bytes", file, .refused(.malformed), npy(text: [])),
    ThreatCase(
      "N3", "a header above 64 KiB", file, .refused(.limit), says: ["65536"],
      npy(more: String(repeating: " ", count: 65_536), version: (2, 0))),
    ThreatCase(
      "N3", "a header of 20,000 bytes", file, .read([two()]),
      npy(more: String(repeating: " ", count: 20_000))),
  ]

  private static let literals = [
    ThreatCase(
      "N4", "10,000 parentheses", file, .refused(.malformed), says: ["npy header"],
      npy(text: Array(String(repeating: "(", count: 10_000).utf8))),
    ThreatCase(
      "N4", "lists 10,000 deep", file, .refused(.malformed), says: ["npy header"],
      npy(shape: String(repeating: "[", count: 10_000))),
    ThreatCase(
      "N4", "9,000 minus signs", file, .refused(.malformed), says: ["npy header"],
      npy(shape: "(" + String(repeating: "-", count: 9000) + "1,)")),
    ThreatCase(
      "N5", "an expression", file, .refused(.malformed), says: ["npy header"],
      npy(text: Array("__import__('os').system('id')".utf8))),
    ThreatCase(
      "N5", "arithmetic", file, .refused(.malformed), says: ["npy header"], npy(shape: "(1+1,)")),
    ThreatCase(
      "N5", "a name", file, .refused(.malformed), says: ["npy header"], npy(shape: "(n,)")),
    ThreatCase(
      "N6", "a missing key", file, .refused(.malformed), says: ["fortran_order"],
      npy(text: Array("{'descr': '<f4', 'shape': (2,), }".utf8))),
    ThreatCase(
      "N6", "a further key", file, .refused(.malformed), says: ["\"x\""], npy(more: "'x': 1")),
    ThreatCase(
      "N6", "a key twice", file, .refused(.malformed), says: ["\"shape\", \"shape\""],
      npy(more: "'shape': (2,)")),
    ThreatCase(
      "N6", "two dictionaries", file, .refused(.malformed), says: ["follows"],
      npy(text: Array("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}{}".utf8))),
    ThreatCase(
      "N6", "NUL after the dictionary", file, .refused(.malformed), says: ["follows"],
      npy(text: Array("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}\0".utf8))),
    ThreatCase(
      "N10", "0 for the order", file, .refused(.malformed), says: ["fortran_order"],
      npy(order: "0")),
    ThreatCase(
      "N10", "1 for the order", file, .refused(.malformed), says: ["fortran_order"],
      npy(order: "1")),
  ]

  private static let shapes =
    [
      ("a list", "[2]"), ("a negative dimension", "(-2,)"), ("a dimension of -1", "(-1,)"),
      ("a fraction", "(2.0,)"), ("a truth value", "(True,)"), ("a hexadecimal number", "(0x2,)"),
      ("an underscore", "(2_0,)"),
      ("9,000 digits", "(" + String(repeating: "9", count: 9000) + ",)"),
    ].map { title, shape in
      ThreatCase(
        "N7", "\(title) for a shape", file, .refused(.malformed), says: ["npy header"],
        npy(shape: shape))
    } + [
      ThreatCase(
        "N8", "a product that wraps", file, .refused(.malformed), says: ["2^63"],
        npy(shape: "(4294967296, 4294967296)")),
      ThreatCase(
        "N8", "a size that wraps", file, .refused(.malformed), says: ["2^63"],
        npy(shape: "(4611686018427387904,)")),
      ThreatCase(
        "G19", "an overflow before a 0, in NumPy's words", file, .refused(.malformed),
        says: ["2^63"], npy(shape: "(4611686018427387904, 4611686018427387904, 0)", [])),
      ThreatCase(
        "N8", "8 PiB", file, .refused(.malformed), says: ["9007199254740992 bytes", "holds 8"],
        npy(descr: "'<f8'", shape: "(1125899906842624,)")),
      ThreatCase(
        "N9", "65 dimensions", file, .refused(.limit), says: ["65", "64"],
        npy(shape: "(\(String(repeating: "1, ", count: 64))2)")),
      ThreatCase(
        "N11", "a byte too few", file, .refused(.malformed), says: ["needs 8 bytes", "holds 7"],
        npy(Array(eight.prefix(7)))),
      ThreatCase(
        "N11", "two bytes too many", file, .refused(.malformed),
        says: ["needs 8 bytes", "holds 10"], npy(eight + [0, 0])),
    ]

  private static let types =
    [("objects", "'|O'"), ("objects within a record", "[('a', '<f4'), ('b', '|O')]")].map {
      title, descr in
      ThreatCase(
        "N12", title, file, .refused(.unsafe), says: ["tensor 'a'", "pickle"],
        headerIsSound: true, npy(descr: descr, shape: "(1,)"))
    }
    + [
      ("text", "'<U2'", "string"), ("bytes", "'|S8'", "bytes"), ("void", "'|V8'", "void"),
      ("dates", "'<M8[ns]'", "date"), ("records", "[('x', '<f8')]", "record"),
      ("long doubles", "'<f16'", "longdouble"), ("sub-arrays", "('<f4', (2,))", "sub-array"),
    ].map { title, descr, word in
      ThreatCase(
        "N13", title, file, .refused(.unsupported), says: ["tensor 'a'", word],
        headerIsSound: true, npy(descr: descr, shape: "(1,)"))
    }
    + [
      ThreatCase(
        "N14", "floats of 3 bytes", file, .refused(.malformed), says: ["'<f3'"],
        npy(descr: "'<f3'")),
      ThreatCase(
        "N14", "floats of 9,999,999,999 bytes", file, .refused(.malformed),
        says: ["'<f9999999999'"], npy(descr: "'<f9999999999'")),
      ThreatCase(
        "N15", "column-major order", file,
        .read([PlainTensor("a", "uint8", [2, 3], [1, 2, 3, 4, 5, 6])]),
        npy(descr: "'|u1'", order: "True", shape: "(2, 3)", [1, 4, 2, 5, 3, 6])),
      ThreatCase(
        "N15", "big-endian numbers", file,
        .read([PlainTensor("a", "int16", [4], [2, 1, 4, 3, 6, 5, 8, 7])]),
        npy(descr: "'>i2'", shape: "(4,)")),
      ThreatCase("N15", "Python 2's long integers", file, .read([two()]), npy(shape: "(2L,)")),
      ThreatCase(
        "N15", "keys in another order, other quotes, no padding", file, .read([two()]),
        npy(text: Array(#"{"shape":(2,),"descr":"<f4","fortran_order":False}"#.utf8))),
      ThreatCase(
        "N16", "objects as Python 2 wrote them", file, .refused(.unsafe), says: ["tensor 'a'"],
        headerIsSound: true,
        npy(
          text: Array("{'descr': 'O', 'fortran_order': False, 'shape': (1L,), }".utf8),
          Array("\u{80}\u{2}]q\0.".utf8))),
      ThreatCase(
        "G24", "NaN, infinities, -0 and the smallest numbers", file,
        .read([
          PlainTensor(
            "a", "float16", [8],
            [0, 0x7E, 1, 0x7C, 0, 0x7C, 0, 0xFC, 0, 0x80, 1, 0, 1, 0xFE, 0xFF, 0x7B])
        ]),
        npy(
          descr: "'<f2'", shape: "(8,)",
          [0, 0x7E, 1, 0x7C, 0, 0x7C, 0, 0xFC, 0, 0x80, 1, 0, 1, 0xFE, 0xFF, 0x7B])),
    ]
}
