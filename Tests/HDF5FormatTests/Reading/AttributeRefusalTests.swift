import TestSupport
import Tensors
import Testing

@testable import HDF5Format

/// Every rule of attributes and of the global heaps that they point into by its words.
@Suite struct AttributeRefusalTests {
  private static func file(_ attribute: HDF5Message) -> [UInt8] {
    HDF5Builder.dataset([.space([1]), .uint8, .compact([1]), attribute])
  }

  /// An attribute `a` of one byte, of version 3, but for what a test changes of it.
  private static func attribute(version: UInt8 = 3, flags: UInt8 = 0, name: String = "a") -> [UInt8]
  {
    var message = HDF5Message.attribute(name, .uint8, .space([]), [7])
    message.body[0] = version
    message.body[1] = flags
    return file(message)
  }

  /// An attribute of version 1, which pads its parts and has no shared ones, whatever the flags.
  private static func old(flags: UInt8) -> [UInt8] {
    let (type, space) = (HDF5Message.uint8.body, HDF5Message.space([]).body)
    return file(
      HDF5Message(
        12,
        [1, flags] + little(2, 2) + little(type.count, 2) + little(space.count, 2)
          + Array("a\0\0\0\0\0\0\0".utf8) + type + [0, 0, 0, 0] + space + [0, 0, 0, 0] + [7]))
  }

  private static let messages: [Verdict] = [
    .refused("attribute version 0", as: .unsupported, attribute(version: 0)),
    .legal("version 3", attribute()),
    .refused("attribute version 4", as: .unsupported, attribute(version: 4)),
    .refused("the name of an attribute is empty or not UTF-8", attribute(name: "")),
    .refused(
      "attribute 'a': an attribute with a shared dataspace", as: .unsupported, attribute(flags: 2)),
    .legal("version 1 with a flag of version 2", old(flags: 2)),
    .refused(
      "attribute 'a': the value needs 4 bytes, 3 are left",
      file(.attribute("a", .float32, .space([]), [1, 2, 3]))),
  ]

  @Test(arguments: messages)
  func anAttributeIsRefusedByTheRuleItBreaks(_ verdict: Verdict) throws {
    try verdict.expectOfFile()
  }

  /// A file with an attribute of variable-length strings, all of them the object 1 of one heap, of `size`
  /// bytes.
  private static func variable(
    _ count: Int = 1, size: Int = 8, index: Int = 1, address: Int? = nil, objects: [Int] = [1],
    heapSize: Int? = nil
  ) -> [UInt8] {
    var builder = HDF5Builder()
    var content: [UInt8] = []
    for object in objects {
      content += little(object, 2) + little(1, 2) + little(0, 4) + little(size, 8)
      content += [UInt8](repeating: 0x61, count: size)
    }
    let heap = builder.append(
      Array("GCOL".utf8) + [1, 0, 0, 0] + little(heapSize ?? 16 + content.count, 8) + content)
    let type = HDF5Message.type([0x19, 1, 0, 0] + little(16, 4) + HDF5Message.uint8.body)
    let value = little(size, 4) + little(address ?? heap, 8) + little(index, 4)
    let object = builder.object([
      .space([1]), .uint8, .compact([1]),
      .attribute("a", type, .space([count]), (0..<count).flatMap { _ in value }),
    ])
    return builder.finished([("x", object)])
  }

  private static let values: [Verdict] = [
    .legal("one of several objects", variable(objects: [2, 1])),
    .refused(
      "attribute 'a': a value of 8 elements that lies nowhere", variable(address: 0)),
    .refused("attribute 'a': a value of 8 elements that lies nowhere", variable(index: 0)),
    .refused("attribute 'a': a value of 8 elements that lies nowhere", variable(address: -1)),
    .refused(
      "attribute 'a': the global heap has object 1 twice", variable(objects: [1, 1])),
    .refused("attribute 'a': a global heap of 15 bytes", variable(heapSize: 15)),
    .refused("attribute 'a': the global heap at 48 has no object 1", variable(heapSize: 16)),
    .refused(
      "attribute 'a': attributes claim more bytes than the file has", variable(100, size: 1_000)),
  ]

  @Test(arguments: values)
  func aVariableLengthValueIsRefusedByTheRuleItBreaks(_ verdict: Verdict) throws {
    try verdict.expectOfFile()
  }

  /// Strings above the bound together; at the bound it is the file's size that refuses them.
  @Test func allVariableLengthBytesOfAnAttributeAreBounded() throws {
    let half = Limits.attributeBytes / 2
    try Verdict.refused(
      "attribute 'a': a value above \(2 * half) bytes", as: .limit,
      Self.variable(2, size: half + 1)
    ).expectOfFile()
    try Verdict.refused(
      "attribute 'a': attributes claim more bytes than the file has", Self.variable(2, size: half)
    ).expectOfFile()
  }
}
