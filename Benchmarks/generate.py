"""Makes the checkpoints that the benchmark converts.

    python generate.py transformer PATH MEGABYTES
    python generate.py small PATH COUNT
"""
import sys

import numpy as np
from safetensors.numpy import save_file

def make_checkpoint(path, megabytes):
    """Some 300 float32 tensors shaped like a Transformer's, `megabytes` in all."""
    generator = np.random.default_rng(7)
    width = 768
    unit = [(width, 3 * width), (width, width), (width, 4 * width), (4 * width, width)]
    bytes_left = megabytes * 1_000_000
    tensors, number = {}, 0
    while bytes_left > 0:
        for role, shape in zip(("qkv", "proj", "up", "down"), unit):
            rows = max(1, min(shape[0], bytes_left // (4 * shape[1])))
            array = generator.standard_normal((rows, shape[1]), dtype=np.float32)
            array *= 0.02
            tensors[f"h.{number}.{role}.weight"] = array
            tensors[f"h.{number}.{role}.bias"] = array[0].copy()
            bytes_left -= array.nbytes
            if bytes_left <= 0:
                break
        number += 1
    save_file(tensors, path)


def make_small_tensors(path, count):
    save_file({f"layer.{i}.weight": np.full((3, 5), i, np.float32) for i in range(count)}, path)


if __name__ == "__main__":
    kind, path, amount = sys.argv[1], sys.argv[2], int(sys.argv[3])
    {"transformer": make_checkpoint, "small": make_small_tensors}[kind](path, amount)
