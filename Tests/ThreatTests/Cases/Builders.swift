import Compression
import Foundation
import TestSupport
import Tensors

// Files are built byte by byte: no code is shared with Ingot's own writers.

/// A safetensors file.
func safetensors(_ header: [UInt8], _ data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
  little(length ?? UInt64(header.count), 8) + header + data
}

func safetensors(_ header: String, _ data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
  safetensors(Array(header.utf8), data, length: length)
}

/// The header's entry of a tensor of two float32, where nothing else is said.
func entry(
  _ name: String = "a", dtype: String = "\"F32\"", shape: String = "[2]", offsets: String = "[0,8]"
) -> String {
  "\"\(name)\":{\"dtype\":\(dtype),\"shape\":\(shape),\"data_offsets\":\(offsets)}"
}

/// A safetensors file with such an entry and eight bytes of data.
func oneTensor(
  _ name: String = "a", dtype: String = "\"F32\"", shape: String = "[2]",
  offsets: String = "[0,8]", data: [UInt8] = eight
) -> [UInt8] {
  safetensors(
    "{\(entry(name, dtype: dtype, shape: shape, offsets: offsets))}", data)
}

let eight: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]

/// An `.npy` file with this text for a header.
func npy(
  text: [UInt8], _ data: [UInt8] = eight, version: (UInt8, UInt8) = (1, 0), length: Int? = nil
) -> [UInt8] {
  [0x93] + Array("NUMPY".utf8) + [version.0, version.1]
    + little(length ?? text.count, version.0 == 1 ? 2 : 4) + text + data
}

/// An `.npy` file; two float32 where nothing else is said.
func npy(
  descr: String = "'<f4'", order: String = "False", shape: String = "(2,)", more: String = "",
  _ data: [UInt8] = eight, version: (UInt8, UInt8) = (1, 0)
) -> [UInt8] {
  let text = "{'descr': \(descr), 'fortran_order': \(order), 'shape': \(shape), \(more)}"
  return npy(text: Array(text.utf8), data, version: version)
}

/// A deflated member.
func deflated(_ name: String, _ content: [UInt8]) -> ZipBuilder.Member {
  ZipBuilder.Member(name, Deflate.piece(content, level: 6, isLast: true), content: content)
}

/// An `.npz` file: the sound member `first`, then these.
func npz(_ members: [ZipBuilder.Member], _ change: (inout ZipBuilder) -> Void = { _ in }) -> [UInt8]
{
  var builder = ZipBuilder([ZipBuilder.Member("first.npy", npy())] + members)
  change(&builder)
  return builder.build()
}

/// An `.npz` file whose second member `a.npy` was changed.
func npz(
  of member: ZipBuilder.Member = .init("a.npy", npy()),
  changing change: (inout ZipBuilder.Member) -> Void
) -> [UInt8] {
  npz([member.with(change)])
}

/// The tensor of most of these files.
func two(_ name: String = "a") -> PlainTensor { PlainTensor(name, "float32", [2], eight) }
