"""The peers of the benchmark: what the most careful Python does, one conversion per process.

    python peers.py convert SOURCE DESTINATION [--compress]
    python peers.py inspect PATH

Tensors are handled one at a time; safetensors and .npy are memory maps, so that bytes are copied once.
"""
import json
import struct
import sys
import zipfile


def safetensors_items(path):
    import numpy as np

    data = np.memmap(path, mode="r", dtype=np.uint8)
    (length,) = struct.unpack("<Q", data[:8].tobytes())
    header = json.loads(data[8 : 8 + length].tobytes())
    for name, info in header.items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in info["data_offsets"])
            yield name, data[begin:end].view("<f4").reshape(info["shape"])


def npz_items(path):
    import numpy as np

    archive = np.load(path)
    for name in archive.files:
        yield name, archive[name]


def hdf5_items(path):
    import h5py

    names = []
    file = h5py.File(path)
    file.visititems(lambda name, item: names.append(name) if hasattr(item, "shape") else None)
    for name in names:
        yield name, file[name][()]


def items(path):
    return {"safetensors": safetensors_items, "npz": npz_items, "h5": hdf5_items}[
        path.rsplit(".", 1)[1]
    ](path)


def write_safetensors(path, tensors):
    # Two passes over the names, one over the bytes: sizes must be known before the header.
    entries, arrays, offset = {}, [], 0
    for name, array in tensors:
        entries[name] = {
            "dtype": "F32",
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
        arrays.append(array)
    header = json.dumps(entries).encode()
    header += b" " * (-len(header) % 8)
    with open(path, "wb", buffering=0) as file:
        file.write(struct.pack("<Q", len(header)) + header)
        for array in arrays:
            file.write(memoryview(array).cast("B"))


def write_npz(path, tensors, compress):
    import numpy as np

    kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, array in tensors:
            with archive.open(name + ".npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def write_hdf5(path, tensors, compress):
    import h5py

    options = dict(compression="gzip", compression_opts=4, shuffle=True) if compress else {}
    with h5py.File(path, "w") as file:
        for name, array in tensors:
            file.create_dataset(name, data=array, **options)


def main():
    if sys.argv[1] == "inspect":
        inspect(sys.argv[2])
        return
    source, destination = sys.argv[2:4]
    compress = "--compress" in sys.argv
    kind = destination.rsplit(".", 1)[1]
    if kind == "safetensors":
        write_safetensors(destination, items(source))
    elif kind == "npz":
        write_npz(destination, items(source), compress)
    else:
        write_hdf5(destination, items(source), compress)


def inspect(path):
    kind = path.rsplit(".", 1)[1]
    if kind == "safetensors":
        from safetensors import safe_open

        with safe_open(path, "numpy") as file:
            for name in file.keys():
                part = file.get_slice(name)
                print(name, part.get_dtype(), part.get_shape())
    elif kind == "h5":
        import h5py

        def show(name, item):
            if hasattr(item, "shape"):
                print(name, item.dtype, item.shape)

        h5py.File(path).visititems(show)
    else:
        import numpy as np

        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as member:
                    np.lib.format.read_magic(member)
                    shape, _, dtype = np.lib.format.read_array_header_1_0(member)
                    print(name, dtype, shape)


if __name__ == "__main__":
    main()
