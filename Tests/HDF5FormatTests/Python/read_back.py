"""Compares an HDF5 file with the description of the table it was made of, through h5py.

usage: read_back.py FILE.h5 DESCRIPTION.json

The description: {"tensors": [{name, dtype, shape, hex, alias_of}], "metadata": {"path@attribute": value},
"compressed": [names], "attributes": how many there are in all}.
"""
import json
import sys

import h5py
import numpy as np

# What h5py makes of the types that NumPy lacks; other float8 types are opaque bytes with a mark.
MARKED = ("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu")
READ_AS = {"bfloat16": "float32", "float8_e5m2": "float16"} | {name: "V1" for name in MARKED}


def fail(*what):
    sys.exit(" ".join(str(part) for part in what))


def raw(dataset):
    """The bytes as they are stored, without conversion of types."""
    result = np.zeros(dataset.shape, np.dtype((np.void, dataset.id.get_type().get_size())))
    if dataset.size:
        dataset.id.read(h5py.h5s.ALL, h5py.h5s.ALL, result, dataset.id.get_type())
    return result.tobytes()


def expected_values(tensor):
    data = bytes.fromhex(tensor["hex"])
    if tensor["dtype"] == "bfloat16":
        words = np.frombuffer(data, "<u2").astype("<u4") << 16
        return words.view("<f4").reshape(tensor["shape"])
    if tensor["dtype"] == "float8_e5m2":
        halves = np.frombuffer(data, "u1").astype("<u2") << 8
        return halves.view("<f2").reshape(tensor["shape"])
    return np.frombuffer(data, READ_AS.get(tensor["dtype"], tensor["dtype"])).reshape(tensor["shape"])


def plain(value):
    """An attribute's value as JSON has it."""
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        return value.item()
    if isinstance(value, bytes):
        return value.decode()
    return value


file = h5py.File(sys.argv[1], "r")
description = json.load(open(sys.argv[2], encoding="utf-8"))

found = {}


def visit(group, path):
    for name in group:
        assert isinstance(group.get(name, getlink=True), h5py.HardLink)
        if isinstance(group[name], h5py.Group):
            visit(group[name], path + name + "/")
        else:
            found[path + name] = group[name]


visit(file, "")
names = [tensor["name"] for tensor in description["tensors"]]
if sorted(found) != sorted(names):
    fail("names differ:", sorted(set(found) ^ set(names))[:10])
for tensor in description["tensors"]:
    name, dataset = tensor["name"], found[tensor["name"]]
    if list(dataset.shape) != tensor["shape"]:
        fail(name, dataset.shape, tensor["shape"])
    if dataset.dtype != np.dtype(READ_AS.get(tensor["dtype"], tensor["dtype"])):
        fail(name, "is read as", dataset.dtype)
    if tensor["dtype"] in MARKED and dataset.attrs["dtype"] != tensor["dtype"]:
        fail(name, "is not marked")
    if raw(dataset) != bytes.fromhex(tensor["hex"]):
        fail(name, "has other bytes")
    with np.errstate(invalid="ignore"):
        if not np.array_equal(dataset[()], expected_values(tensor), equal_nan=dataset.dtype.kind in "fc"):
            fail(name, "has other values")
    if tensor["alias_of"] and dataset.id.get_offset() != found[tensor["alias_of"]].id.get_offset():
        fail(name, "is no alias")
    is_compressed = name in description.get("compressed", [])
    if is_compressed != (dataset.compression == "gzip") or dataset.shuffle != (
            is_compressed and dataset.id.get_type().get_size() > 1):
        fail(name, dataset.compression, dataset.shuffle)

for key, value in description["metadata"].items():
    path, _, attribute = key.rpartition("@")
    read = file[path or "/"].attrs[attribute]
    if isinstance(value, str) and type(read) is not str:
        fail(key, "is read as", type(read))
    if plain(read) != value:
        fail(key, plain(read), value)
    kinds = {bool: "b", int: "iu", float: "f"}
    first = value
    while isinstance(first, list):
        first = first[0] if first else None
    if type(first) in kinds and np.asarray(read).dtype.kind not in kinds[type(first)]:
        fail(key, "is read as", np.asarray(read).dtype)
